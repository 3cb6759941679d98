//! Through a pooler that gives each transaction another connection to the server.

use diffsync_adapters::sql::{Sql, TransactionScope};
use diffsync_core::Adapter;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::value::Url;
use diffsync_test_servers::{Server, pgbouncer, postgres};
use sqlx::{Connection, PgConnection};

use super::systems::{Kind, assert_done, block_on, loaded, pushed, run_on};
use super::world::{Vlans, World, vlans, world};

fn url(server: &Server, database: &str) -> Url {
    Url::parse(&format!("postgres://{}:{}@127.0.0.1:{}/{database}", server.user, server.password, server.port)).unwrap()
}

/// A new database, and its URL by way of the pooler.
async fn pooled(database: &str) -> Option<Url> {
    let (server, pooler) = (postgres()?, pgbouncer()?);
    run_on(Kind::Postgres, &url(server, "postgres"), &format!("CREATE DATABASE {database}")).await;
    Some(url(pooler, database))
}

#[test]
fn one_run_after_the_other_is_written_through_a_pooler() {
    block_on(async {
        let Some(url) = pooled("pooled_runs").await else { return };
        let sql = || Sql::<Vlans>::open(&url).unwrap().create_tables().batch_size(5);
        for round in 0..4 {
            let mut health = HealthCheck::new(Side::Target);
            sql().check(&mut health).await;
            assert!(health.is_healthy(), "{:?}", health.findings());
            let wanted = || vlans(round * 10..round * 10 + 30);
            assert_done(&pushed(wanted(), sql().max_connections(3)).await);
            assert_eq!(pushed(wanted(), sql()).await.counts.unchanged, 30);
            let whole = sql().transaction_scope(TransactionScope::PerRun);
            assert_done(&pushed(vlans(round * 10 + 5..round * 10 + 35), whole).await);
        }
    });
}

#[test]
fn keys_and_lookups_go_through_a_pooler() {
    block_on(async {
        let Some(url) = pooled("pooled_world").await else { return };
        let sql = || Sql::<World>::open(&url).unwrap().create_tables().batch_size(3);
        for seed in 0..3 {
            assert_done(&pushed(world(seed), sql().max_connections(2)).await);
            assert_eq!(pushed(world(seed), sql()).await.counts.written(), 0);
        }
    });
}

#[test]
fn what_a_run_sets_stays_in_its_transactions() {
    block_on(async {
        let Some(url) = pooled("pooled_settings").await else { return };
        let database = "ALTER DATABASE pooled_settings SET intervalstyle = 'sql_standard'; \
                        CREATE TABLE vlans (number INTEGER PRIMARY KEY, name INTERVAL, note TEXT)";
        run_on(Kind::Postgres, &self::url(postgres().unwrap(), "pooled_settings"), database).await;

        let mut wanted = vlans(0..3);
        wanted.vlans = wanted
            .vlans
            .iter()
            .cloned()
            .map(|mut vlan| {
                vlan.name = format!("P{}DT1H", vlan.number + 1);
                vlan
            })
            .collect();
        let names: Vec<String> = wanted.vlans.iter().map(|vlan| vlan.name.clone()).collect();
        assert_done(&pushed(wanted, Sql::<Vlans>::open(&url).unwrap()).await);
        let found: Vlans = loaded(&Sql::open(&url).unwrap(), Side::Target).await.unwrap();
        assert_eq!(found.vlans.iter().map(|vlan| vlan.name.clone()).collect::<Vec<_>>(), names);

        let options = url.as_str().parse::<sqlx::postgres::PgConnectOptions>().unwrap().extra_float_digits(None);
        for _ in 0..4 {
            let mut other = PgConnection::connect_with(&options).await.unwrap();
            let style: Vec<sqlx::postgres::PgRow> =
                sqlx::raw_sql("SHOW intervalstyle").fetch_all(&mut other).await.unwrap();
            assert_eq!(sqlx::Row::get::<String, _>(&style[0], 0), "sql_standard");
        }
    });
}

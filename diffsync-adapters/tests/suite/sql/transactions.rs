//! A run that is written as a whole is written as a whole.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{Sql, Transaction};
use diffsync_core::{Dataset, Side, SyncModel, Table};

use super::systems::{Kind, assert_done, loaded, on_each, pushed, pushed_with};
use super::world::{Vlan, Vlans, vlan, vlans};

#[test]
fn one_record_that_fails_undoes_the_run() {
    on_each(|system| async move {
        let definition = "CREATE TABLE [vlans] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT UNIQUE, [note] KEYTEXT)";
        system.run(&system.words(definition)).await;
        let sql = || Sql::at(&system.url).unwrap().transaction(Transaction::PerRun).batch(10);
        assert_done(&pushed(vlans(0..30), sql()).await);
        let mut wanted = vlans(10..60);
        wanted.vlans.insert(Vlan { name: "vlan 50".into(), ..vlan(4000) });
        let report = pushed(wanted, sql()).await;
        assert_eq!(report.counts.written(), 0);
        assert!(report.failures().any(|failed| failed.reason.contains("written as a whole")));
        let found: Vlans = loaded(&sql(), Side::Target).await.unwrap();
        assert_eq!(found.vlans.len(), 30);
        // And it goes on as if nothing had been.
        assert_done(&pushed(vlans(10..60), sql()).await);
        assert_eq!(pushed(vlans(10..60), sql()).await.counts.unchanged, 50);
    });
}

#[test]
fn a_row_that_cannot_be_loaded_does_not_keep_the_others_from_being_written_as_a_whole() {
    on_each(|system| async move {
        let definition = "CREATE TABLE [vlans] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT, [note] KEYTEXT)";
        system.run(&system.words(definition)).await;
        system.run(&system.words("INSERT INTO [vlans] VALUES (7000, NULL, NULL)")).await;
        let sql = || Sql::at(&system.url).unwrap().transaction(Transaction::PerRun);
        let report = pushed_with(vlans(0..30), sql(), |options| options.max_rejected = 100.0).await;
        assert_eq!(report.counts.created, 30, "{:?}", report.error);
        assert_eq!(report.counts.rejected, 1);
    });
}

#[test]
fn a_source_without_its_tables_is_not_an_empty_one() {
    on_each(|system| async move {
        let source = loaded::<Vlans>(&system.sql(), Side::Source).await;
        assert!(source.is_err(), "a target's tables may be made, a source's must be there");
        assert_eq!(loaded::<Vlans>(&system.sql(), Side::Target).await.unwrap().vlans.len(), 0);
    });
}

#[test]
fn a_key_that_a_record_cannot_hold_undoes_what_was_written() {
    #[derive(SyncModel, SqlModel, Clone)]
    #[sql(table = "sites")]
    struct Small {
        #[sync(id)]
        name: String,
        #[sync(local)]
        #[sql(key)]
        id: Option<i16>,
    }
    #[derive(Dataset, Default)]
    struct Smalls {
        sites: Table<Small>,
    }
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [sites] ([id] SERIAL, [name] KEYTEXT)")).await;
        match system.kind {
            Kind::Postgres => system.run("ALTER SEQUENCE sites_id_seq RESTART WITH 40000").await,
            Kind::MariaDb => system.run("ALTER TABLE sites AUTO_INCREMENT = 40000").await,
            // It counts on from the largest key that there is.
            Kind::Sqlite => return,
        }
        let sites = || Smalls { sites: [Small { name: "ams".into(), id: None }].into_iter().collect() };
        let report = pushed(sites(), Sql::at(&system.url).unwrap()).await;
        assert_eq!(report.counts.failed, 1);
        let found: Smalls = loaded(&Sql::at(&system.url).unwrap(), Side::Target).await.unwrap();
        assert_eq!(found.sites.len(), 0, "what is said to have failed is not there");
    });
}

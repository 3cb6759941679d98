//! What a look at a database finds.

use diffsync_adapters::sql::Sql;
use diffsync_core::{Adapter, Checkup, Side};

use super::systems::{Kind, assert_done, on_each, pushed};
use super::world::{Vlans, vlans};

async fn checked(sql: &Sql<Vlans>, side: Side) -> Checkup {
    let mut checkup = Checkup::new(side);
    sql.check(&mut checkup).await;
    checkup
}

#[test]
fn a_database_that_can_be_used_is_healthy() {
    on_each(|system| async move {
        let empty = checked(&system.sql(), Side::Target).await;
        assert!(empty.is_healthy(), "{:?}", empty.findings());
        assert_done(&pushed(vlans(0..3), system.sql()).await);
        for side in [Side::Source, Side::Target] {
            let found = checked(&system.sql(), side).await;
            assert!(found.is_healthy(), "{:?}", found.findings());
            let version = found.findings().iter().find(|finding| finding.what == "version").unwrap();
            assert!(version.detail.chars().any(|letter| letter.is_ascii_digit()), "{version:?}");
        }
    });
}

#[test]
fn what_is_missing_is_found() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([number] INTEGER, [nmae] KEYTEXT)")).await;
        let found = checked(&Sql::at(&system.url).unwrap(), Side::Source).await;
        assert!(!found.is_healthy());
        let table = found.findings().iter().find(|finding| finding.what == "table vlans").unwrap();
        assert!(table.detail.contains("did you mean `nmae`?") && table.detail.contains("`note`"), "{table:?}");
    });
}

#[test]
fn rights_that_are_missing_are_found() {
    on_each(|system| async move {
        assert_done(&pushed(vlans(0..3), system.sql()).await);
        let mut url = system.url.clone();
        match system.kind {
            Kind::Sqlite => url.set_query(Some("mode=ro")),
            Kind::Postgres => {
                let schema = system.texts("SELECT current_schema()::text").await.remove(0);
                let sql = format!(
                    "CREATE ROLE reader LOGIN PASSWORD 'reader'; GRANT USAGE ON SCHEMA {schema} TO reader; GRANT SELECT ON vlans TO reader"
                );
                system.run(&sql).await;
                url.set_username("reader").unwrap();
                url.set_password(Some("reader")).unwrap();
            }
            Kind::MariaDb => {
                system.run("CREATE USER reader IDENTIFIED BY 'reader'").await;
                system.run("GRANT SELECT ON vlans TO reader").await;
                url.set_username("reader").unwrap();
                url.set_password(Some("reader")).unwrap();
            }
        }
        let as_source = checked(&Sql::at(&url).unwrap(), Side::Source).await;
        assert!(as_source.is_healthy(), "{:?}", as_source.findings());
        let as_target = checked(&Sql::at(&url).unwrap(), Side::Target).await;
        let rights = as_target.findings().iter().find(|finding| finding.what == "rights on vlans").unwrap();
        assert!(!rights.passed, "{rights:?}");
    });
}

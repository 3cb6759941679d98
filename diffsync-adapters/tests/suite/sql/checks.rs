//! What a look at a database finds.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{ModelEntries, Sql};
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::{Side, VisitedBy};
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset, SyncModel, Table};

use super::systems::{Kind, System, assert_done, block_on, loaded, on_each, pushed};
use super::world::{Vlan, Vlans, vlans};

async fn checked<D: Dataset + VisitedBy<ModelEntries<D>>>(sql: &Sql<D>, side: Side) -> HealthCheck {
    let mut health = HealthCheck::new(side);
    sql.check(&mut health).await;
    health
}

/// What was found of something, and whether it is as it should be.
fn found(health: &HealthCheck, what: &str) -> (bool, String) {
    let finding = health.findings().iter().find(|finding| finding.what == what).unwrap();
    (finding.passed, finding.detail.clone())
}

#[test]
fn a_database_that_can_be_used_is_healthy() {
    on_each(|system| async move {
        let empty = checked(&system.sql::<Vlans>(), Side::Target).await;
        assert!(empty.is_healthy(), "{:?}", empty.findings());
        assert_done(&pushed(vlans(0..3), system.sql()).await);
        for side in [Side::Source, Side::Target] {
            let found = checked(&system.sql::<Vlans>(), side).await;
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
        let found = checked(&Sql::<Vlans>::open(&system.url).unwrap(), Side::Source).await;
        assert!(!found.is_healthy());
        let table = found.findings().iter().find(|finding| finding.what == "table vlans").unwrap();
        assert!(table.detail.contains("did you mean `nmae`?") && table.detail.contains("`note`"), "{table:?}");
    });
}

#[test]
fn a_column_of_the_wrong_type_is_found() {
    on_each(|system| async move {
        // A column of SQLite may hold anything.
        let is_typed = system.kind != Kind::Sqlite;
        system.run(&system.words("CREATE TABLE [vlans] ([number] KEYTEXT, [name] KEYTEXT, [note] KEYTEXT)")).await;
        let (passed, detail) = found(&checked(&system.sql::<Vlans>(), Side::Source).await, "table vlans");
        assert_eq!(!passed, is_typed, "{detail}");
        assert_eq!(detail.contains("where a whole number is expected, for the field `number`"), is_typed, "{detail}");
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
        let as_source = checked(&Sql::<Vlans>::open(&url).unwrap(), Side::Source).await;
        assert!(as_source.is_healthy(), "{:?}", as_source.findings());
        let as_target = checked(&Sql::<Vlans>::open(&url).unwrap(), Side::Target).await;
        let rights = as_target.findings().iter().find(|finding| finding.what == "rights on vlans").unwrap();
        assert!(!rights.passed, "{rights:?}");
        // There is no login.
        assert_eq!(rights.detail == "the file may not be written", system.kind == Kind::Sqlite, "{rights:?}");
    });
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "ports", lookup("device_id -> devices(site_id -> sites(name), name)", site, device))]
struct Port {
    #[sync(id)]
    site: String,
    #[sync(id)]
    device: String,
    #[sync(id)]
    name: String,
}

#[derive(Dataset, Default)]
struct Ports {
    ports: Table<Port>,
}

#[test]
fn tables_that_only_a_lookup_leads_to_are_looked_at() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [devices] ([id] SERIAL, [site_id] BIGINT, [name] KEYTEXT)")).await;
        // The same if the tables of the models do not exist yet: a check does not create them.
        for makes_ports in [true, false] {
            let sql: Sql<Ports> = if makes_ports { system.sql() } else { Sql::open(&system.url).unwrap() };
            if !makes_ports {
                system.run(&system.words("CREATE TABLE [ports] ([device_id] BIGINT, [name] KEYTEXT)")).await;
            }
            let health = checked(&sql, Side::Target).await;
            let devices = (true, "all 3 used columns exist".to_owned());
            assert_eq!(found(&health, "table devices"), devices);
            // Nothing is written there.
            assert_eq!(found(&health, "rights on devices"), (true, "may be read".into()));
            let (passed, detail) = found(&health, "table sites");
            assert!(!passed && detail.contains("there is no table `sites`"), "{detail}");
        }
        system.run(&system.words("CREATE TABLE [sites] ([id] SERIAL, [nmae] KEYTEXT)")).await;
        let sql: Sql<Ports> = Sql::open(&system.url).unwrap();
        let (passed, detail) = found(&checked(&sql, Side::Source).await, "table sites");
        assert!(!passed && detail.contains("`sites` has no column `name`; did you mean `nmae`?"), "{detail}");
        system.run(&system.words("DROP TABLE [sites]")).await;
        system.run(&system.words("CREATE TABLE [sites] ([id] SERIAL, [name] KEYTEXT)")).await;
        for side in [Side::Source, Side::Target] {
            let health = checked(&sql, side).await;
            assert!(health.is_healthy(), "{:?}", health.findings());
        }
    });
}

#[test]
fn the_right_to_make_tables_is_looked_at_where_it_can_be_told() {
    on_each(|system| async move {
        let mut url = system.url.clone();
        match system.kind {
            Kind::Sqlite => {
                system.run("CREATE TABLE something_else (n INTEGER)").await;
                url.set_query(Some("mode=ro"));
            }
            Kind::Postgres => {
                let schema = system.texts("SELECT current_schema()::text").await.remove(0);
                system
                    .run(&format!(
                        "CREATE ROLE looker LOGIN PASSWORD 'looker'; GRANT USAGE ON SCHEMA {schema} TO looker"
                    ))
                    .await;
                url.set_username("looker").unwrap();
                url.set_password(Some("looker")).unwrap();
            }
            Kind::MariaDb => return,
        }
        let (passed, detail) = found(&checked(&system.sql::<Vlans>(), Side::Target).await, "tables");
        assert!(passed && detail.starts_with("none exist yet; they are created"), "{detail}");
        let sql: Sql<Vlans> = Sql::open(&url).unwrap().create_tables();
        let (passed, detail) = found(&checked(&sql, Side::Target).await, "tables");
        let who = if system.kind == Kind::Sqlite { "file may not be written" } else { "login may not " };
        assert!(!passed && detail.starts_with(&format!("none exist yet, and the {who}")), "{detail}");
    });
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "cables")]
struct Cable {
    #[sync(id)]
    name: String,
    #[sql(lookup = "vlan_id -> vlan(name)")]
    vlan: String,
    #[sql(lookup = "native_id -> vlans(nmae)")]
    native: String,
}

#[derive(Dataset, Default)]
struct Cables {
    vlans: Table<Vlan>,
    cables: Table<Cable>,
}

#[test]
fn nothing_is_made_where_a_lookup_leads_to_what_is_neither_there_nor_made() {
    on_each(|system| async move {
        // Where there is no database, and where there is one without these tables.
        for has_database in [system.kind != Kind::Sqlite, true] {
            if has_database {
                system.run("CREATE TABLE IF NOT EXISTS something_else (n INTEGER)").await;
            }
            let health = checked(&system.sql::<Cables>(), Side::Target).await;
            let error = loaded::<Cables>(&system.sql(), Side::Target).await.err().unwrap().to_string();
            for (what, reason) in [
                ("table vlan", "there is no table `vlan`, and no model creates it; did you mean `vlans`?"),
                ("table vlans", "`vlans` is created without column `nmae`; did you mean `name`?"),
            ] {
                let (passed, detail) = found(&health, what);
                assert!(!passed && detail.starts_with(reason), "{detail}");
                assert!(error.contains(reason), "{error}");
            }
            let wanted = Cables { vlans: vlans(0..3).vlans, ..Cables::default() };
            assert_ne!(pushed(wanted, system.sql()).await.status.to_string(), "completed");
            let vlans = checked(&system.sql::<Vlans>(), Side::Target).await;
            let what = if has_database { "tables" } else { "connection" };
            assert!(found(&vlans, what).1.contains("created at the first write"), "{:?}", vlans.findings());
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_may_not_be_written_is_found() {
    block_on(async {
        // No file can be created here.
        let sql = || Sql::<Vlans>::open(&Url::parse("sqlite:///proc/self/x.db").unwrap()).unwrap().create_tables();
        let reason = "the folder `/proc/self` may not be written";
        let (passed, detail) = found(&checked(&sql(), Side::Target).await, "connection");
        assert!(!passed && detail.ends_with(reason), "{detail}");
        let report = pushed(vlans(0..3), sql()).await;
        assert!(report.error_text().unwrap_or_default().contains(reason), "{:?}", report.error_text());
    });
}

#[test]
fn a_look_leaves_nothing_behind() {
    block_on(async {
        let system = System::new(Kind::Sqlite).await;
        assert!(checked(&system.sql::<Vlans>(), Side::Target).await.is_healthy());
        let folder = std::path::Path::new(system.url.path()).parent().unwrap();
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    });
}

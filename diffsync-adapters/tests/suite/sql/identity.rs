//! Which records are the same: the database may say otherwise than Rust, and neither deletes nor doubles for it.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::report::RunReport;
use diffsync_core::{Adapter, Dataset, SyncModel, Table};

use super::systems::{Kind, System, assert_done, kinds, loaded, on_each, pushed, reasons, records};

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "items")]
struct Item {
    #[sync(id)]
    name: String,
    note: Option<String>,
}

#[derive(Dataset, Default)]
struct Items {
    items: Table<Item>,
}

fn items(names: &[&str]) -> Items {
    let mut items = Items::default();
    items.items.mark_loaded();
    for name in names {
        items.items.insert(Item { name: (*name).into(), note: None });
    }
    items
}

/// The table with its key, and rows of another table that the database would delete together with rows of it.
async fn made(system: &System, name: &str, there: &[&str]) {
    system.run(&format!("CREATE TABLE items ({name}, note VARCHAR(50))")).await;
    for item in there {
        system.run(&format!("INSERT INTO items (name) VALUES ('{item}')")).await;
    }
}

async fn names(system: &System) -> Vec<String> {
    let text = if system.kind == Kind::MariaDb { "CHAR" } else { "TEXT" };
    system.texts(&format!("SELECT CAST(name AS {text}) FROM items ORDER BY 1")).await
}

/// That a pair was left alone, and named.
fn assert_held(report: &RunReport, source: &str, target: &str) {
    let failed = reasons(report);
    let of = |name: &str| failed.iter().find(|(record, _)| record.ends_with(name));
    let (_, reason) = of(source).unwrap_or_else(|| panic!("{source} in {failed:?}"));
    assert!(reason.contains(&format!("{target:?}")), "{reason}");
    assert_eq!((report.counts.created, report.counts.deleted), (0, 0), "{failed:?}");
}

/// Key columns of each kind of database that take two texts for the same.
fn pairs(kind: Kind) -> &'static [(&'static str, &'static str, &'static str)] {
    match kind {
        Kind::Sqlite => &[
            ("name TEXT PRIMARY KEY COLLATE NOCASE", "ams", "AMS"),
            ("name TEXT NOT NULL COLLATE NOCASE", "ams", "AMS"),
            ("name TEXT COLLATE RTRIM UNIQUE", "ams", "ams  "),
            ("name INTEGER PRIMARY KEY", "7", "07"),
            ("name NUMERIC UNIQUE", "7.5", "7.50"),
        ],
        Kind::Postgres => &[
            ("name citext PRIMARY KEY", "ams", "AMS"),
            ("name text PRIMARY KEY COLLATE folded", "Zurich", "Zürich"),
            ("name text NOT NULL COLLATE folded", "Zurich", "zurich"),
            ("name folded_text UNIQUE", "Zurich", "ZURICH"),
            ("name char(10) PRIMARY KEY", "ams", "ams  "),
            ("name inet PRIMARY KEY", "10.0.0.1", "10.0.0.1/32"),
            ("name inet PRIMARY KEY", "2001:db8::1", "2001:DB8:0::1"),
            ("name date PRIMARY KEY", "2026-01-05", "2026-1-5"),
            ("name numeric(10,2) PRIMARY KEY", "12.50", "12.5"),
            ("name uuid PRIMARY KEY", "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11", "0B6A7E3C-9E0D-4B36-8C63-3B1E1E0A9F11"),
            ("name macaddr PRIMARY KEY", "08:00:2b:01:02:03", "08-00-2b-01-02-03"),
        ],
        Kind::MariaDb => &[
            ("name VARCHAR(50) COLLATE utf8mb4_general_ci PRIMARY KEY", "Zurich", "Zürich"),
            ("name VARCHAR(50) COLLATE utf8mb4_general_ci NOT NULL", "Zurich", "ZURICH"),
            ("name VARCHAR(50) COLLATE utf8mb4_bin PRIMARY KEY", "ams", "ams  "),
            ("name CHAR(50) COLLATE utf8mb4_nopad_bin UNIQUE", "ams", "ams "),
            ("name VARCHAR(50) COLLATE utf8mb4_unicode_ci PRIMARY KEY", "AMS", "ＡＭＳ"),
            ("name DATE PRIMARY KEY", "2026-01-05", "2026-1-5"),
            ("name DATETIME PRIMARY KEY", "2026-01-05 10:00:00", "2026-01-05T10:00:00"),
            ("name DECIMAL(10,2) PRIMARY KEY", "12.50", "12.5"),
            ("name UUID PRIMARY KEY", "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11", "0B6A7E3C-9E0D-4B36-8C63-3B1E1E0A9F11"),
            ("name INET6 PRIMARY KEY", "2001:db8::1", "2001:DB8:0::1"),
        ],
    }
}

/// Each pair in a database of its own.
fn on_each_pair<F: Future<Output = ()>>(test: impl Fn(System, &'static str, &'static str, &'static str) -> F) {
    for kind in kinds() {
        super::systems::block_on(async {
            for (column, there, wanted) in pairs(kind) {
                let system = System::new(kind).await;
                if kind == Kind::Postgres {
                    let sql = "CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA pg_catalog;
                        CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
                        CREATE DOMAIN folded_text AS text COLLATE folded";
                    system.run(sql).await;
                }
                made(&system, column, &[there]).await;
                test(system.clone(), column, there, wanted).await;
            }
        });
    }
}

#[test]
fn what_the_database_takes_for_the_same_is_neither_created_nor_deleted() {
    on_each_pair(|system, column, there, wanted| async move {
        for _ in 0..2 {
            let report = pushed(items(&[wanted]), Sql::open(&system.url).unwrap()).await;
            assert_held(&report, wanted, there);
            assert_eq!(names(&system).await.len(), 1, "{column}");
        }
        // Written as the column has it, there is nothing to do.
        let report = pushed(items(&[there]), Sql::open(&system.url).unwrap()).await;
        assert_done(&report);
        assert_eq!((report.counts.unchanged, report.counts.written()), (1, 0), "{column} {there}");
    });
}

#[test]
fn a_check_says_which_identifiers_the_database_takes_for_the_same() {
    on_each_pair(|system, column, _, _| async move {
        let mut health = HealthCheck::new(Side::Target);
        Sql::<Items>::open(&system.url).unwrap().check(&mut health).await;
        assert!(health.is_healthy(), "{health:?}");
        let found = health.findings().iter().find(|found| found.what == "identifiers of items");
        let detail = &found.unwrap_or_else(|| panic!("{column}: {health:?}")).detail;
        assert!(detail.starts_with("`name` "), "{detail}");
        let ignores_case = ["NOCASE", "citext", "folded", "_ci"].iter().any(|word| column.contains(word));
        assert_eq!(detail.contains("put `compare = ignore_case` on `name`"), ignores_case, "{column}: {detail}");
    });
}

#[test]
fn nothing_that_cascades_is_deleted_for_a_record_that_the_database_takes_for_another() {
    on_each(|system| async move {
        let (name, wanted) = match system.kind {
            Kind::Sqlite => ("name TEXT PRIMARY KEY COLLATE NOCASE", "ZURICH"),
            Kind::Postgres => {
                system.run("CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA pg_catalog").await;
                ("name citext PRIMARY KEY", "ZURICH")
            }
            Kind::MariaDb => ("name VARCHAR(50) COLLATE utf8mb4_general_ci PRIMARY KEY", "Zürich"),
        };
        made(&system, name, &["Zurich", "Basel"]).await;
        let item = name.replace("name ", "item ").replace(" PRIMARY KEY", "");
        let key = "FOREIGN KEY (item) REFERENCES items (name) ON DELETE CASCADE";
        system.run(&format!("CREATE TABLE rents (id INTEGER PRIMARY KEY, {item}, {key})")).await;
        system.run("INSERT INTO rents (id, item) VALUES (1, 'Zurich')").await;
        let report = pushed(items(&[wanted, "Basel"]), Sql::open(&system.url).unwrap()).await;
        assert_held(&report, wanted, "Zurich");
        assert_eq!(names(&system).await, ["Basel", "Zurich"]);
        assert_eq!(system.texts("SELECT 'rent' FROM rents").await.len(), 1);
    });
}

#[test]
fn tables_that_are_made_tell_all_texts_apart() {
    on_each(|system| async move {
        let all = ["ams", "AMS", "Ams", "ams ", " ams", "äms", "ａms", "ams\t", "ss", "ß", "", " "];
        assert_done(&pushed(items(&all), system.sql()).await);
        let report = pushed(items(&all), system.sql()).await;
        assert_done(&report);
        assert_eq!((report.counts.unchanged, report.counts.written()), (all.len(), 0));
        // Each is found by itself.
        let report = pushed(items(&["ams ", "ß"]), system.sql()).await;
        assert_done(&report);
        assert_eq!(report.counts.deleted, all.len() - 2);
        let found: Items = loaded(&system.sql(), Side::Target).await.unwrap();
        let mut names: Vec<&str> = records::<_, Item>(&found).iter().map(|item| item.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["ams ", "ß"]);
        // There is nothing to say of such tables.
        let mut health = HealthCheck::new(Side::Target);
        system.sql::<Items>().check(&mut health).await;
        assert!(health.findings().iter().all(|found| !found.what.starts_with("identifiers")), "{health:?}");
    });
}

/// With a key that counts, and deletes before creates.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sync(deletes_first)]
#[sql(table = "sites")]
struct Site {
    #[sync(id)]
    slug: String,
    tag: Option<String>,
    #[sync(local)]
    #[sql(key)]
    id: Option<i64>,
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "racks")]
struct Rack {
    #[sync(id, parent = Site)]
    #[sql(lookup = "site_id -> sites(slug)")]
    site: String,
    #[sync(id)]
    number: i32,
}

#[derive(Dataset, Default)]
struct Rooms {
    sites: Table<Site>,
    racks: Table<Rack>,
}

fn rooms(sites: &[(&str, &str)], racks: &[(&str, i32)]) -> Rooms {
    let mut rooms = Rooms::default();
    rooms.sites.mark_loaded();
    rooms.racks.mark_loaded();
    for (slug, tag) in sites {
        rooms.sites.insert(Site { slug: (*slug).into(), tag: Some((*tag).into()), id: None });
    }
    for (site, number) in racks {
        rooms.racks.insert(Rack { site: (*site).into(), number: *number });
    }
    rooms
}

#[test]
fn children_of_a_record_that_the_database_takes_for_another_stay() {
    on_each(|system| async move {
        let text = match system.kind {
            Kind::Sqlite => "TEXT COLLATE NOCASE",
            Kind::Postgres => {
                system.run("CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA pg_catalog").await;
                "citext"
            }
            Kind::MariaDb => "VARCHAR(50) COLLATE utf8mb4_general_ci",
        };
        for sql in [
            &format!("CREATE TABLE [sites] ([id] SERIAL, [slug] {text}, [tag] KEYTEXT)"),
            "CREATE TABLE [racks] ([site_id] BIGINT, [number] INTEGER)",
            "INSERT INTO [sites] ([id], [slug], [tag]) VALUES (1, 'ams', 'a'), (2, 'fra', 'f')",
            "INSERT INTO [racks] ([site_id], [number]) VALUES (1, 1), (1, 2), (2, 1)",
        ] {
            system.run(&system.words(sql)).await;
        }
        // No key is unique here, and deletes come first.
        let wanted = || rooms(&[("AMS", "a"), ("fra", "f")], &[("AMS", 1), ("AMS", 2), ("fra", 1)]);
        let report = pushed(wanted(), Sql::open(&system.url).unwrap()).await;
        assert_held(&report, "AMS", "ams");
        assert_eq!(system.texts("SELECT 'site' FROM sites").await.len(), 2);
        assert_eq!(system.texts("SELECT 'rack' FROM racks").await.len(), 3);
    });
}

#[test]
fn a_unique_value_that_is_taken_is_said_with_who_has_it() {
    on_each(|system| async move {
        for sql in [
            "CREATE TABLE [sites] ([id] SERIAL, [slug] KEYTEXT, [tag] KEYTEXT, UNIQUE ([slug]), UNIQUE ([tag]))",
            "CREATE TABLE [racks] ([site_id] BIGINT, [number] INTEGER)",
            "INSERT INTO [sites] ([id], [slug], [tag]) VALUES (1, 'ams', 'a'), (2, 'fra', 'f')",
        ] {
            system.run(&system.words(sql)).await;
        }
        // `ber` is created with what `ams` has, in a batch with others, and `fra` is changed to what `ams` has.
        let mut sites = rooms(&[("ams", "a"), ("fra", "a"), ("ber", "a")], &[]);
        for number in 0..50 {
            sites.sites.insert(Site { slug: format!("s{number}"), tag: None, id: None });
        }
        let report = pushed(sites, Sql::open(&system.url).unwrap()).await;
        let failed = reasons(&report);
        assert_eq!(failed.len(), 2, "{failed:?}");
        for (_, reason) in &failed {
            assert!(reason.contains("; \"ams\" has the same `tag`"), "{reason}");
        }
        assert_eq!(report.counts.created, 50);
    });
}

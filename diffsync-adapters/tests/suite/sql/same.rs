//! Over random case, width, accents and padding: what the database takes for the same is never created beside it, and never
//! deleted.

use std::collections::BTreeSet;

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::{Dataset, SyncModel, Table};
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use super::systems::{Kind, System, block_on, kinds, pushed, reasons};

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "sites")]
struct Site {
    #[sync(id)]
    slug: String,
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

/// A site of each name, with a rack in it.
fn rooms(names: &BTreeSet<String>) -> Rooms {
    let mut rooms = Rooms::default();
    rooms.sites.mark_loaded();
    rooms.racks.mark_loaded();
    for name in names {
        rooms.sites.insert(Site { slug: name.clone(), id: None });
        rooms.racks.insert(Rack { site: name.clone(), number: 1 });
    }
    rooms
}

fn columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Sqlite => &["TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM", "TEXT"],
        Kind::Postgres => &["citext", "text COLLATE folded", "char(8)", "text"],
        Kind::MariaDb => &[
            "VARCHAR(20) COLLATE utf8mb4_general_ci",
            "VARCHAR(20) COLLATE utf8mb4_unicode_nopad_ci",
            "VARCHAR(20) COLLATE utf8mb4_bin",
            "CHAR(20) COLLATE utf8mb4_uca1400_as_ci",
        ],
    }
}

/// Names of few letters, so that many are near to each other.
fn names() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set("[aAäÄａＡßsS]{1,2} {0,2}", 1..7)
}

fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(9),
        max_shrink_iters: 20,
        ..Config::default()
    };
    TestRunner::new(config)
}

async fn slugs(system: &System) -> BTreeSet<String> {
    let text = if system.kind == Kind::MariaDb { "CHAR" } else { "TEXT" };
    system.texts(&format!("SELECT CAST(slug AS {text}) FROM sites")).await.into_iter().collect()
}

/// Brings a table of this kind from one set of names to another, if it can.
async fn holds(system: &System, there: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Result<(), TestCaseError> {
    let (insert, end) = match system.kind {
        Kind::Sqlite => ("INSERT OR IGNORE", ""),
        Kind::Postgres => ("INSERT", " ON CONFLICT DO NOTHING"),
        Kind::MariaDb => ("INSERT IGNORE", ""),
    };
    let values = there.iter().map(|name| format!("('{name}')")).collect::<Vec<_>>().join(", ");
    system
        .run(&format!(
            "DELETE FROM racks; DELETE FROM sites; {insert} INTO sites (slug) VALUES {values}{end};
             INSERT INTO racks (site_id, number) SELECT id, 1 FROM sites"
        ))
        .await;
    let before = slugs(system).await;
    // What the database itself says.
    let wanted_list: Vec<&String> = wanted.iter().collect();
    let equal = wanted_list.iter().enumerate();
    let equal = equal.map(|(at, name)| format!("SELECT '{at}' FROM sites WHERE slug = '{name}'"));
    let equal = system.texts(&equal.collect::<Vec<_>>().join(" UNION ALL ")).await;
    let equal: Vec<&String> = equal.iter().map(|at| wanted_list[at.parse::<usize>().unwrap()]).collect();
    let list = wanted.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let text = if system.kind == Kind::MariaDb { "CHAR" } else { "TEXT" };
    let kept = system.texts(&format!("SELECT CAST(slug AS {text}) FROM sites WHERE slug IN ({list})")).await;

    pushed(rooms(wanted), Sql::open(&system.url).unwrap()).await;
    let after = slugs(system).await;
    for name in &kept {
        prop_assert!(after.contains(name), "{name:?} is gone: {before:?} -> {after:?}");
    }
    let racks = "SELECT CAST(s.slug AS TEXT) FROM sites s JOIN racks r ON r.site_id = s.id".replace("TEXT", text);
    let racks = system.texts(&racks).await;
    for name in &kept {
        prop_assert!(racks.contains(name), "the rack in {name:?} is gone: {before:?} -> {after:?}");
    }
    for name in equal.into_iter().filter(|name| !before.contains(*name)) {
        prop_assert!(!after.contains(name), "{name:?} was created: {before:?} -> {after:?}");
    }
    Ok(())
}

#[test]
fn what_is_the_same_is_never_created_or_deleted_whatever_the_collation() {
    for kind in kinds() {
        for column in columns(kind) {
            // Also where nothing is unique.
            for unique in ["", " UNIQUE"] {
                let system = block_on(async {
                    let system = System::new(kind).await;
                    if kind == Kind::Postgres {
                        let sql = "CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA pg_catalog;
                            CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false)";
                        system.run(sql).await;
                    }
                    let sql = format!("CREATE TABLE [sites] ([id] SERIAL, [slug] {column} NOT NULL{unique})");
                    system.run(&system.words(&sql)).await;
                    system.run("CREATE TABLE racks (site_id BIGINT, number INTEGER)").await;
                    system
                });
                runner(5)
                    .run(&(names(), names()), |(there, wanted)| block_on(holds(&system, &there, &wanted)))
                    .unwrap_or_else(|error| panic!("{kind:?}, {column}{unique}: {error}"));
            }
        }
    }
}

#[test]
fn tables_that_are_made_hold_all_names_exactly() {
    for kind in kinds() {
        let system = block_on(System::new(kind));
        let test = |(first, second): (BTreeSet<String>, BTreeSet<String>)| {
            // A delete is held if a new name differs from the old one in nothing but its case: so each set begins with none.
            for wanted in [first, BTreeSet::new(), second, BTreeSet::new()] {
                block_on(async {
                    let report = pushed(rooms(&wanted), system.sql()).await;
                    prop_assert_eq!(report.status.to_string(), "completed", "{:?}", reasons(&report));
                    prop_assert_eq!(slugs(&system).await, wanted.clone());
                    let again = pushed(rooms(&wanted), system.sql()).await;
                    prop_assert_eq!((again.counts.unchanged, again.counts.written()), (wanted.len() * 2, 0));
                    Ok::<_, TestCaseError>(())
                })?;
            }
            Ok(())
        };
        runner(8).run(&(names(), names()), test).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
}

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

/// A database with this table, and what its columns may need.
async fn made(kind: Kind, table: &str) -> System {
    let system = System::new(kind).await;
    if kind == Kind::Postgres {
        let sql = "CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA pg_catalog;
            CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false)";
        system.run(sql).await;
    }
    system.run(&system.words(table)).await;
    system
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
                let sql = format!("CREATE TABLE [sites] ([id] SERIAL, [slug] {column} NOT NULL{unique})");
                let system = block_on(made(kind, &sql));
                block_on(system.run("CREATE TABLE racks (site_id BIGINT, number INTEGER)"));
                runner(5)
                    .run(&(names(), names()), |(there, wanted)| block_on(holds(&system, &there, &wanted)))
                    .unwrap_or_else(|error| panic!("{kind:?}, {column}{unique}: {error}"));
            }
        }
    }
}

/// Found by its slug alone.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "items")]
struct Item {
    #[sync(id)]
    slug: String,
    value: i32,
}

#[derive(Dataset, Default)]
struct Items {
    items: Table<Item>,
}

/// Changes some of the rows and deletes the others.
async fn changes(system: &System, there: &BTreeSet<String>, kept: &[bool]) -> Result<(), TestCaseError> {
    let values = there.iter().map(|name| format!("('{name}', 0)")).collect::<Vec<_>>().join(", ");
    system.run(&format!("DELETE FROM items; INSERT INTO items (slug, value) VALUES {values}")).await;
    let mut wanted = Items::default();
    wanted.items.mark_loaded();
    for ((slug, kept), value) in there.iter().zip(kept).zip(1..) {
        if *kept {
            wanted.items.insert(Item { slug: slug.clone(), value });
        }
    }
    let mut expected: Vec<String> = wanted.items.iter().map(|item| format!("{}={}", item.slug, item.value)).collect();
    expected.sort();

    let report = pushed(wanted, Sql::open(&system.url).unwrap()).await;
    let shown = match system.kind {
        Kind::MariaDb => "CONCAT(slug, '=', value)",
        _ => "CAST(slug AS TEXT) || '=' || CAST(value AS TEXT)",
    };
    let mut stored = system.texts(&format!("SELECT {shown} FROM items")).await;
    stored.sort();
    prop_assert_eq!(stored, expected, "{:?}", reasons(&report));
    prop_assert_eq!(report.status.to_string(), "completed");
    Ok(())
}

#[test]
fn rows_that_are_the_same_to_a_column_are_changed_and_deleted_each_by_itself() {
    for kind in kinds() {
        for column in columns(kind) {
            let system = block_on(made(kind, &format!("CREATE TABLE items (slug {column} NOT NULL, value INTEGER)")));
            // Some types store no spaces at the end.
            let pads = column.to_lowercase().starts_with("char");
            let test = |(there, kept): (BTreeSet<String>, Vec<bool>)| {
                let stored = |name: &String| if pads { name.trim_end().to_owned() } else { name.clone() };
                block_on(changes(&system, &there.iter().map(stored).collect(), &kept))
            };
            let kept = proptest::collection::vec(proptest::bool::ANY, 7);
            runner(5).run(&(names(), kept), test).unwrap_or_else(|error| panic!("{kind:?}, {column}: {error}"));
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

//! Rows that are not to be touched when others are written: those that have a taken value, those that another has added, and
//! those that a column takes for the ones that are meant.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::{Dataset, SyncModel, Table};

use super::systems::{Kind, System, assert_done, on_each, pushed, pushed_behind, reasons};
use super::world::{Vlan, vlan, vlans};

/// With two values that only one row may have.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "sites")]
struct Coded {
    #[sync(id)]
    slug: String,
    code: String,
    serial: String,
}

#[derive(Dataset, Default)]
struct AllCoded {
    sites: Table<Coded>,
}

fn coded(all: &[[&str; 3]]) -> AllCoded {
    let mut coded = AllCoded::default();
    coded.sites.mark_loaded();
    for [slug, code, serial] in all.iter().copied().map(|all| all.map(str::to_owned)) {
        coded.sites.insert(Coded { slug, code, serial });
    }
    coded
}

async fn slugs(system: &System) -> Vec<String> {
    system.texts("SELECT slug FROM sites ORDER BY slug").await
}

/// `x` and `y` have the two values of `n`, and `z` has none of them.
async fn made_coded(system: &System) {
    for sql in [
        "CREATE TABLE [sites] ([slug] KEYTEXT UNIQUE, [code] KEYTEXT NOT NULL UNIQUE, [serial] KEYTEXT NOT NULL UNIQUE)",
        "INSERT INTO [sites] VALUES ('n', 'n', 'n'), ('x', 'A', '1'), ('y', 'B', 'S'), ('z', 'C', '2')",
    ] {
        system.run(&system.words(sql)).await;
    }
}

#[test]
fn all_rows_that_have_values_of_a_refused_record_stay() {
    on_each(|system| async move {
        made_coded(&system).await;
        // The values of a new record.
        let wanted = [["m", "A", "S"], ["n", "n", "n"]];
        let report = pushed(coded(&wanted), Sql::open(&system.url).unwrap()).await;
        assert_eq!(slugs(&system).await, ["n", "x", "y"], "{:?}", reasons(&report));
        let failed = reasons(&report);
        let (_, reason) = failed.iter().find(|(record, _)| record.ends_with('m')).unwrap();
        assert!(
            reason.contains("\"x\" has the same `code`") && reason.contains("\"y\" has the same `serial`"),
            "{reason}"
        );

        // Those of one that changes.
        system.run("INSERT INTO sites VALUES ('z', 'C', '2')").await;
        let report = pushed(coded(&[["n", "A", "S"]]), Sql::open(&system.url).unwrap()).await;
        assert_eq!(slugs(&system).await, ["n", "x", "y"], "{:?}", reasons(&report));
    });
}

#[test]
fn all_rows_stay_where_a_unique_key_does_not_say_which_has_the_value() {
    on_each(|system| async move {
        // `y` is in the way by its code, in other letters; only `x` can be found by a column.
        let sql = match system.kind {
            Kind::Sqlite | Kind::Postgres => {
                "CREATE TABLE sites (slug TEXT, code TEXT, serial TEXT UNIQUE); CREATE UNIQUE INDEX c ON sites (lower(code))"
            }
            Kind::MariaDb => {
                "CREATE TABLE sites (slug VARCHAR(50), code VARCHAR(50), serial VARCHAR(50) UNIQUE, UNIQUE (code(1)))"
            }
        };
        system.run(sql).await;
        system.run("INSERT INTO sites VALUES ('x', 'other', 'S'), ('y', 'code', '2')").await;
        let new = if system.kind == Kind::MariaDb { "cxxx" } else { "CODE" };
        let report = pushed(coded(&[["n", new, "S"]]), Sql::open(&system.url).unwrap()).await;
        assert_eq!(slugs(&system).await, ["x", "y"], "{:?}", reasons(&report));
    });
}

#[test]
fn rows_that_differ_by_the_collation_of_a_key_of_its_own_stay() {
    on_each(|system| async move {
        let sql = match system.kind {
            Kind::Sqlite => "CREATE TABLE sites (slug TEXT, code TEXT, serial TEXT UNIQUE); CREATE UNIQUE INDEX c ON sites (code COLLATE NOCASE)",
            Kind::Postgres => {
                "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
                 CREATE TABLE sites (slug TEXT, code TEXT, serial TEXT UNIQUE); CREATE UNIQUE INDEX c ON sites (code COLLATE folded)"
            }
            // A key has the collation of its column there.
            Kind::MariaDb => return,
        };
        system.run(sql).await;
        system.run("INSERT INTO sites VALUES ('x', 'other', 'S'), ('y', 'code', '2')").await;
        let report = pushed(coded(&[["n", "CODE", "S"]]), Sql::open(&system.url).unwrap()).await;
        assert_eq!(slugs(&system).await, ["x", "y"], "{:?}", reasons(&report));
    });
}

/// A record without a key of the database, found by its name.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "items")]
struct Item {
    #[sync(id)]
    name: String,
    value: i32,
}

#[derive(Dataset, Default)]
struct Items {
    items: Table<Item>,
}

fn items(all: &[(&str, i32)]) -> Items {
    let mut items = Items::default();
    items.items.mark_loaded();
    for (name, value) in all {
        items.items.insert(Item { name: (*name).into(), value: *value });
    }
    items
}

/// Columns without a unique key, each with texts that it takes for the same.
fn columns(kind: Kind) -> &'static [(&'static str, &'static str, &'static str)] {
    match kind {
        Kind::Sqlite => &[("TEXT COLLATE NOCASE", "a", "A"), ("TEXT COLLATE RTRIM", "a", "a ")],
        Kind::Postgres => &[("citext", "a", "A"), ("text COLLATE folded", "a", "ä"), ("numeric", "1.0", "1.00")],
        Kind::MariaDb => &[
            ("VARCHAR(20) COLLATE utf8mb4_general_ci", "a", "A"),
            ("VARCHAR(20) COLLATE utf8mb4_bin", "a", "a "),
            ("VARCHAR(20) CHARACTER SET latin1", "ä", "Ä"),
            ("CHAR(20) COLLATE utf8mb4_unicode_ci", "a", "ä"),
        ],
    }
}

/// Each of these columns in a database of its own, with a row for each of its texts and one more.
fn on_each_column<F: Future<Output = ()>>(test: impl Fn(System, &'static str, &'static str) -> F) {
    on_each(|system| {
        let test = &test;
        async move {
            for (column, one, other) in columns(system.kind) {
                let system = System::new(system.kind).await;
                if system.kind == Kind::Postgres {
                    let sql = "CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA pg_catalog;
                        CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false)";
                    system.run(sql).await;
                }
                system.run(&format!("CREATE TABLE items (name {column}, value INTEGER)")).await;
                let rows = format!("INSERT INTO items VALUES ('{one}', 1), ('{other}', 2), ('7', 3)");
                system.run(&rows).await;
                test(system, one, other).await;
            }
        }
    });
}

async fn stored(system: &System) -> Vec<String> {
    let text = if system.kind == Kind::MariaDb { "CHAR" } else { "TEXT" };
    let shown = match system.kind {
        Kind::MariaDb => "CONCAT(name, '=', value)".to_owned(),
        _ => format!("CAST(name AS {text}) || '=' || CAST(value AS {text})"),
    };
    let mut stored = system.texts(&format!("SELECT {shown} FROM items")).await;
    stored.sort();
    stored
}

#[test]
fn rows_that_a_column_takes_for_the_same_keep_their_own_values() {
    on_each_column(|system, one, other| async move {
        let report = pushed(items(&[(one, 10), (other, 20), ("7", 30)]), Sql::open(&system.url).unwrap()).await;
        let mut expected = [format!("{one}=10"), format!("{other}=20"), "7=30".to_owned()];
        expected.sort();
        assert_eq!(stored(&system).await, expected, "{:?}", reasons(&report));
        assert_done(&report);

        // One of them alone.
        assert_done(&pushed(items(&[(one, 11), (other, 20), ("7", 30)]), Sql::open(&system.url).unwrap()).await);
        expected = [format!("{one}=11"), format!("{other}=20"), "7=30".to_owned()];
        expected.sort();
        assert_eq!(stored(&system).await, expected);
    });
}

#[test]
fn a_row_that_a_column_takes_for_a_deleted_one_stays() {
    on_each_column(|system, one, other| async move {
        // The row of the third has vanished, so that the count of a batch would be right.
        let gone = "DELETE FROM items WHERE name = '7'";
        let target = Sql::open(&system.url).unwrap();
        let report = pushed_behind(&system, items(&[(one, 1)]), target, gone).await;
        let all = reasons(&report);
        assert_eq!(stored(&system).await, [format!("{one}=1")], "{other}: {all:?}");
        assert_eq!((report.counts.deleted, report.counts.failed), (1, 1), "{all:?}");
    });
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "halls")]
struct Hall {
    #[sync(id)]
    name: String,
    #[sync(local)]
    #[sql(key)]
    id: Option<i64>,
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "racks")]
struct Rack {
    #[sync(id)]
    name: String,
    #[sync(references = Hall)]
    #[sql(lookup = "hall_id -> halls(name)")]
    hall: Option<String>,
}

#[derive(Dataset, Default)]
struct Halls {
    halls: Table<Hall>,
    racks: Table<Rack>,
}

#[test]
fn rows_of_a_link_that_were_added_since_the_load_do_not_go_with_a_record() {
    on_each(|system| async move {
        for (action, what) in
            [("CASCADE", "delete 2 rows of `racks`"), ("SET NULL", "empty `hall_id` in 2 rows of `racks`")]
        {
            let system = System::new(system.kind).await;
            for sql in [
                "CREATE TABLE [halls] ([id] SERIAL, [name] KEYTEXT UNIQUE)",
                &format!(
                    "CREATE TABLE [racks] ([name] KEYTEXT, [hall_id] BIGINT,
                     FOREIGN KEY ([hall_id]) REFERENCES [halls] ([id]) ON DELETE {action})"
                ),
                "INSERT INTO [halls] ([id], [name]) VALUES (1, 'ams'), (2, 'fra'), (3, 'ber')",
                "INSERT INTO [racks] ([name], [hall_id]) VALUES ('r1', 2), ('r2', 3)",
            ] {
                system.run(&system.words(sql)).await;
            }
            let mut wanted = Halls::default();
            wanted.halls.mark_loaded();
            wanted.racks.mark_loaded();
            wanted.halls.insert(Hall { name: "ams".into(), id: None });
            let added = "INSERT INTO [racks] ([name], [hall_id]) VALUES ('r8', 2), ('r9', 2)";
            let report = pushed_behind(&system, wanted, Sql::open(&system.url).unwrap(), added).await;
            let failed = reasons(&report);
            let halls = "SELECT h.name FROM racks r JOIN halls h ON h.id = r.hall_id";
            assert_eq!(system.texts(halls).await, ["fra", "fra"], "{action}: {failed:?}");
            assert_eq!(failed.len(), 1, "{failed:?}");
            assert!(failed[0].1.contains(what), "{failed:?}");
            // What was planned has gone, and so has the record under which nothing was added.
            assert_eq!(system.texts("SELECT name FROM halls ORDER BY name").await, ["ams", "fra"]);
        }
    });
}

#[test]
fn a_unique_key_that_replaces_rows_deletes_none_where_there_are_triggers() {
    on_each(|system| async move {
        if system.kind != Kind::Sqlite {
            return;
        }
        let definition = "
            CREATE TABLE log (text TEXT);
            CREATE TABLE vlans (number INTEGER PRIMARY KEY, name TEXT UNIQUE ON CONFLICT REPLACE, note TEXT);
            CREATE TRIGGER seen AFTER INSERT ON vlans BEGIN INSERT INTO log VALUES (NEW.name); END";
        system.run(definition).await;
        let sql = || Sql::open(&system.url).unwrap();
        assert_done(&pushed(vlans(0..3), sql()).await);

        // A new row with the value of another, in a batch with one that is free.
        let mut wanted = vlans([0, 1, 2, 5]);
        wanted.vlans.insert(Vlan { name: "vlan 1".into(), ..vlan(9) });
        let report = pushed(wanted, sql()).await;
        assert_eq!((report.counts.unchanged, report.counts.created, report.counts.failed), (3, 1, 1));
        assert!(reasons(&report)[0].1.contains("\"1\" has the same `name`"), "{:?}", reasons(&report));
        let names = "SELECT name FROM vlans ORDER BY number";
        assert_eq!(system.texts(names).await, ["vlan 0", "vlan 1", "vlan 2", "vlan 5"]);

        // A change to the value of another.
        let mut wanted = vlans([0, 1, 2]);
        wanted.vlans.insert(Vlan { name: "vlan 1".into(), ..vlan(5) });
        let report = pushed(wanted, sql()).await;
        assert_eq!((report.counts.unchanged, report.counts.failed), (3, 1), "{:?}", reasons(&report));
        assert_eq!(system.texts(names).await, ["vlan 0", "vlan 1", "vlan 2", "vlan 5"]);
    });
}

//! All names are quoted, and all values are bound.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::data::Side;
use diffsync_core::{Dataset, SyncModel, Table};

use super::systems::{assert_done, loaded, on_each, pushed, reasons, records};

/// Every name is a word of the language, or worse.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "order")]
struct Order {
    #[sync(id)]
    #[sql(column = "select")]
    number: String,
    #[sql(column = "it's a \"group\" `by`; DROP TABLE \"order\"; --")]
    text: String,
    r#where: i32,
    #[sync(local)]
    #[sql(key, column = "primary")]
    key: Option<i64>,
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "table")]
struct Line {
    #[sync(id, references = Order)]
    #[sql(lookup = "from -> order(select)")]
    order: String,
    #[sync(id)]
    #[sql(column = "Größe")]
    size: i16,
}

#[derive(Dataset, Default)]
struct Orders {
    orders: Table<Order>,
    lines: Table<Line>,
}

const TEXTS: [&str; 9] = [
    "plain",
    "'; DROP TABLE \"order\"; --",
    "\") OR 1 = 1 --",
    "back\\slash \\N \\. \\x00",
    "tab\tline\nreturn\r",
    "ünïcode 漢字 🚀",
    "%s ? $1 :name ?1",
    "",
    " spaces around ",
];

fn orders(text: impl Fn(usize) -> String) -> Orders {
    let mut orders = Orders::default();
    for (at, number) in TEXTS.iter().enumerate() {
        orders.orders.insert(Order { number: (*number).into(), text: text(at), r#where: -1, key: None });
        orders.lines.insert(Line { order: (*number).into(), size: i16::try_from(at).unwrap() });
    }
    orders
}

#[test]
fn words_of_the_language_are_names_and_statements_are_values() {
    on_each(|system| async move {
        assert_done(&pushed(orders(|at| TEXTS[at].into()), system.sql()).await);
        // Updates and lookups by the same values.
        assert_done(&pushed(orders(|at| TEXTS[(at + 1) % TEXTS.len()].into()), system.sql()).await);
        let found: Orders = loaded(&system.sql(), Side::Target).await.unwrap();
        let orders: Vec<&Order> = records(&found);
        assert_eq!(orders.len(), TEXTS.len());
        for order in orders {
            let at = TEXTS.iter().position(|text| *text == order.number).unwrap();
            assert_eq!(order.text, TEXTS[(at + 1) % TEXTS.len()]);
            assert_eq!(order.r#where, -1);
        }
        assert_eq!(records::<_, Line>(&found).len(), TEXTS.len());
        let mut none = Orders::default();
        none.orders.mark_loaded();
        none.lines.mark_loaded();
        none.orders.insert(Order { number: "plain".into(), text: TEXTS[1].into(), r#where: -1, key: None });
        assert_done(&pushed(none, system.sql()).await);
        let found: Orders = loaded(&system.sql(), Side::Target).await.unwrap();
        assert_eq!((records::<_, Order>(&found).len(), records::<_, Line>(&found).len()), (1, 0));
    });
}

/// In a schema of its own.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "else where.the sites")]
struct Elsewhere {
    #[sync(id)]
    name: String,
    #[sync(local)]
    #[sql(key)]
    id: Option<i64>,
}

#[derive(Dataset, Default)]
struct Elsewheres {
    sites: Table<Elsewhere>,
}

#[test]
fn a_table_may_be_in_another_schema() {
    on_each(|system| async move {
        match system.kind {
            // One file is one schema.
            super::systems::Kind::Sqlite => return,
            _ => system.run(&system.words("DROP SCHEMA IF EXISTS [else where]")).await,
        }
        system.run(&system.words("CREATE SCHEMA [else where]")).await;
        let wanted = || Elsewheres { sites: (0..5).map(|n| Elsewhere { name: format!("s{n}"), id: None }).collect() };
        assert_done(&pushed(wanted(), system.sql()).await);
        let found: Elsewheres = loaded(&system.sql(), Side::Target).await.unwrap();
        assert_eq!(records::<_, Elsewhere>(&found).len(), 5);
        let report = pushed(wanted(), system.sql()).await;
        assert_eq!((report.counts.unchanged, report.counts.written()), (5, 0));
    });
}

/// A table whose name a statement might use for something else.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "v")]
struct Version {
    #[sync(id)]
    name: String,
    tag: String,
    #[sync(parent = Self)]
    #[sql(lookup = "above_id -> v(name)")]
    above: Option<String>,
    #[sync(local)]
    #[sql(key)]
    id: Option<i64>,
}

#[derive(Dataset, Default)]
struct Versions {
    versions: Table<Version>,
}

#[test]
fn a_table_may_be_called_v() {
    on_each(|system| async move {
        let definition = "CREATE TABLE [v] ([id] SERIAL, [name] KEYTEXT, [tag] VARCHAR(10) NOT NULL UNIQUE, \
                          [above_id] INTEGER)";
        system.run(&system.words(definition)).await;
        let versions = |rows: &[(&str, &str, Option<&str>)]| {
            let version = |(name, tag, above): &(&str, &str, Option<&str>)| Version {
                name: (*name).into(),
                tag: (*tag).into(),
                above: above.map(Into::into),
                id: None,
            };
            Versions { versions: rows.iter().map(version).collect() }
        };
        let sql = || Sql::open(&system.url).unwrap();
        assert_done(&pushed(versions(&[("a", "1", None), ("b", "2", Some("a")), ("c", "3", Some("a"))]), sql()).await);
        assert_done(&pushed(versions(&[("a", "1", None), ("b", "3", Some("a")), ("c", "2", Some("a"))]), sql()).await);

        // The record that has the value is found, and not deleted; the other is.
        let report = pushed(versions(&[("a", "1", None), ("d", "2", Some("a"))]), sql()).await;
        let failed = reasons(&report);
        let (_, reason) = failed.iter().find(|(record, _)| record.ends_with('d')).unwrap();
        assert!(reason.contains("has the same `tag`"), "{reason}");
        let left = system.texts(&system.words("SELECT [name] FROM [v] ORDER BY [name]")).await;
        assert_eq!(left, ["a", "c"], "{failed:?}");
    });
}

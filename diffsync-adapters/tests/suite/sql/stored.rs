//! A run reports records as the database has stored them.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{Sql, TransactionScope};
use diffsync_core::data::{ProblemKind, Side};
use diffsync_core::report::RunReport;
use diffsync_core::{Dataset, SyncModel, Table};

use super::systems::{Kind, System, assert_done, loaded, on_each, pushed, reasons, records};
use super::world::{Vlan, Vlans, vlan, vlans};

/// Values that columns of other types than ours need not hold as they are.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "prices")]
struct Price {
    #[sync(id)]
    name: String,
    amount: String,
    ratio: f64,
    at: Option<String>,
}

#[derive(Dataset, Default)]
struct Prices {
    prices: Table<Price>,
}

/// The attributes that were stored with other values, by record.
fn altered(report: &RunReport) -> Vec<(String, String)> {
    let altered = report.problems().iter().filter_map(|problem| match &problem.kind {
        ProblemKind::StoredOtherwise { attributes } => Some((problem.record.clone(), attributes.join(" "))),
        _ => None,
    });
    altered.collect()
}

async fn make_prices(system: &System) {
    let (float, time) = match system.kind {
        Kind::Sqlite => ("REAL", "DATETIME"),
        Kind::Postgres => ("REAL", "TIMESTAMP(0)"),
        Kind::MariaDb => ("FLOAT", "DATETIME"),
    };
    let definition = format!(
        "CREATE TABLE [prices] ([name] KEYTEXT PRIMARY KEY, [amount] DECIMAL(10, 2), [ratio] {float}, [at] {time})"
    );
    system.run(&system.words(&definition)).await;
}

#[test]
fn a_value_that_its_column_rounds_is_said_to_be_stored_otherwise() {
    on_each(|system| async move {
        make_prices(&system).await;
        // SQLite makes a number of the first, and keeps the others.
        let is_lite = system.kind == Kind::Sqlite;
        let rounded = |name: &str, cents: u8| Price {
            name: name.into(),
            amount: format!("{cents}.{}", if is_lite { "340" } else { "345" }),
            ratio: 0.1,
            at: Some(format!("2024-01-{cents} 10:00:00.7")),
        };
        let exact = |name: &str, cents: u8| Price {
            name: name.into(),
            amount: format!("{cents}.25"),
            ratio: 0.5,
            at: Some(format!("2024-01-{cents} 10:00:00")),
        };
        for transaction in [TransactionScope::PerBatch, TransactionScope::PerRun] {
            let sql = || Sql::open(&system.url).unwrap().transaction_scope(transaction);
            for (cents, is_new) in [(12, true), (13, false)] {
                let wanted = || Prices { prices: [rounded("a", cents), exact("b", cents)].into_iter().collect() };
                let report = pushed(wanted(), sql()).await;
                assert_eq!(
                    if is_new { report.counts.created } else { report.counts.updated },
                    2,
                    "{:?}",
                    reasons(&report)
                );
                let attributes = if is_lite { "amount" } else { "amount ratio at" };
                assert_eq!(altered(&report), [("a".to_owned(), attributes.to_owned())], "{:?}", system.kind);
                assert_eq!(report.status.to_string(), "partial");

                // The next run finds the reported values.
                let report = pushed(wanted(), sql()).await;
                assert_eq!((report.counts.updated, report.counts.unchanged), (1, 1));
                assert_eq!(altered(&report), [("a".to_owned(), attributes.to_owned())]);
            }
            assert_done(&pushed(Prices { prices: [exact("c", 14)].into_iter().collect() }, sql()).await);
            system.run(&system.words("DELETE FROM [prices]")).await;
        }
    });
}

/// A trigger on `vlans` that makes this of a row before it is stored; in `SQLite` afterwards, since it cannot before.
async fn make_trigger(system: &System, event: &str, assigned: &str) {
    let sql = match system.kind {
        Kind::Sqlite => format!(
            "CREATE TRIGGER changes_{event} AFTER {event} ON vlans BEGIN UPDATE vlans SET {} WHERE rowid = NEW.rowid; END",
            assigned.replace("NEW.", "")
        ),
        Kind::Postgres => format!(
            "CREATE FUNCTION changes_{event}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.{assigned}; RETURN NEW; END $$;
             CREATE TRIGGER changes_{event} BEFORE {event} ON vlans FOR EACH ROW EXECUTE FUNCTION changes_{event}()"
        ),
        Kind::MariaDb => {
            format!("CREATE TRIGGER changes_{event} BEFORE {event} ON vlans FOR EACH ROW SET NEW.{assigned}")
        }
    };
    system.run(&sql).await;
}

async fn make_vlans(system: &System) {
    let definition = "CREATE TABLE [vlans] ([number] INTEGER, [name] KEYTEXT, [note] KEYTEXT)";
    system.run(&system.words(definition)).await;
}

#[test]
fn what_a_trigger_makes_of_a_value_is_said_to_be_stored_otherwise() {
    on_each(|system| async move {
        make_vlans(&system).await;
        make_trigger(&system, "INSERT", "note = trim(NEW.note)").await;
        make_trigger(&system, "UPDATE", "note = trim(NEW.note)").await;
        let sql = || Sql::open(&system.url).unwrap();
        for (round, note) in ["  first", " second "].into_iter().enumerate() {
            let wanted = || Vlans {
                vlans: (0..5)
                    .map(|n| Vlan { note: (n == 3).then(|| note.into()), name: format!("{round}"), ..vlan(n) })
                    .collect(),
            };
            let report = pushed(wanted(), sql()).await;
            assert_eq!(report.counts.written(), 5, "{:?}", reasons(&report));
            assert_eq!(altered(&report), [("3".to_owned(), "note".to_owned())], "{:?}", system.kind);
        }
        assert_done(&pushed(vlans(3..8), sql()).await);
    });
}

#[test]
fn what_a_trigger_does_after_a_row_was_stored_is_seen() {
    on_each(|system| async move {
        // MariaDB refuses a trigger that changes the table whose trigger it is.
        if system.kind != Kind::Postgres {
            return;
        }
        make_vlans(&system).await;
        system
            .run(
                "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 UPDATE vlans SET name = upper(name) WHERE number = NEW.number AND name <> upper(name); RETURN NULL; END $$;
                 CREATE TRIGGER shouts AFTER INSERT OR UPDATE ON vlans FOR EACH ROW EXECUTE FUNCTION shout()",
            )
            .await;
        let report = pushed(vlans(1..2), Sql::open(&system.url).unwrap()).await;
        assert_eq!(altered(&report), [("1".to_owned(), "name".to_owned())]);
    });
}

#[test]
fn a_row_that_a_trigger_swallows_is_a_failure_of_its_record() {
    on_each(|system| async move {
        make_vlans(&system).await;
        match system.kind {
            Kind::Sqlite => {
                for event in ["INSERT", "UPDATE"] {
                    let sql = format!(
                        "CREATE TRIGGER swallows_{event} BEFORE {event} ON vlans WHEN NEW.name = 'no' BEGIN SELECT raise(IGNORE); END"
                    );
                    system.run(&sql).await;
                }
            }
            Kind::Postgres => {
                system
                    .run(
                        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
                         CREATE TRIGGER swallows BEFORE INSERT OR UPDATE ON vlans FOR EACH ROW WHEN (NEW.name = 'no')
                         EXECUTE FUNCTION swallow()",
                    )
                    .await;
            }
            // Its triggers refuse a row or store it.
            Kind::MariaDb => return,
        }
        let sql = || Sql::open(&system.url).unwrap();
        let mut wanted = vlans(0..20);
        wanted.vlans.insert(Vlan { name: "no".into(), ..vlan(30) });
        let report = pushed(wanted, sql()).await;
        assert_eq!((report.counts.created, report.counts.failed), (20, 1), "{:?}", reasons(&report));
        let (record, reason) = reasons(&report).remove(0);
        assert!(record == "30" && reason.contains("dropped it"), "{record}: {reason}");

        let mut wanted = vlans(0..20);
        wanted.vlans = wanted
            .vlans
            .iter()
            .map(|vlan| Vlan { name: if vlan.number == 7 { "no" } else { "yes" }.into(), ..vlan.clone() })
            .collect();
        let report = pushed(wanted, sql()).await;
        assert_eq!((report.counts.updated, report.counts.failed), (19, 1), "{:?}", reasons(&report));
        assert_eq!(reasons(&report)[0].0, "7");
    });
}

/// A name that the database may write in another way.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "vlans")]
struct Named {
    #[sync(id)]
    name: String,
    note: Option<String>,
}

#[derive(Dataset, Default)]
struct AllNamed {
    all: Table<Named>,
}

#[test]
fn a_record_whose_identifier_a_trigger_changes_is_not_left_in_the_table() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([name] KEYTEXT PRIMARY KEY, [note] KEYTEXT)")).await;
        make_trigger(&system, "INSERT", "name = lower(NEW.name)").await;
        let names = ["a", "B", "c"].map(|name| Named { name: name.into(), note: None });
        let report = pushed(AllNamed { all: names.into_iter().collect() }, Sql::open(&system.url).unwrap()).await;
        assert_eq!((report.counts.created, report.counts.failed), (2, 1), "{:?}", reasons(&report));
        assert_eq!(reasons(&report)[0].0, "B");
        let found: AllNamed = loaded(&Sql::open(&system.url).unwrap(), Side::Target).await.unwrap();
        let names: Vec<&str> = records::<_, Named>(&found).iter().map(|named| named.name.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
    });
}

#[test]
fn a_unique_key_that_replaces_rows_does_not_delete_the_one_that_has_the_value() {
    on_each(|system| async move {
        if system.kind != Kind::Sqlite {
            return;
        }
        let definition =
            "CREATE TABLE vlans (number INTEGER PRIMARY KEY, name TEXT UNIQUE ON CONFLICT REPLACE, note TEXT)";
        system.run(definition).await;
        let sql = || Sql::open(&system.url).unwrap();
        assert_done(&pushed(vlans(0..3), sql()).await);
        let mut wanted = vlans(0..3);
        wanted.vlans.insert(Vlan { name: "vlan 1".into(), ..vlan(9) });
        let report = pushed(wanted, sql()).await;
        assert_eq!((report.counts.unchanged, report.counts.failed), (3, 1));
        assert_eq!(system.texts("SELECT name FROM vlans ORDER BY number").await, ["vlan 0", "vlan 1", "vlan 2"]);
    });
}

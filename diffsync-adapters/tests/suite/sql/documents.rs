//! A JSON document in a column keeps the keys that the type of its field does not know.

use std::collections::HashSet;

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{Sql, TransactionScope};
use diffsync_core::plan_file::PlanKey;
use diffsync_core::{Dataset, SyncModel, Table};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::systems::{Kind, System, assert_done, on_each, pushed, pushed_behind, pushed_with, reasons};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Loc {
    city: String,
    zip: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Nic {
    mac: String,
    speed: u32,
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "devices")]
struct Device {
    #[sync(id)]
    name: String,
    #[sql(as = json)]
    loc: Option<Loc>,
    #[sql(as = json)]
    nics: Vec<Nic>,
    note: Option<String>,
}

#[derive(Dataset, Default)]
struct Devices {
    devices: Table<Device>,
}

#[allow(clippy::unnecessary_wraps, reason = "as the field has it")]
fn loc(city: &str) -> Option<Loc> {
    Some(Loc { city: city.into(), zip: "1".into() })
}

fn nic(mac: &str, speed: u32) -> Nic {
    Nic { mac: mac.into(), speed }
}

fn device(name: &str, city: &str, nics: &[Nic]) -> Device {
    Device { name: name.into(), loc: loc(city), nics: nics.to_vec(), note: None }
}

/// A table with a column of each type that holds JSON, and two devices.
async fn make(system: &System) {
    let (binary, plain) = match system.kind {
        Kind::Sqlite => ("TEXT", "TEXT"),
        Kind::Postgres => ("JSONB", "JSON"),
        Kind::MariaDb => ("JSON", "JSON"),
    };
    let nics = json!([{"mac": "aa", "vendor": "x", "speed": 1}, {"mac": "bb", "speed": 2, "vendor": "y"}]);
    let row = |name: &str| {
        format!(
            "('{name}', '{{\"city\": \"ams\", \"floor\": {{\"level\": 123456789012345678901234}}, \"zip\": \"1\"}}', \
             '{nics}', NULL)"
        )
    };
    system.run("DROP TABLE IF EXISTS devices").await;
    let definition =
        format!("CREATE TABLE devices (name KEYTEXT PRIMARY KEY, loc {binary}, nics {plain} NOT NULL, note KEYTEXT)");
    system.run(&system.words(&definition)).await;
    system.run(&format!("INSERT INTO devices VALUES {}, {}", row("a"), row("b"))).await;
}

/// The values of a column, device by device.
async fn stored(system: &System, column: &str) -> Vec<String> {
    system.texts(&format!("SELECT CAST({column} AS CHAR(400)) FROM devices ORDER BY name")).await
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_document_that_changes_keeps_keys_that_the_struct_does_not_know() {
    on_each(|system| async move {
        for transaction in [TransactionScope::PerBatch, TransactionScope::PerRun] {
            make(&system).await;
            let nics = [nic("bb", 2), nic("aa", 10), nic("cc", 7)];
            let wanted = || Devices {
                devices: [device("a", "fra", &nics), device("b", "ams", &nics[..1])].into_iter().collect(),
            };
            let sql = || Sql::open(&system.url).unwrap().transaction_scope(transaction);
            let report = pushed(wanted(), sql()).await;
            assert_done(&report);
            assert_eq!(report.counts.updated, 2);

            // The digits of unknown values stay, too.
            for (text, city) in stored(&system, "loc").await.iter().zip(["fra", "ams"]) {
                assert!(text.contains("123456789012345678901234"), "{text}");
                assert_eq!((&parsed(text)["city"], &parsed(text)["zip"]), (&json!(city), &json!("1")), "{text}");
            }
            let nics: Vec<Value> = stored(&system, "nics").await.iter().map(|text| parsed(text)).collect();
            let [aa, bb] =
                [json!({"mac": "aa", "vendor": "x", "speed": 10}), json!({"mac": "bb", "speed": 2, "vendor": "y"})];
            assert_eq!(nics, [json!([bb, aa, {"mac": "cc", "speed": 7}]), json!([bb])]);
            assert_eq!(pushed(wanted(), sql()).await.counts.unchanged, 2);
        }
    });
}

#[test]
fn a_document_that_becomes_nothing_or_something_is_written_as_it_is() {
    on_each(|system| async move {
        make(&system).await;
        let sql = || Sql::open(&system.url).unwrap();
        let wanted = |loc: Option<Loc>| {
            let devices = ["a", "b"].map(|name| Device { loc: loc.clone(), ..device(name, "", &[]) });
            Devices { devices: devices.into_iter().collect() }
        };
        assert_done(&pushed(wanted(None), sql()).await);
        assert_eq!(system.texts("SELECT name FROM devices WHERE loc IS NULL ORDER BY name").await, ["a", "b"]);
        assert_eq!(stored(&system, "nics").await.iter().map(|text| text.trim()).collect::<Vec<_>>(), ["[]", "[]"]);
        assert_done(&pushed(wanted(loc("fra")), sql()).await);
        for text in stored(&system, "loc").await {
            assert_eq!(parsed(&text), json!({"city": "fra", "zip": "1"}));
        }
    });
}

#[test]
fn a_key_that_another_program_adds_during_the_run_stays() {
    on_each(|system| async move {
        make(&system).await;
        let nics = [nic("aa", 1), nic("bb", 2)];
        let wanted = Devices { devices: [device("a", "fra", &nics), device("b", "ams", &nics)].into_iter().collect() };
        let sql = r#"UPDATE devices SET loc = '{"zip": "1", "city": "ams", "room": 4}' WHERE name = 'a'"#;
        let report = pushed_behind(&system, wanted, Sql::open(&system.url).unwrap(), sql).await;
        assert_done(&report);
        let now = stored(&system, "loc").await;
        assert_eq!(parsed(&now[0]), json!({"city": "fra", "zip": "1", "room": 4}));
    });
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "devices")]
struct Ports {
    #[sync(id)]
    name: String,
    #[sql(as = json)]
    nics: HashSet<Nic>,
}

#[derive(Dataset, Default)]
struct AllPorts {
    ports: Table<Ports>,
}

#[test]
fn unknown_keys_in_a_set_in_another_order_fail_their_record_alone() {
    on_each(|system| async move {
        make(&system).await;
        let swapped = r#"UPDATE devices SET nics = '[{"mac": "bb", "speed": 2}, {"mac": "aa", "vendor": "x", "speed": 1}]'
                         WHERE name = 'b'"#;
        system.run(swapped).await;
        let ports = |name: &str| Ports { name: name.into(), nics: [nic("aa", 1)].into() };
        let wanted = AllPorts { ports: [ports("a"), ports("b")].into_iter().collect() };
        let report = pushed(wanted, Sql::open(&system.url).unwrap()).await;
        let reason = "`nics` of `devices` holds a list with keys that the model does not know, and it is unclear which \
                      items of it change; change it by hand";
        assert_eq!(reasons(&report), [("b".to_owned(), reason.to_owned())]);
        let nics: Vec<Value> = stored(&system, "nics").await.iter().map(|text| parsed(text)).collect();
        let aa = json!({"mac": "aa", "vendor": "x", "speed": 1});
        assert_eq!(nics, [json!([aa]), json!([{"mac": "bb", "speed": 2}, aa])]);
    });
}

#[test]
fn an_undo_plan_names_the_columns_that_the_model_does_not_know() {
    on_each(|system| async move {
        make(&system).await;
        let wanted = AllPorts { ports: [Ports { name: "c".into(), nics: HashSet::new() }].into_iter().collect() };
        let key = PlanKey::new(b"0123456789abcdef").unwrap();
        let report = pushed_with(wanted, Sql::open(&system.url).unwrap(), |options| options.undo = Some(key)).await;
        assert_done(&report);
        let lost: Vec<_> = report.undo.unwrap().unrestorable.iter().map(ToString::to_string).collect();
        let expected = "ports: records that are created again lose `loc`, `note`, which the model does not know";
        assert_eq!(lost, [expected]);
    });
}

//! Objects within a record keep the keys that their structs do not know.

use std::sync::{Arc, Mutex};

use diffsync_adapters::RestModel;
use diffsync_adapters::rest::{Dialect, Rest};
use diffsync_core::job::JobSpec;
use diffsync_core::report::RunReport;
use diffsync_core::run::RunOptions;
use diffsync_core::{Dataset, Run, SyncModel, Table, job};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mini::{Held, Mini};
use super::runs::{Given, Handed};
use super::wire::{Reply, Wire, json as answer};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Loc {
    city: String,
    zip: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Nic {
    mac: String,
    speed: u32,
}

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "sites")]
struct Site {
    #[sync(id)]
    name: String,
    note: String,
    loc: Loc,
    nics: Vec<Nic>,
    #[sync(local)]
    #[rest(key)]
    id: Option<u64>,
}

#[derive(Dataset, Default)]
struct Sites {
    sites: Table<Site>,
}

#[job(source = Given<Sites>, target = Rest<Sites>)]
struct ToApi {
    sites: Handed<Sites>,
    api: Handed<Rest<Sites>>,
}

opens!(ToApi: Given<Sites> = |job| Given(Handed::new(job.sites.take())), Rest<Sites> = |job| job.api.take());

/// Counts the requests for one record, and replaces the whole record on a `PUT`.
fn counting(held: &mut Held, method: &str, path: &str, body: &Value) -> Option<Reply> {
    let key = path.strip_prefix("sites/")?;
    match method {
        "GET" => {
            held.polls += 1;
            None
        }
        "PUT" => {
            let row = held.rows.get_mut("sites")?.iter_mut().find(|row| row["id"].as_u64() == key.parse().ok())?;
            let id = row["id"].clone();
            *row = body.clone();
            row["id"] = id;
            Some(answer(&row.to_string()))
        }
        _ => None,
    }
}

/// A server with one site, whose objects hold more than the model knows.
async fn start() -> (Wire, Arc<Mutex<Held>>) {
    let (wire, held) = Mini { instead: counting, ..Mini::default() }.start().await;
    let nics = json!([{"mac": "aa", "speed": 1, "vendor": "x"}, {"mac": "bb", "vendor": "y", "speed": 2}]);
    let loc = json!({"city": "ams", "floor": {"level": 3, "ratio": 0.1}, "zip": "1"});
    held.lock().unwrap().add("sites", json!({"name": "a", "note": "", "loc": loc, "nics": nics}));
    (wire, held)
}

fn site(note: &str, city: &str, nics: &[(&str, u32)]) -> Site {
    let nics = nics.iter().map(|(mac, speed)| Nic { mac: (*mac).into(), speed: *speed }).collect();
    let loc = Loc { city: city.into(), zip: "1".into() };
    Site { name: "a".into(), note: note.into(), loc, nics, id: None }
}

async fn run(site: Site, wire: &Wire, dialect: Dialect) -> RunReport {
    let sites = Sites { sites: [site].into_iter().collect() };
    let job = ToApi { sites: Handed::new(sites), api: Handed::new(Rest::new(wire.client(), dialect)) };
    Run::execute(Arc::new(job), RunOptions::new(&ToApi::INFO).apply(), Vec::new()).await
}

fn assert_done(report: &RunReport) {
    let failures: Vec<_> = report.failures().take(3).collect();
    assert_eq!(report.status.to_string(), "completed", "{:?} {failures:?}", report.error_text());
}

/// The server's row, and the number of requests for it.
fn row(held: &Mutex<Held>) -> (Value, usize) {
    let held = held.lock().unwrap();
    (held.rows["sites"][0].clone(), held.polls)
}

const NICS: [(&str, u32); 2] = [("aa", 1), ("bb", 2)];

#[tokio::test]
async fn a_nested_object_that_changes_keeps_keys_that_the_struct_does_not_know() {
    let (wire, held) = start().await;
    let wanted = || site("", "fra", &[("bb", 2), ("aa", 10), ("cc", 7)]);
    assert_done(&run(wanted(), &wire, Dialect::default()).await);
    let (row, asked) = row(&held);
    assert_eq!(row["loc"], json!({"city": "fra", "floor": {"level": 3, "ratio": 0.1}, "zip": "1"}));
    let nics = json!([
        {"mac": "bb", "vendor": "y", "speed": 2},
        {"mac": "aa", "speed": 10, "vendor": "x"},
        {"mac": "cc", "speed": 7}
    ]);
    assert_eq!((&row["nics"], asked), (&nics, 1));
    assert_eq!(run(wanted(), &wire, Dialect::default()).await.counts.unchanged, 1);
}

#[tokio::test]
async fn a_record_is_not_asked_for_where_no_object_changes_or_the_server_merges_them() {
    let (wire, held) = start().await;
    assert_done(&run(site("new", "ams", &NICS), &wire, Dialect::default()).await);
    assert_eq!(row(&held).1, 0);

    let mut merging = Dialect::default();
    merging.merge_patch = true;
    assert_done(&run(site("new", "fra", &NICS), &wire, merging).await);
    let (row, asked) = row(&held);
    // This server does not do what the dialect says.
    assert_eq!((&row["loc"], asked), (&json!({"city": "fra", "zip": "1"}), 0));
}

#[tokio::test]
async fn a_put_sends_objects_with_all_of_their_keys_also_if_they_do_not_change() {
    let (wire, held) = start().await;
    let mut replacing = Dialect::default();
    replacing.update_with_put = true;
    assert_done(&run(site("new", "ams", &NICS), &wire, replacing).await);
    let (row, _) = row(&held);
    assert_eq!(row["note"], "new");
    assert_eq!(row["loc"], json!({"city": "ams", "floor": {"level": 3, "ratio": 0.1}, "zip": "1"}));
    assert_eq!(row["nics"][1], json!({"mac": "bb", "vendor": "y", "speed": 2}));
}

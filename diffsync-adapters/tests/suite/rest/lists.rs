//! Lists of records, and what servers do with them.

use std::time::Duration;

use diffsync_adapters::rest::{Bulk, Dialect, Rest};
use diffsync_core::report::Status;
use serde_json::{Value, json};

use super::fake::{Fake, dialect};
use super::laws::Device;
use super::runs::{device, failures, in_bulk, inventory, rows, run};
use super::wire::{Wire, json as answer, reply};

const NAMES: [&str; 4] = ["d1", "d2", "d3", "d4"];

fn changed(name: &str) -> Device {
    Device { external: Some(1), ..device(name) }
}

fn key_of(row: &Value) -> Option<u64> {
    row["id"].as_u64()
}

#[tokio::test]
async fn a_row_at_which_the_server_breaks_fails_alone() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    run(inventory(&[], &NAMES.map(device)), in_bulk(client.clone(), 10)).await;
    fake.with(&name, |system| system.breaks_at = key_of(&rows(system, "devices")[2]));
    let report = run(inventory(&[], &NAMES.map(changed)), in_bulk(client.clone(), 10)).await;
    assert_eq!(report.counts.updated, 3, "{:?}", failures(&report));
    let failed = failures(&report);
    assert!(failed[0].starts_with("update device d3 failed") && failed[0].contains("500 Internal"), "{failed:?}");
    let report = run(inventory(&[], &[changed("d1")]), in_bulk(client, 10)).await;
    assert_eq!(report.counts.deleted, 2, "{:?}", failures(&report));
    assert!(failures(&report)[0].starts_with("delete device d3 failed"), "{:?}", failures(&report));
}

#[tokio::test]
async fn a_list_whose_lookups_may_not_be_read_ends_the_run_at_once() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    fake.lose("GET device-types", 403);
    let typed = |name| Device { manufacturer: Some("Cisco".into()), model: Some("M1".into()), ..device(name) };
    let report = run(inventory(&[], &NAMES.map(typed)), in_bulk(client, 10)).await;
    assert!(report.error_text().unwrap().contains("403 Forbidden"), "{:?}", failures(&report));
    fake.with(&name, |system| {
        assert_eq!(system.asked["GET device-types"], 1);
        assert!(rows(system, "devices").is_empty());
    });
}

/// An inventory's devices in lists, without pages.
fn plain(wire: &Wire) -> Rest<super::laws::Inventory> {
    let mut dialect = Dialect::default();
    dialect.bulk = Bulk::all(10);
    Rest::new(wire.client(), dialect)
}

#[tokio::test]
async fn what_was_created_is_created_though_its_answer_cannot_be_read() {
    let wire = Wire::answering(|_, request| match request {
        post if post.starts_with("POST") => {
            let row = |key, name| json!({"id": key, "name": name, "status": "active", "device_type": 7});
            // The first is sent alone.
            let is_first = post.contains("\"d1\"");
            answer(&if is_first { json!([row(1, "d1")]) } else { json!([row(2, "d2"), row(3, "d3")]) }.to_string())
        }
        get if get.contains("device-types") => reply(403, "", ""),
        _ => answer("[]"),
    });
    let wire = wire.await;
    let report = run(inventory(&[], &["d1", "d2", "d3"].map(device)), plain(&wire)).await;
    assert_eq!((report.status, report.counts.created), (Status::Completed, 3), "{:?}", failures(&report));
    assert_eq!(wire.lines().iter().filter(|line| line.contains("device-types")).count(), 1, "{:?}", wire.lines());
}

#[tokio::test]
async fn rows_of_an_answer_are_known_by_their_keys_however_those_are_written() {
    let wire = Wire::answering(|_, request| {
        let key = if request.starts_with("PATCH") { json!("7") } else { json!(7) };
        let external = u64::from(request.starts_with("PATCH"));
        let row = json!({"id": key, "name": "d1", "status": "active", "custom_fields": {"external_id": external}});
        answer(&if request.contains("/devices") { json!([row]) } else { json!([]) }.to_string())
    });
    let wire = wire.await;
    let report = run(inventory(&[], &[changed("d1")]), plain(&wire)).await;
    assert_eq!((report.status, report.counts.updated), (Status::Completed, 1), "{:?}", failures(&report));
}

#[tokio::test]
async fn a_list_that_is_answered_with_nothing_was_written() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    run(inventory(&[], &NAMES.map(device)), in_bulk(client.clone(), 10)).await;
    fake.with(&name, |system| system.is_terse = true);
    let report = run(inventory(&[], &NAMES.map(changed)), in_bulk(client, 10)).await;
    assert_eq!((report.status, report.counts.updated), (Status::Completed, 4), "{:?}", failures(&report));
}

#[tokio::test]
async fn what_a_server_only_says_it_deleted_has_failed_where_it_is_asked() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    // So many keys, and so long, that they do not go into one URL.
    let key = |at: u64| 10_000_000_000_000_000_000 + at;
    fake.with(&name, |system| {
        for at in 0..400 {
            system.add("devices", json!({"id": key(at), "name": format!("d{at}"), "status": {"value": "active"}}));
        }
        system.holds_on_to = Some(key(7));
    });
    let mut dialect = dialect();
    dialect.bulk = Bulk::all(400);
    dialect.confirm_deletes = true;
    let report = run(inventory(&[], &[device("d0")]), Rest::new(client, dialect)).await;
    assert_eq!(report.counts.deleted, 398);
    let expected =
        "delete device d7 failed: the server took the request to delete it, and still has it: may the login delete it?";
    assert_eq!(failures(&report), [expected]);
}

#[tokio::test]
async fn without_concurrency_one_record_is_written_after_the_other() {
    let fake = Fake::start().await;
    let (_, client) = fake.system();
    let mut dialect = dialect();
    dialect.bulk = Bulk { delete: true, size: 10, ..Bulk::default() };
    dialect.concurrency = 0;
    let running = run(inventory(&[], &NAMES.map(device)), Rest::new(client, dialect));
    let report = tokio::time::timeout(Duration::from_secs(20), running).await.unwrap();
    assert_eq!((report.status, report.counts.created), (Status::Completed, 4), "{:?}", failures(&report));
}

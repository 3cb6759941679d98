//! The stored record: its key and its form, from the answer or from a second read.

use diffsync_adapters::rest::{Bulk, Dialect};
use diffsync_core::report::Status;
use serde_json::{Value, json};

use super::{bulk, posts};
use crate::rest::mini::{Host, Mini, host, net, noted, run};
use crate::rest::runs::failures;
use crate::rest::wire::{Reply, json as answer, reply};

#[tokio::test]
async fn the_record_is_read_where_the_answer_holds_it() {
    let mini = Mini { told: |row| answer(&json!({"result": row}).to_string()), ..Mini::default() };
    for bulk in [Bulk::default(), Bulk::all(10)] {
        let (wire, held) = mini.clone().start().await;
        let mut dialect = Dialect::default();
        (dialect.record_pointer, dialect.bulk) = (Some("/result".to_owned()), bulk);
        let report = run(net(&["a", "b"].map(host), &["a"]), &wire, dialect).await;
        assert_eq!((report.status, report.counts.created), (Status::Completed, 3), "{:?}", failures(&report));
        let held = held.lock().unwrap();
        assert_eq!(held.rows["ports"][0]["host"], held.rows["hosts"][0]["id"]);
        assert_eq!(wire.lines().len(), 5, "nothing is asked for again, and the first host is sent alone");
    }
}

#[tokio::test]
async fn a_record_whose_answer_names_no_key_is_asked_for_so_that_its_children_can_be_written() {
    for (what, told) in [
        ("nothing", (|_| reply(201, "", "")) as fn(&Value) -> _),
        ("where it is", |row| reply(201, &format!("location: /base/api/hosts/{}\r\n", row["id"]), "")),
        ("a reference", |row| answer(&json!(format!("/base/api/hosts/{}", row["id"])).to_string())),
        ("a bare number", |_| answer("7")),
        ("a word", |_| answer(r#"{"status": "success", "message": "created"}"#)),
        ("a part of it", |row| {
            let mut row = row.clone();
            row.as_object_mut().unwrap().remove("id");
            answer(&row.to_string())
        }),
        ("the key of something else", |_| answer(r#"{"id": 7, "job": "create"}"#)),
    ] {
        for dialect in [Dialect::default(), bulk()] {
            let mini =
                Mini { told: if dialect.bulk.create { |_| reply(201, "", "") } else { told }, ..Mini::default() };
            let (wire, held) = mini.start().await;
            let report = run(net(&["a", "b"].map(host), &["a", "b"]), &wire, dialect).await;
            assert_eq!(
                (report.status, report.counts.created),
                (Status::Completed, 4),
                "{what}: {:?}",
                failures(&report)
            );
            let held = held.lock().unwrap();
            let (hosts, ports) = (&held.rows["hosts"], &held.rows["ports"]);
            assert_eq!((&ports[0]["host"], &ports[1]["host"]), (&hosts[0]["id"], &hosts[1]["id"]), "{what}");
            assert!(posts(&wire.lines(), "hosts") <= 2, "{what}");
        }
    }
}

#[tokio::test]
async fn a_record_that_the_server_says_it_created_and_does_not_have_is_unknown() {
    let mini = Mini { instead: |_, method, _, _| (method == "POST").then(|| reply(201, "", "")), ..Mini::default() };
    for dialect in [Dialect::default(), bulk()] {
        let (wire, _) = mini.clone().start().await;
        let report = run(net(&[host("a")], &["a"]), &wire, dialect).await;
        assert_eq!((report.status, report.counts.unknown), (Status::Partial, 1), "{:?}", failures(&report));
        assert!(failures(&report).iter().any(|text| text.contains("has no record with this identifier")));
        assert_eq!(posts(&wire.lines(), "hosts"), 1);
    }
}

#[tokio::test]
async fn the_record_is_what_the_server_answered() {
    fn upper(mut row: Value) -> Value {
        row["name"] = row["name"].as_str().unwrap().to_uppercase().into();
        row
    }
    let (wire, _) = Mini { stores: upper, ..Mini::default() }.start().await;
    let (_, notes) = noted(net(&[host("aa")], &[]), &wire, Dialect::default()).await;
    let stored = notes[0].as_ref().unwrap();
    assert_eq!((stored.name.as_str(), stored.id), ("AA", Some(101)));
    // In a list too, where the answer is in the order of the request.
    let (wire, held) = Mini { stores: upper, ..Mini::default() }.start().await;
    let report = run(net(&["aa", "bb"].map(host), &[]), &wire, bulk()).await;
    assert!(failures(&report).iter().all(|text| !text.contains(" unknown: ")), "{:?}", failures(&report));
    assert_eq!((posts(&wire.lines(), "hosts"), held.lock().unwrap().rows["hosts"].len()), (2, 2));
}

#[tokio::test]
async fn what_is_echoed_and_stored_otherwise_is_read_back_where_the_dialect_says_so() {
    fn stores(mut row: Value) -> Value {
        row["address"] = row["address"].as_str().unwrap().to_uppercase().into();
        row
    }
    // It echoes the address in small letters, as it was sent.
    fn told(row: &Value) -> Reply {
        let mut row = row.clone();
        row["address"] = row["address"].as_str().unwrap().to_lowercase().into();
        answer(&row.to_string())
    }
    let mini = Mini { stores, told, ..Mini::default() };
    for (reread_after_write, expected) in [(false, "ab"), (true, "AB")] {
        let (wire, _) = mini.clone().start().await;
        let mut dialect = Dialect::default();
        if reread_after_write {
            dialect.reread_after_write = |path, part| (path, part) == ("hosts", "address");
        }
        let wanted = Host { address: Some("ab".into()), ..host("a") };
        let (_, notes) = noted(net(&[wanted], &[]), &wire, dialect).await;
        assert_eq!(notes[0].as_ref().unwrap().address.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_number_in_free_json_is_the_same_however_it_is_written() {
    let (wire, held) = Mini::default().start().await;
    let row = json!({"name": "a", "address": "10.0.0.1", "vars": {"ttl": 3600.0, "list": [1.0]}});
    held.lock().unwrap().add("hosts", row);
    let wanted = Host { vars: Some(json!({"ttl": 3600, "list": [1]})), ..host("a") };
    let report = run(net(&[wanted], &[]), &wire, Dialect::default()).await;
    assert_eq!((report.counts.updated, report.counts.unchanged), (0, 1), "{:?}", failures(&report));
}

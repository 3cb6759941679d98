//! Answers to lists, with an outcome for each row or for some.

use serde_json::{Value, json};

use super::{bulk, posts};
use crate::rest::mini::{Held, Mini, host, net, run};
use crate::rest::runs::failures;
use crate::rest::wire::{Reply, json as answer, reply};

#[tokio::test]
async fn an_answer_with_a_status_for_each_row_is_read_row_by_row() {
    fn instead(held: &mut Held, method: &str, path: &str, body: &Value) -> Option<Reply> {
        let rows = body.as_array().filter(|_| method != "GET")?;
        let told: Vec<Value> = rows
            .iter()
            .map(|row| match (method, row["name"].as_str(), row["id"].as_u64()) {
                ("POST", Some("bad"), _) => json!({"status": 422, "error": "the name is not wanted"}),
                ("POST", ..) => json!({"status": 201, "body": held.add(path, row.clone())}),
                ("PATCH", _, Some(102)) => json!({"status": "HTTP/1.1 409 Conflict", "error": "locked"}),
                ("PATCH", _, Some(key)) => {
                    let stored = held.rows.get_mut(path).unwrap().iter_mut().find(|row| row["id"] == key).unwrap();
                    stored["address"] = row["address"].clone();
                    json!({"status": 200, "body": stored})
                }
                (_, _, Some(103)) => json!({"status": 500, "error": "in use"}),
                (_, _, key) => {
                    held.rows.get_mut(path).unwrap().retain(|row| row["id"].as_u64() != key);
                    json!({"status": if key == Some(104) { 404 } else { 204 }})
                }
            })
            .collect();
        Some(reply(207, "content-type: application/json\r\n", &json!(told).to_string()))
    }
    let (wire, held) = Mini { instead, ..Mini::default() }.start().await;
    for name in ["h1", "h2", "h3", "h4", "h5"] {
        held.lock().unwrap().add("hosts", json!({"name": name, "address": "10.9.9.9"}));
    }
    let report = run(net(&["h1", "h2", "bad", "n1"].map(host), &["n1"]), &wire, bulk()).await;
    let counts = &report.counts;
    assert_eq!((counts.created, counts.updated, counts.deleted), (2, 1, 2), "{:?}", failures(&report));
    let failed = failures(&report);
    assert!(failed.iter().any(|text| text.starts_with("create host bad failed") && text.contains("not wanted")));
    assert!(failed.iter().any(|text| text.starts_with("update host h2 failed") && text.contains("locked")));
    assert!(failed.iter().any(|text| text.starts_with("delete host h3 ") && text.contains("in use")), "{failed:?}");
}

#[tokio::test]
async fn an_answer_with_fewer_rows_than_were_sent_gives_no_record_the_key_of_another() {
    // The first is sent alone. Of the next two, the first is left out of the answer, and the row names no record.
    let mini = Mini {
        instead: |held, method, path, body| {
            let rows = body.as_array().filter(|rows| (method, path) == ("POST", "hosts") && rows.len() > 1)?;
            let stored: Vec<Value> = rows.iter().map(|row| held.add(path, row.clone())).collect();
            Some(answer(&json!([{"id": stored[1]["id"], "address": "10.0.0.1"}]).to_string()))
        },
        ..Mini::default()
    };
    let (wire, held) = mini.start().await;
    let report = run(net(&["a", "b", "c"].map(host), &["a", "b", "c"]), &wire, bulk()).await;
    assert_eq!(report.counts.unknown, 2, "{:?}", failures(&report));
    let held = held.lock().unwrap();
    let key_of = |name: &str| held.rows["hosts"].iter().find(|row| row["name"] == name).unwrap()["id"].clone();
    let hosts: Vec<&Value> = held.rows["ports"].iter().map(|row| &row["host"]).collect();
    assert_eq!(hosts, [&key_of("a")], "no port is put on another host");
}

#[tokio::test]
async fn a_list_of_which_a_part_was_created_is_not_sent_again() {
    for told in ["rows", "records"] {
        let mini = Mini {
            instead: if told == "rows" {
                |held, method, path, body| {
                    let rows = body.as_array().filter(|rows| (method, path) == ("POST", "hosts") && rows.len() > 1)?;
                    held.add(path, rows[0].clone());
                    Some(answer(r#"{"results": [{"code": 200}, {"code": 500, "status": "no"}]}"#))
                }
            } else {
                |held, method, path, body| {
                    let rows = body.as_array().filter(|rows| (method, path) == ("POST", "hosts") && rows.len() > 1)?;
                    let stored = held.add(path, rows[0].clone());
                    Some(answer(&json!({"data": [stored], "errors": [{"detail": "no"}]}).to_string()))
                }
            },
            ..Mini::default()
        };
        let (wire, held) = mini.start().await;
        let report = run(net(&["a", "b", "c"].map(host), &[]), &wire, bulk()).await;
        let counts = &report.counts;
        let expected = if told == "rows" { (2, 1) } else { (1, 2) };
        assert_eq!((counts.created, counts.unknown), expected, "{told}: {:?}", failures(&report));
        assert_eq!((held.lock().unwrap().rows["hosts"].len(), posts(&wire.lines(), "hosts")), (2, 2), "{told}");
    }
}

#[tokio::test]
async fn a_list_of_deletes_that_is_answered_with_other_rows_is_unknown() {
    let mini = Mini {
        instead: |held, method, path, body| {
            let rows = body.as_array().filter(|_| method == "DELETE")?;
            let key = rows[0]["id"].clone();
            held.rows.get_mut(path).unwrap().retain(|row| row["id"] != key);
            Some(reply(207, "content-type: application/json\r\n", r#"[{"status": 204}]"#))
        },
        ..Mini::default()
    };
    let (wire, held) = mini.start().await;
    for name in ["a", "b", "kept"] {
        held.lock().unwrap().add("hosts", json!({"name": name, "address": "10.0.0.1"}));
    }
    let report = run(net(&[host("kept")], &[]), &wire, bulk()).await;
    assert_eq!((report.counts.deleted, report.counts.unknown), (0, 2), "{:?}", failures(&report));
}

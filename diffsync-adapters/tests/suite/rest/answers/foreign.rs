//! A `POST` that creates no record: the run stops before it does more harm.

use diffsync_adapters::rest::Dialect;
use serde_json::json;

use super::{bulk, posts};
use crate::rest::mini::{Host, Instead, Mini, host, net, run};
use crate::rest::runs::failures;
use crate::rest::wire::{Wire, json as answer, reply};

/// A `POST` to the collection changes every host, as in Icinga 2.
fn icinga() -> Mini {
    Mini {
        instead: |held, method, path, body| {
            if (method, path) != ("POST", "hosts") {
                return None;
            }
            let mut results = Vec::new();
            for row in held.rows.get_mut("hosts").unwrap() {
                row["address"] = body["address"].clone();
                results
                    .push(json!({"code": 200.0, "name": row["name"], "status": "Attributes updated.", "type": "Host"}));
            }
            Some(answer(&json!({"results": results}).to_string()))
        },
        ..Mini::default()
    }
}

#[tokio::test]
async fn a_run_stops_at_the_first_answer_that_is_no_record() {
    for (dialect, hosts) in [(Dialect::default(), 1), (Dialect::default(), 3), (bulk(), 1), (bulk(), 3)] {
        let (wire, held) = icinga().start().await;
        for at in 0..hosts {
            held.lock().unwrap().add("hosts", json!({"name": format!("old{at}"), "address": "10.9.9.9"}));
        }
        let mut wanted: Vec<Host> =
            (0..hosts).map(|at| Host { address: Some("10.9.9.9".into()), ..host(&format!("old{at}")) }).collect();
        wanted.extend(["n1", "n2", "n3", "n4"].map(host));
        let report = run(net(&wanted, &["n1"]), &wire, dialect).await;
        assert_eq!((report.counts.created, posts(&wire.lines(), "hosts")), (0, 1), "{:?}", failures(&report));
        let error = report.error_text().unwrap();
        assert!(error.contains("may have gone to a path that means something else"), "{error}");
        assert!(!failures(&report).is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_is_no_record_is_not_taken_for_one() {
    for told in [r#"{"result": {"name": "a"}}"#, r#"[{"name": "a"}]"#, r#"{"accepted": 1}"#] {
        let mini = Mini {
            instead: match told {
                r#"{"result": {"name": "a"}}"# => {
                    |_, method, _, _| (method == "POST").then(|| answer(r#"{"result": {"name": "a"}}"#))
                }
                r#"[{"name": "a"}]"# => |_, method, _, _| (method == "POST").then(|| answer(r#"[{"name": "a"}]"#)),
                _ => |_, method, _, _| (method == "POST").then(|| answer(r#"{"accepted": 1}"#)),
            },
            ..Mini::default()
        };
        let (wire, _) = mini.start().await;
        let report = run(net(&["a", "b"].map(host), &[]), &wire, Dialect::default()).await;
        assert_eq!((report.counts.created, posts(&wire.lines(), "hosts")), (0, 1), "{told}");
        assert!(report.error_text().unwrap().contains("the answer is not a host"), "{told}: {:?}", report.error_text());
    }
}

#[tokio::test]
async fn the_first_records_are_sent_alone_until_one_is_shown() {
    let lists = |wire: &Wire| -> Vec<usize> {
        let requests = wire.requests();
        let posts = requests.iter().filter(|request| request.starts_with("POST /base/api/hosts"));
        posts.map(|post| post.matches("\"name\"").count()).collect()
    };
    let hosts = ["a", "b", "c"].map(host);
    let (wire, _) = Mini::default().start().await;
    run(net(&hosts, &[]), &wire, bulk()).await;
    assert_eq!(lists(&wire), [1, 2]);

    // An answer without a record shows nothing, and here the record is not there either.
    let empty = Mini { instead: |_, method, _, _| (method == "POST").then(|| reply(201, "", "")), ..Mini::default() };
    let (wire, _) = empty.start().await;
    run(net(&hosts, &[]), &wire, bulk()).await;
    assert_eq!(lists(&wire), [1, 1, 1]);
}

#[tokio::test]
async fn what_was_never_sent_is_not_unknown() {
    let wanted: Vec<Host> = (0..5).map(|at| host(&format!("n{at}"))).collect();
    for list in [bulk(), Dialect::default()] {
        let (wire, held) = icinga().start().await;
        held.lock().unwrap().add("hosts", json!({"name": "old", "address": "10.9.9.9"}));
        let report = run(net(&wanted, &[]), &wire, list).await;
        assert_eq!(posts(&wire.lines(), "hosts"), 1, "{:?}", failures(&report));
        assert_eq!((report.counts.created, report.counts.unknown), (0, 1), "{:?}", failures(&report));
    }
}

#[tokio::test]
async fn a_create_that_is_answered_with_see_other_may_be_done() {
    for status in [302, 303] {
        let instead: Instead = match status {
            302 => |_, method, _, _| (method == "POST").then(|| reply(302, "location: /base/api/hosts/7\r\n", "")),
            _ => |_, method, _, _| (method == "POST").then(|| reply(303, "location: /base/api/hosts/7\r\n", "")),
        };
        for dialect in [bulk(), Dialect::default()] {
            let (wire, _) = Mini { instead, ..Mini::default() }.start().await;
            let report = run(net(&["a", "b"].map(host), &[]), &wire, dialect).await;
            assert_eq!(posts(&wire.lines(), "hosts"), 1, "{:?}", failures(&report));
            assert_eq!((report.counts.created, report.counts.unknown), (0, 1), "{:?}", failures(&report));
        }
    }
}

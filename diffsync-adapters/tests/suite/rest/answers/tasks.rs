//! Tasks: answers with 202.

use std::time::Duration;

use diffsync_adapters::rest::{Dialect, TaskPolling};
use diffsync_core::report::Status;
use serde_json::{Value, json};

use super::bulk;
use crate::rest::mini::{Held, Mini, host, net, run};
use crate::rest::runs::failures;
use crate::rest::wire::{Reply, Wire, json as answer, reply};

/// An API that does everything in tasks.
fn tasks() -> Mini {
    Mini { told: |_| reply(202, "location: /base/api/tasks/9\r\n", r#"{"id": 9}"#), ..Mini::default() }
}

fn waiting() -> Dialect {
    let mut dialect = Dialect::default();
    let mut tasks = TaskPolling::default();
    (tasks.interval, tasks.timeout) = (Duration::from_millis(5), Duration::from_secs(5));
    dialect.task_polling = Some(tasks);
    dialect
}

#[tokio::test]
async fn what_a_server_has_only_taken_on_is_unknown() {
    let (wire, held) = tasks().start().await;
    let report = run(net(&[host("a")], &["a"]), &wire, Dialect::default()).await;
    assert_eq!((report.status, report.counts.unknown, report.counts.created), (Status::Partial, 1, 0));
    assert!(failures(&report)[0].contains("Dialect::task_polling"), "{:?}", failures(&report));
    assert!(!held.lock().unwrap().rows.contains_key("ports"), "the task's key is not the record's");
}

#[tokio::test]
async fn a_task_is_waited_for() {
    fn polled(held: &mut Held, done: Value) -> Reply {
        held.polls += 1;
        answer(&if held.polls.is_multiple_of(3) { done } else { json!({"id": 9, "status": "running"}) }.to_string())
    }
    let by_name = Mini {
        instead: |held, _, path, _| (path == "tasks/9").then(|| polled(held, json!({"id": 9, "status": "Completed"}))),
        ..tasks()
    };
    let with_record = Mini {
        instead: |held, _, path, _| {
            let made = held.rows.values().flatten().max_by_key(|row| row["id"].as_u64()).cloned();
            (path == "tasks/9").then(|| polled(held, json!({"id": 9, "status": "done", "made": made})))
        },
        ..tasks()
    };
    for (mini, record) in [(by_name, None), (with_record, Some("/made".to_owned()))] {
        let (wire, held) = mini.start().await;
        let mut dialect = waiting();
        dialect.task_polling.as_mut().unwrap().record = record;
        let report = run(net(&[host("a")], &["a"]), &wire, dialect).await;
        assert_eq!((report.status, report.counts.created), (Status::Completed, 2), "{:?}", failures(&report));
        let held = held.lock().unwrap();
        assert_eq!(held.rows["ports"][0]["host"], held.rows["hosts"][0]["id"]);
    }
}

#[tokio::test]
async fn a_task_that_fails_has_failed_and_one_that_does_not_end_is_unknown() {
    let failing = Mini {
        instead: |_, method, path, _| match (method, path) {
            ("POST", _) => Some(reply(202, "location: /base/api/tasks/9\r\n", "")),
            (_, "tasks/9") => Some(answer(r#"{"status": "FAILED", "detail": "no such rack"}"#)),
            _ => None,
        },
        ..Mini::default()
    };
    let (wire, _) = failing.start().await;
    let report = run(net(&[host("a")], &[]), &wire, waiting()).await;
    assert!(failures(&report)[0].starts_with("create host a failed"), "{:?}", failures(&report));
    assert!(failures(&report)[0].contains("no such rack"), "{:?}", failures(&report));

    let endless = Mini {
        instead: |held, method, path, _| match (method, path) {
            ("POST", _) => Some(reply(202, "location: /base/api/tasks/9\r\n", "")),
            (_, "tasks/9") => {
                held.polls += 1;
                Some(answer(r#"{"status": "running"}"#))
            }
            _ => None,
        },
        ..Mini::default()
    };
    let (wire, held) = endless.start().await;
    let mut dialect = waiting();
    dialect.task_polling.as_mut().unwrap().timeout = Duration::from_millis(200);
    let report = run(net(&[host("a")], &[]), &wire, dialect).await;
    assert!(failures(&report)[0].starts_with("create host a unknown"), "{:?}", failures(&report));
    assert!(failures(&report)[0].contains("200ms") && held.lock().unwrap().polls > 2, "{:?}", failures(&report));
}

#[tokio::test]
async fn what_was_only_taken_on_is_unknown_though_the_answer_says_that_all_is_well() {
    let told = |_: &Value| reply(202, "", r#"{"success": true, "task": "/tasks/9"}"#);
    for dialect in [Dialect::default(), bulk()] {
        let (wire, _) = Mini { told, ..Mini::default() }.start().await;
        let report = run(net(&[host("a")], &[]), &wire, dialect).await;
        assert_eq!((report.counts.created, report.counts.unknown), (0, 1), "{:?}", failures(&report));
    }
}

#[tokio::test]
async fn a_task_whose_state_cannot_be_read_is_not_done() {
    for state in [json!({"id": 9, "status": null}), json!({"id": 9, "status": 3}), json!({"id": 9, "state": "running"})]
    {
        for method in ["POST", "DELETE"] {
            let task = state.to_string();
            let wire = Wire::answering(move |_, request| match request {
                task_of if task_of.contains("/tasks/9") => {
                    reply(200, "retry-after: 0\r\ncontent-type: application/json\r\n", &task)
                }
                get if get.starts_with("GET /base/api/hosts") && method == "DELETE" => {
                    let row = |key: u64, name: &str| json!({"id": key, "name": name, "address": "10.0.0.1"});
                    answer(&json!([row(1, "old"), row(2, "kept")]).to_string())
                }
                get if get.starts_with("GET") => answer("[]"),
                _ => reply(202, "location: /base/api/tasks/9\r\n", ""),
            });
            let wire = wire.await;
            let mut dialect = waiting();
            dialect.task_polling.as_mut().unwrap().interval = Duration::from_millis(20);
            dialect.task_polling.as_mut().unwrap().timeout = Duration::from_millis(200);
            let hosts = [host(if method == "POST" { "a" } else { "kept" })];
            let report = run(net(&hosts, &[]), &wire, dialect).await;
            assert_eq!(report.counts.unknown, 1, "{method} {state}: {:?}", failures(&report));
            let polls = wire.lines().iter().filter(|line| line.contains("/tasks/9")).count();
            assert!(polls < 12, "it is asked for {polls} times");
        }
    }
}

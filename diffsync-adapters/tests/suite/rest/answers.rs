//! What an answer means, beyond its status.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diffsync_adapters::rest::{Bulk, Dialect, Tasks, Verdict, verdict};
use diffsync_core::adapter::TargetError;
use diffsync_core::report::{Event, Observer, Status};
use serde_json::{Value, json};

use super::mini::{Held, Host, Instead, Mini, host, net, noted, run, watched};
use super::runs::failures;
use super::wire::{Reply, Wire, json as answer, reply};

fn bulk() -> Dialect {
    let mut dialect = Dialect::default();
    dialect.bulk = Bulk::all(10);
    dialect
}

fn posts(lines: &[String], path: &str) -> usize {
    lines.iter().filter(|line| **line == format!("POST /base/api/{path}")).count()
}

#[tokio::test]
async fn the_record_is_read_where_the_answer_holds_it() {
    let mini = Mini { told: |row| answer(&json!({"result": row}).to_string()), ..Mini::default() };
    for bulk in [Bulk::default(), Bulk::all(10)] {
        let (wire, held) = mini.clone().start().await;
        let mut dialect = Dialect::default();
        (dialect.answer, dialect.bulk) = (Some("/result".to_owned()), bulk);
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
async fn an_envelope_that_speaks_of_an_error_is_no_success() {
    const ERROR: &str = r#"{"status": "error", "message": "the disk is full"}"#;
    let mini = Mini { instead: |_, method, _, _| (method != "GET").then(|| answer(ERROR)), ..Mini::default() };
    for dialect in [Dialect::default(), bulk()] {
        let (wire, held) = mini.clone().start().await;
        for name in ["old", "gone"] {
            held.lock().unwrap().add("hosts", json!({"name": name, "address": "10.9.9.9"}));
        }
        let report = run(net(&["new", "old"].map(host), &[]), &wire, dialect).await;
        let counts = &report.counts;
        assert_eq!((counts.created, counts.updated, counts.deleted), (0, 0, 0));
        let failed = failures(&report);
        assert_eq!(failed.len(), 3, "{failed:?}");
        for text in &failed {
            assert!(text.contains(" failed: ") && text.contains("the disk is full"), "{failed:?}");
        }
    }
}

#[tokio::test]
async fn a_collection_that_is_answered_with_an_error_is_not_an_empty_one() {
    let mini = Mini {
        instead: |_, method, _, _| {
            (method == "GET")
                .then(|| answer(r#"{"status": "error", "message": "the database is down", "results": []}"#))
        },
        ..Mini::default()
    };
    let (wire, _) = mini.start().await;
    let mut dialect = Dialect::default();
    dialect.paging.rows = "/results".to_owned();
    let report = run(net(&[host("a")], &[]), &wire, dialect).await;
    assert!(report.error_text().unwrap().contains("the database is down"), "{:?}", report.error_text());
    // Some rows are not all rows.
    let part = Mini { instead: |_, _, _, _| Some(reply(206, "", "[]")), ..Mini::default() };
    let (wire, _) = part.start().await;
    let report = run(net(&[host("a")], &[]), &wire, Dialect::default()).await;
    assert!(report.error_text().unwrap().contains("only a part of the rows"), "{:?}", report.error_text());
}

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

/// An API that does everything in tasks.
fn tasks() -> Mini {
    Mini { told: |_| reply(202, "location: /base/api/tasks/9\r\n", r#"{"id": 9}"#), ..Mini::default() }
}

fn waiting() -> Dialect {
    let mut dialect = Dialect::default();
    let mut tasks = Tasks::default();
    (tasks.pause, tasks.limit) = (Duration::from_millis(5), Duration::from_secs(5));
    dialect.tasks = Some(tasks);
    dialect
}

#[tokio::test]
async fn what_a_server_has_only_taken_on_is_unknown() {
    let (wire, held) = tasks().start().await;
    let report = run(net(&[host("a")], &["a"]), &wire, Dialect::default()).await;
    assert_eq!((report.status, report.counts.unknown, report.counts.created), (Status::Partial, 1, 0));
    assert!(failures(&report)[0].contains("Dialect::tasks"), "{:?}", failures(&report));
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
        dialect.tasks.as_mut().unwrap().record = record;
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
    dialect.tasks.as_mut().unwrap().limit = Duration::from_millis(200);
    let report = run(net(&[host("a")], &[]), &wire, dialect).await;
    assert!(failures(&report)[0].starts_with("create host a unknown"), "{:?}", failures(&report));
    assert!(failures(&report)[0].contains("200ms") && held.lock().unwrap().polls > 2, "{:?}", failures(&report));
}

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
async fn an_error_that_asking_again_cannot_change_is_final_where_the_dialect_says_so() {
    let mini = Mini {
        instead: |_, method, _, _| {
            let body = r#"{"results": [{"code": 500, "status": "Object cannot be deleted because other objects depend on it."}]}"#;
            (method == "DELETE").then(|| reply(500, "", body))
        },
        ..Mini::default()
    };
    for is_final in [true, false] {
        let (wire, held) = mini.clone().start().await;
        for name in ["old", "kept"] {
            held.lock().unwrap().add("hosts", json!({"name": name, "address": "10.0.0.1"}));
        }
        let mut dialect = Dialect::default();
        if is_final {
            dialect.verdict = |reply| {
                let text = verdict::text(reply.body);
                if text.contains("depend on it") { Some(Verdict::Failed(text)) } else { verdict::usual(reply) }
            };
        }
        let report = run(net(&[host("kept")], &[]), &wire, dialect).await;
        assert!(failures(&report)[0].starts_with("delete host old failed"), "{:?}", failures(&report));
        let deletes = wire.lines().iter().filter(|line| line.starts_with("DELETE")).count();
        assert_eq!(deletes == 1, is_final, "{deletes}");
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
async fn a_value_that_is_taken_is_a_conflict_that_names_who_has_it() {
    let refusals: [Instead; 4] = [
        |_, method, _, _| (method == "POST").then(|| reply(409, "", "Conflict")),
        |_, method, _, _| {
            (method == "POST").then(|| reply(400, "", r#"{"name": ["host with this name already exists."]}"#))
        },
        |_, method, _, _| (method == "POST").then(|| reply(422, "", r#"{"error": "Name has already been taken"}"#)),
        |_, method, _, _| (method == "POST").then(|| answer(r#"{"status": "error", "message": "duplicate key"}"#)),
    ];
    for instead in refusals {
        let mini = Mini { instead, ..Mini::default() };
        let (wire, held) = mini.start().await;
        // The server does not tell cases apart when it searches.
        held.lock().unwrap().add("hosts", json!({"name": "AA", "address": "10.0.0.1"}));
        let mut dialect = Dialect::default();
        dialect.filter = |_, _| None;
        let (_, notes) = noted(net(&[host("aa"), host("other")], &[]), &wire, dialect).await;
        let said = |name: &str| {
            let errors = notes.iter().filter_map(|note| note.as_ref().err());
            errors.filter(|error| error.is_conflict()).filter(|error| error.to_string().contains(name)).count()
        };
        assert_eq!(notes.iter().filter(|note| note.as_ref().is_err_and(TargetError::is_conflict)).count(), 2);
        assert_eq!(said("AA"), 1, "{notes:?}");
    }
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
    for (reads_back, expected) in [(false, "ab"), (true, "AB")] {
        let (wire, _) = mini.clone().start().await;
        let mut dialect = Dialect::default();
        if reads_back {
            dialect.reads_back = |path, part| (path, part) == ("hosts", "address");
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

#[tokio::test]
async fn what_the_client_asks_for_again_is_an_event_and_counted() {
    /// Notes each retry.
    #[derive(Default)]
    struct Watch(Mutex<Vec<String>>);
    impl Observer for Watch {
        fn observe(&self, event: &Event<'_>) {
            if let Event::Retry { step, attempt, error, .. } = event {
                self.0.lock().unwrap().push(format!("{step} {attempt}: {error}"));
            }
        }
    }
    let mini = Mini {
        instead: |held, method, path, _| match (method, path) {
            // A read is asked for again, and so is a write that was surely not done.
            ("GET", "hosts") if held.polls < 2 => {
                held.polls += 1;
                Some(reply(503, "", "starting"))
            }
            ("POST", "hosts") if held.polls < 3 => {
                held.polls += 1;
                Some(reply(429, "", "slow down"))
            }
            _ => None,
        },
        ..Mini::default()
    };
    let (wire, _) = mini.start().await;
    let watch = Arc::new(Watch::default());
    let report = watched(net(&[host("a")], &[]), &wire, Dialect::default(), Arc::<Watch>::clone(&watch)).await;
    assert_eq!((report.status, report.retries), (Status::Completed, 3), "{:?}", failures(&report));
    let seen = watch.0.lock().unwrap();
    let expected = [("load target 1", "503"), ("load target 2", "503"), ("execute sync 1", "429")];
    for (seen, (begin, status)) in seen.iter().zip(expected) {
        assert!(seen.starts_with(begin) && seen.contains(status), "{seen}");
    }
    assert_eq!(seen.len(), 3);
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
async fn what_was_only_taken_on_is_unknown_though_the_answer_says_that_all_is_well() {
    let told = |_: &Value| reply(202, "", r#"{"success": true, "task": "/tasks/9"}"#);
    for dialect in [Dialect::default(), bulk()] {
        let (wire, _) = Mini { told, ..Mini::default() }.start().await;
        let report = run(net(&[host("a")], &[]), &wire, dialect).await;
        assert_eq!((report.counts.created, report.counts.unknown), (0, 1), "{:?}", failures(&report));
    }
}

#[tokio::test]
async fn an_error_with_a_key_of_its_own_is_no_record() {
    let mini = Mini {
        instead: |_, method, _, _| {
            (method != "GET").then(|| answer(r#"{"id": "req-81", "error": "validation failed"}"#))
        },
        ..Mini::default()
    };
    let (wire, held) = mini.start().await;
    for name in ["old", "gone"] {
        held.lock().unwrap().add("hosts", json!({"name": name, "address": "10.9.9.9"}));
    }
    let report = run(net(&["old"].map(host), &[]), &wire, Dialect::default()).await;
    let failed = failures(&report);
    assert_eq!((report.counts.updated, report.counts.deleted, failed.len()), (0, 0, 2), "{failed:?}");
    assert!(failed.iter().all(|text| text.contains("validation failed")), "{failed:?}");
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
            dialect.tasks.as_mut().unwrap().pause = Duration::from_millis(20);
            dialect.tasks.as_mut().unwrap().limit = Duration::from_millis(200);
            let hosts = [host(if method == "POST" { "a" } else { "kept" })];
            let report = run(net(&hosts, &[]), &wire, dialect).await;
            assert_eq!(report.counts.unknown, 1, "{method} {state}: {:?}", failures(&report));
            let polls = wire.lines().iter().filter(|line| line.contains("/tasks/9")).count();
            assert!(polls < 12, "it is asked for {polls} times");
        }
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

/// The paths of single records lead nowhere, as where an API lists at `/hosts` and keeps each record at `/host/{name}`.
fn elsewhere() -> Mini {
    Mini { instead: |_, _, path, _| path.starts_with("hosts/").then(|| reply(404, "", "{}")), ..Mini::default() }
}

#[tokio::test]
async fn what_is_not_found_is_deleted_only_if_it_is_no_longer_listed() {
    let (wire, held) = elsewhere().start().await;
    for name in ["a", "b", "kept"] {
        held.lock().unwrap().add("hosts", json!({"name": name, "address": "10.0.0.1"}));
    }
    let report = run(net(&[host("kept")], &[]), &wire, Dialect::default()).await;
    assert_eq!(report.counts.deleted, 0, "{:?}", failures(&report));
    assert_eq!(failures(&report).len(), 2, "{:?}", failures(&report));
    let is_said = |text: &String| text.contains("keeps single records at another path");
    assert!(failures(&report).iter().all(is_said), "{:?}", failures(&report));
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

#[tokio::test]
async fn of_several_values_that_are_taken_each_holder_stays() {
    // The name is taken in another case, and the server looks no further than that.
    let by_name: Instead = |_, method, _, body| {
        let is_it = body["name"] == "aa" || body[0]["name"] == "aa";
        (method == "POST" && is_it).then(|| reply(400, "", r#"{"name": ["host with this name already exists."]}"#))
    };
    // The server speaks of an address that it keeps in a form of its own.
    let by_address: Instead = |_, method, _, body| {
        let is_it = body["name"] == "aa" || body[0]["name"] == "aa";
        (method == "POST" && is_it)
            .then(|| reply(400, "", r#"{"address": ["host with this address already exists."]}"#))
    };
    for (instead, with_address, stay) in [
        (by_name, "10.0.0.1", &["AA", "old"][..]),
        (by_address, "10.0.0.1", &["AA", "old"]),
        (by_address, "10.0.0.1/32", &["AA", "gone", "gone2", "old"]),
    ] {
        for mut dialect in [Dialect::default(), bulk()] {
            dialect.filter = |_, _| None;
            dialect.bulk.delete = false;
            let (wire, held) = Mini { instead, ..Mini::default() }.start().await;
            for (name, address) in
                [("AA", "10.0.0.9"), ("old", with_address), ("gone", "10.0.0.7"), ("gone2", "10.0.0.7")]
            {
                held.lock().unwrap().add("hosts", json!({"name": name, "address": address}));
            }
            let report = run(net(&[host("aa")], &[]), &wire, dialect).await;
            assert_eq!(report.counts.created, 0, "{:?}", failures(&report));
            let held = held.lock().unwrap();
            let mut left: Vec<_> = held.rows["hosts"].iter().map(|row| row["name"].as_str().unwrap()).collect();
            left.sort_unstable();
            assert_eq!(left, stay, "{:?}", failures(&report));
        }
    }
}

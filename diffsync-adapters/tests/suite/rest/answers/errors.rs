//! Answers that report an error, with any status.

use std::sync::{Arc, Mutex};

use diffsync_adapters::rest::{Dialect, Verdict, verdict};
use diffsync_core::adapter::TargetError;
use diffsync_core::report::{Event, Observer, Status};
use serde_json::json;

use super::bulk;
use crate::rest::mini::{Instead, Mini, host, net, noted, run, watched};
use crate::rest::runs::failures;
use crate::rest::wire::{json as answer, reply};

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
    dialect.collection_format.rows = "/results".to_owned();
    let report = run(net(&[host("a")], &[]), &wire, dialect).await;
    assert!(report.error_text().unwrap().contains("the database is down"), "{:?}", report.error_text());
    // Some rows are not all rows.
    let part = Mini { instead: |_, _, _, _| Some(reply(206, "", "[]")), ..Mini::default() };
    let (wire, _) = part.start().await;
    let report = run(net(&[host("a")], &[]), &wire, Dialect::default()).await;
    assert!(report.error_text().unwrap().contains("only a part of the rows"), "{:?}", report.error_text());
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
            dialect.verdict = |response| {
                let text = verdict::excerpt(response.body);
                if text.contains("depend on it") {
                    Some(Verdict::Failed(text))
                } else {
                    verdict::common_envelopes(response)
                }
            };
        }
        let report = run(net(&[host("kept")], &[]), &wire, dialect).await;
        assert!(failures(&report)[0].starts_with("delete host old failed"), "{:?}", failures(&report));
        let deletes = wire.lines().iter().filter(|line| line.starts_with("DELETE")).count();
        assert_eq!(deletes == 1, is_final, "{deletes}");
    }
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
        dialect.filter_parameter = |_, _| None;
        let (_, notes) = noted(net(&[host("aa"), host("other")], &[]), &wire, dialect).await;
        let naming = |name: &str| {
            let errors = notes.iter().filter_map(|note| note.as_ref().err());
            errors.filter(|error| error.is_conflict()).filter(|error| error.to_string().contains(name)).count()
        };
        assert_eq!(notes.iter().filter(|note| note.as_ref().is_err_and(TargetError::is_conflict)).count(), 2);
        assert_eq!(naming("AA"), 1, "{notes:?}");
    }
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
            // A read is retried, and so is a write that was surely not carried out.
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
    let is_said = |text: &String| text.contains("has single records at another path");
    assert!(failures(&report).iter().all(is_said), "{:?}", failures(&report));
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
            dialect.filter_parameter = |_, _| None;
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

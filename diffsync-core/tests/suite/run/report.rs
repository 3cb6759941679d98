//! What a run reports, while it goes on and at its end.

use std::sync::Mutex;

use diffsync_core::report::{Event, Observer};

use super::*;

/// What the observers hear of a run, `None` standing for the number of records that a loader cannot know.
fn events(rig: Rig, options: RunOptions) -> Vec<String> {
    let recorder = Arc::new(Recorder::default());
    rig.into_shared().run_observed(options, vec![recorder.clone(), Arc::new(TracingObserver::default())]);
    recorder.events()
}

#[test]
fn events_arrive_in_the_order_in_which_things_happen() {
    let rig = || rig().answering("delete country x", Answer::Fail);
    let begin = |dry_run| format!("sync-worlds started, dry run: {dry_run}");
    let until_diff = [
        "load source started",
        "load source: 1 of None",
        "load source finished",
        "load target started",
        "load target finished",
        "calculate diff started",
        "calculate diff finished",
        "2 operations",
    ];
    let execution = [
        "execute sync started",
        "create: created",
        "execute sync: 1 of Some(2)",
        "delete: failed",
        "execute sync: 2 of Some(2)",
        "execute sync finished",
        "sync-worlds partial",
    ];
    let expected: Vec<_> =
        [begin(false)].into_iter().chain(until_diff.iter().chain(&execution).map(ToString::to_string)).collect();
    assert_eq!(events(rig(), apply()), expected);
    let expected: Vec<_> = [begin(true)]
        .into_iter()
        .chain(until_diff.iter().chain(&["sync-worlds completed"]).map(ToString::to_string))
        .collect();
    assert_eq!(events(rig(), dry_run()), expected);
    let empty = rig().source_then(|world| *world = World::default());
    assert_eq!(
        events(empty, apply()),
        [
            &begin(false),
            "load source started",
            "load source: 0 of None",
            "load source finished",
            "load target started",
            "load target finished",
            "sync-worlds refused",
        ]
    );
}

#[test]
fn each_operation_is_announced_once_whatever_becomes_of_it() {
    let source = ["a", "a/b", "a/b/c", "d", ":e", ":f"];
    let target = ["x", "x/y", "x/y/z"];
    for (call, answer) in [
        ("", Answer::Fail),
        ("create region a", Answer::Fail),
        ("create region a", Answer::Fatal),
        ("delete city y__z", Answer::Fail),
        ("delete city y__z", Answer::Fatal),
    ] {
        let events = events(Rig::new(records(&source), records(&target)).answering(call, answer), apply());
        let done = events
            .iter()
            .filter(|event| ["create: ", "update: ", "delete: "].iter().any(|operation| event.starts_with(operation)));
        assert_eq!(done.count(), 9, "{call} {answer:?}: {events:#?}");
    }
}

#[test]
fn an_outcome_comes_with_the_page_of_its_record_where_that_is_then() {
    /// The URL of each record that is done.
    #[derive(Default)]
    struct Urls(Mutex<Vec<String>>);
    impl Observer for Urls {
        fn observe(&self, event: &Event<'_>) {
            if let Event::RecordDone { url, .. } = event {
                locked(&self.0).push(url.look_up().map(String::from).unwrap_or_default());
            }
        }
    }

    let urls = Arc::new(Urls::default());
    rig().answering("create country france", Answer::Fail).into_shared().run_observed(apply(), vec![urls.clone()]);
    // One could not be created, so only the source has it; the other is deleted, and was only in the target.
    assert_eq!(*locked(&urls.0), ["https://source/country/france", ""]);
}

#[test]
fn a_report_is_one_document() {
    let mut rig = rig();
    rig.source.countries.push(crate::world::country("atlantis", "ocean"));
    let (report, _) = rig.answering("delete country x", Answer::Fail).run(apply());
    let mut document = serde_json::to_value(&report).unwrap();
    assert!(document["duration_seconds"].as_f64().unwrap() > 0.0);
    for (step, name) in document["steps"].as_array().unwrap().iter().zip([
        "load_source",
        "load_target",
        "calculate_diff",
        "execute_sync",
    ]) {
        assert_eq!((&step["step"], &step["memory"]), (&json!(name), &Value::Null));
        assert!(step["duration_seconds"].is_f64());
    }
    let object = document.as_object_mut().unwrap();
    object.remove("duration_seconds");
    object.remove("steps");
    object["summary"].as_object_mut().unwrap().remove("models");
    let lift = |model| json!({"model": model, "operation": "delete", "limit": usize::MAX.to_string()});
    let limit_overrides = ["city", "country", "region", "place"].map(lift);
    let attributes = |region| json!({"region": region, "population": null, "community": "[secret]"});
    assert_eq!(
        document,
        json!({
            "job": "sync-worlds",
            "status": "partial",
            "dry_run": false,
            "error": null,
            "config": [{"name": "rig", "help": "", "value": "a rig"}],
            "summary": {
                "total": {"create": 1, "update": 0, "delete": 1, "cascade": 0, "no_change": 2, "held": 0, "unsupported": 0,
                          "rejected": 1, "left_out": 0},
            },
            "outcomes": {
                "unchanged": 2, "created": 1, "updated": 0, "deleted": 0, "cascaded": 0, "failed": 1, "blocked": 0,
                "held": 0, "unsupported": 0, "rejected": 1, "left_out": 0, "unknown": 0, "not_attempted": 0,
            },
            "breaches": [],
            "limit_overrides": limit_overrides,
            "skipped": [],
            "filtered": [],
            "stale": [],
            "already_done": 0,
            "retries": 0,
            "problems": [
                {"side": "source", "model": "country", "record": "atlantis", "problem": "orphan", "parent_model": "region",
                 "parent": "ocean"},
            ],
            "failures": [
                {"model": "country", "record": "x", "operation": "delete", "outcome": "failed",
                 "reason": "it does not want to", "url": "https://target/country/x"},
            ],
            "diff": {
                "region": {"europe": {"country": {
                    "france": {"+": attributes("europe")},
                    "x": {"-": attributes("europe")},
                }}},
            },
        })
    );
}

#[test]
fn a_run_that_did_not_come_to_a_diff_is_a_document_too() {
    let rig = rig().target_then(|world| *world = World::default());
    let (report, _) = rig.run(apply());
    let document = serde_json::to_value(&report).unwrap();
    assert_eq!((&document["status"], &document["diff"]), (&json!("refused"), &Value::Null));
    assert_eq!((&document["summary"], &document["failures"]), (&Value::Null, &json!([])));
    assert!(document["error"].as_str().unwrap().starts_with("the target has no records"), "{document}");
    assert_eq!(failures(&report), [""; 0]);
}

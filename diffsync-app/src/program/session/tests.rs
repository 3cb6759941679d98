use std::path::PathBuf;

use serde_json::json;

use super::*;

fn job(max_deletes: &Value) -> ProgramJob {
    let described = json!({
        "id": "a-to-b", "source_label": "A", "target_label": "B", "models": ["site", "device"], "max_deletes": max_deletes,
    });
    ProgramJob::new(PathBuf::from("/jobs/x"), "1", serde_json::from_value(described).unwrap()).unwrap()
}

fn session(job: &ProgramJob, dry_run: bool) -> Session<'_> {
    Session::new(job, Secrets::default(), ProgramReport::new(job.info(), dry_run), None, None, None)
}

const STARTED: &str =
    r#"{"event":"run_started","stream":1,"job":"a-to-b","dry_run":false,"at":"2026-01-01T00:00:00Z"}"#;
const CREATE: &str = r#"{"event":"change","seq":0,"parent":null,"depth":0,"model":"site","record":"ams","action":"create","changes":{"+":{}},"held":null}"#;
const READY: &str = r#"{"event":"diff_ready","counts":{"total":{"create":1},"models":[{"model":"site","create":1}]}}"#;
const DONE: &str = r#"{"event":"record_done","at":"2026-01-01T00:00:01Z","seq":0,"model":"site","record":"ams","operation":"create","outcome":"created","reason":null,"url":null,"object":null}"#;
const FINISHED: &str = r#"{"event":"run_finished","status":"completed","error":null,"counts":{"created":1}}"#;

/// Takes these lines; the program is allowed to write when it asks.
fn told(lines: &[&str]) -> Result<(), String> {
    let job = job(&Value::Null);
    let mut session = session(&job, false);
    for line in lines {
        if session.take(StreamEvent::read(line).unwrap())? == Ask::Diff(None) {
            session.allow();
        }
    }
    Ok(())
}

#[test]
fn a_run_is_told_in_this_order() {
    let log = r#"{"event":"log","at":"2026-01-01T00:00:00Z","level":"info","target":"t","step":null,"message":"m","fields":null}"#;
    let tea = r#"{"event":"tea_made"}"#;
    told(&[log, tea, STARTED, CREATE, tea, READY, DONE, FINISHED, log]).unwrap();
}

#[test]
fn an_event_out_of_order_is_refused() {
    let held = CREATE.replace("\"held\":null", "\"held\":\"held\"");
    let held_ready = READY.replace("\"create\":1", "\"held\":1");
    let step = |event: &str| format!(r#"{{"event":"{event}","step":"load_source","seconds":0.1,"memory":null}}"#);
    let (begins, ends) = (step("step_started"), step("step_finished"));
    let change = |more: &str| CREATE.replacen("\"seq\":0,\"parent\":null,\"depth\":0", more, 1);
    for (lines, reason) in [
        (&[CREATE][..], "its first event is not `run_started`"),
        (&[STARTED, STARTED], "`run_started` comes twice"),
        (&[STARTED, &*ends], "the step `load source` ends, and has not begun"),
        (&[STARTED, &*begins, &*begins], "the step `load source` begins twice"),
        (&[STARTED, CREATE, CREATE], "the `change` 0 comes where 1 is expected"),
        (&[STARTED, &*change(r#""seq":0,"parent":0,"depth":1"#)], "is under 0, which has not come before it"),
        (&[STARTED, &*change(r#""seq":0,"parent":null,"depth":2"#)], "the `change` 0 has the depth 2"),
        (&[STARTED, &*CREATE.replace("site", "rack")], "has not described a model \"rack\""),
        (&[STARTED, READY], "counts 1 creates of site, and 0 came"),
        (&[STARTED, CREATE, r#"{"event":"diff_ready","counts":{"total":{},"models":[]}}"#], "does not count site"),
        (&[STARTED, CREATE, &*READY.replace("\"total\":{\"create\":1}", "\"total\":{\"create\":2}")], "is not the sum"),
        (&[STARTED, CREATE, &*READY.replace("}]}}", "},{\"model\":\"site\",\"create\":1}]}}")], "counts site twice"),
        (
            &[STARTED, CREATE, &*READY.replace("\"create\":1", "\"create\":1,\"held\":1")],
            "counts 1 held records of site, and 0",
        ),
        (
            &[STARTED, CREATE, &*READY.replace("\"create\":1", "\"create\":1,\"cascade\":1")],
            "counts 1 cascaded deletes",
        ),
        (
            &[STARTED, CREATE, &*READY.replace("\"create\":1", "\"create\":1,\"unsupported\":1")],
            "1 unsupported operations",
        ),
        (
            &[STARTED, CREATE, &*READY.replace("\"create\":1", "\"create\":1,\"no_change\":18446744073709551615")],
            "too much",
        ),
        (&[STARTED, &*held, READY], "counts 1 creates of site, and 0 came"),
        (
            &[STARTED, &*held.replace("\"held\":\"held\"", "\"held\":\"cascaded\"")],
            "cannot be withheld as \"cascaded\"",
        ),
        (&[STARTED, &*held.replace("\"held\":\"held\"", "\"held\":\"later\"")], "cannot be withheld as \"later\""),
        (&[STARTED, &*held, &*held_ready, DONE], "as created, and it is held"),
        (&[STARTED, CREATE, READY, DONE, DONE], "as created, and the `change` 0 has its outcome already"),
        (
            &[STARTED, CREATE, READY, &*DONE.replace("\"seq\":0", "\"seq\":null")],
            "as created, and not of which `change`",
        ),
        (&[STARTED, CREATE, READY, &*DONE.replace("created", "deleted")], "the create of site \"ams\" as deleted"),
        (&[STARTED, CREATE, READY, READY], "`diff_ready` comes twice"),
        (&[STARTED, CREATE, READY, CREATE], "a `change` comes after `diff_ready`"),
        (&[STARTED, CREATE, READY, r#"{"event":"lock_target","resource":null}"#], "`lock_target` comes after the diff"),
        (&[STARTED, CREATE, DONE], "as done before it was allowed to write"),
        (&[STARTED, CREATE, READY, &*DONE.replace("ams", "fra")], "as that of the `change` 0, which is another"),
        (&[STARTED, FINISHED], "its run ended well, and without a diff"),
        (&[STARTED, CREATE, READY, DONE, FINISHED, DONE], "an event follows `run_finished`"),
    ] {
        let error = told(lines).unwrap_err();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn a_run_of_another_kind_than_was_asked_for_is_refused() {
    let job = job(&Value::Null);
    let error = session(&job, true).take(StreamEvent::read(STARTED).unwrap()).unwrap_err();
    assert_eq!(error, "it began a run that writes, and was asked for a dry run");
    let other = STARTED.replace("a-to-b", "c-to-d");
    let error = session(&job, false).take(StreamEvent::read(&other).unwrap()).unwrap_err();
    assert_eq!(error, "it began the job \"c-to-d\", and was asked for `a-to-b`");
}

#[test]
fn a_dry_run_does_nothing() {
    let job = job(&Value::Null);
    let mut session = session(&job, true);
    for line in [&STARTED.replace("\"dry_run\":false", "\"dry_run\":true"), CREATE, READY] {
        session.take(StreamEvent::read(line).unwrap()).unwrap();
    }
    let error = session.take(StreamEvent::read(DONE).unwrap()).unwrap_err();
    assert_eq!(error, "it reports the create of site \"ams\" as done in a dry run");
}

/// The breaches of a diff with as many deletes and unchanged records of one model.
fn breaches(max_deletes: &Value, deletes: usize, unchanged: usize, lifted: Option<&str>) -> Vec<String> {
    let job = job(max_deletes);
    let mut session = session(&job, false);
    let lifted = lifted.map(|text| diffsync_core::model::LimitOverride::parse(Operation::Delete, text).unwrap());
    session.report.limit_overrides.extend(lifted);
    session.take(StreamEvent::read(STARTED).unwrap()).unwrap();
    for seq in 0..deletes {
        let change = json!({
            "event": "change", "seq": seq, "parent": null, "depth": 0, "model": "site", "record": seq.to_string(),
            "action": "delete", "changes": {"-": {}}, "held": null,
        });
        session.take(StreamEvent::read(&change.to_string()).unwrap()).unwrap();
    }
    let counts = json!({"delete": deletes, "no_change": unchanged});
    let mut model = counts.clone();
    model["model"] = "site".into();
    let ready = json!({"event": "diff_ready", "counts": {"total": counts, "models": [model]}});
    session.take(StreamEvent::read(&ready.to_string()).unwrap()).unwrap();
    session.breaches().iter().map(ToString::to_string).collect()
}

#[test]
fn the_host_keeps_the_limit_of_a_program_that_keeps_none() {
    let none = Vec::<String>::new();
    assert_eq!(breaches(&"20%".into(), 2, 8, None), none);
    let exceeds = ["site: it would delete 3 records where the target holds 10, and 20% are allowed"];
    assert_eq!(breaches(&"20%".into(), 3, 7, None), exceeds);
    assert_eq!(breaches(&"20%".into(), 3, 7, Some("site=30%")), none);
    assert_eq!(breaches(&"20%".into(), 3, 7, Some("device=30%")), exceeds);
    assert_eq!(breaches(&"1".into(), 2, 98, None).len(), 1);
    // A percentage says nothing of few records, and an empty source is more likely broken than right.
    assert_eq!(breaches(&"20%".into(), 2, 3, None), none);
    assert_eq!(
        breaches(&"20%".into(), 2, 0, None),
        ["site: the source holds none, and it would delete 2 of the target's 2"]
    );
    assert_eq!(breaches(&Value::Null, 9, 1, None), none);
}

#[test]
fn what_was_not_told_may_have_been_written_only_if_that_was_allowed() {
    let job = job(&Value::Null);
    for (lines, allowed, unknown, not_attempted) in [
        (&[STARTED, CREATE, READY][..], true, 1, 0),
        (&[STARTED, CREATE, READY], false, 0, 1),
        (&[STARTED, CREATE, READY, DONE], true, 0, 0),
    ] {
        let mut session = session(&job, false);
        for line in lines {
            if session.take(StreamEvent::read(line).unwrap()).unwrap() == Ask::Diff(None) && allowed {
                session.allow();
            }
        }
        let (report, _) = session.finish(Verdict::Failed("it ended".to_owned()));
        assert_eq!((report.counts.unknown, report.counts.not_attempted), (unknown, not_attempted));
        let error = report.error.unwrap();
        assert_eq!(error.contains("may or may not have been written"), allowed, "{error}");
    }
}

/// The report of a run that is told so, and allowed to write.
fn ended(lines: &[&str], verdict: Verdict) -> ProgramReport {
    let job = job(&Value::Null);
    let mut session = session(&job, false);
    for line in lines {
        if session.take(StreamEvent::read(line).unwrap()).unwrap() == Ask::Diff(None) {
            session.allow();
        }
    }
    session.finish(verdict).0
}

#[test]
fn the_end_of_a_run_cannot_say_more_than_its_records() {
    let second = CREATE.replace("\"seq\":0", "\"seq\":1").replace("ams", "fra");
    let ready = READY.replace("\"create\":1", "\"create\":2");
    let finish = |status: &str, counts: &str| {
        format!(r#"{{"event":"run_finished","status":"{status}","error":null,"counts":{counts}}}"#)
    };
    let failed = DONE.replace("\"created\"", "\"failed\"");
    let counts = |text: &str| serde_json::from_str::<OutcomeCounts>(text).unwrap();
    for (done, status, claimed, is, expected) in [
        (DONE, "completed", "{}", Status::Partial, r#"{"created":1,"not_attempted":1}"#),
        (DONE, "completed", r#"{"created":2}"#, Status::Partial, r#"{"created":1,"not_attempted":1}"#),
        (DONE, "failed", "{}", Status::Failed, r#"{"created":1,"unknown":1}"#),
        (DONE, "failed", r#"{"created":1,"not_attempted":1}"#, Status::Failed, r#"{"created":1,"not_attempted":1}"#),
        // A target that writes at the end may fail there.
        (DONE, "failed", r#"{"unknown":2}"#, Status::Failed, r#"{"unknown":2}"#),
        (&failed, "completed", r#"{"created":2}"#, Status::Partial, r#"{"failed":1,"not_attempted":1}"#),
        (&failed, "partial", r#"{"not_attempted":2}"#, Status::Partial, r#"{"failed":1,"not_attempted":1}"#),
        (
            &failed,
            "partial",
            r#"{"failed":18446744073709551615,"held":2}"#,
            Status::Partial,
            r#"{"failed":1,"not_attempted":1}"#,
        ),
    ] {
        let report = ended(&[STARTED, CREATE, &second, &ready, done, &finish(status, claimed)], Verdict::AsTold);
        assert_eq!((report.status, report.counts), (is, counts(expected)), "{status} {claimed}");
    }
    let end = finish("failed", "{}");
    let report = ended(&[STARTED, CREATE, READY, &end], Verdict::Failed("it ended".to_owned()));
    assert!(report.error.unwrap().contains("may or may not have been written"));
}

#[test]
fn what_is_withheld_is_not_unknown_after_a_crash() {
    let row = |seq: u64, held: &str| {
        let text = CREATE.replace("\"seq\":0", &format!("\"seq\":{seq}")).replace("ams", &seq.to_string());
        text.replace("\"held\":null", &format!("\"held\":{held}"))
    };
    let ready = READY.replace("\"create\":1", "\"create\":1,\"held\":1,\"unsupported\":1");
    let lines = [STARTED, &row(0, "null"), &row(1, "\"held\""), &row(2, "\"unsupported\""), &ready];
    let counts = ended(&lines, Verdict::Failed("it ended".to_owned())).counts;
    assert_eq!((counts.unknown, counts.held, counts.unsupported), (1, 1, 1));
}

#[test]
fn a_run_did_everything_if_nothing_is_left() {
    let job = job(&Value::Null);
    for (lines, everything) in [
        (&[STARTED, CREATE, READY, DONE, FINISHED][..], true),
        (&[STARTED, CREATE, READY, FINISHED], false),
        (&[STARTED, CREATE, READY, DONE, &*FINISHED.replace("completed", "cancelled")], false),
        (&[STARTED, CREATE, READY, DONE], false),
    ] {
        let mut session = session(&job, false);
        for line in lines {
            if session.take(StreamEvent::read(line).unwrap()).unwrap() == Ask::Diff(None) {
                session.allow();
            }
        }
        assert_eq!(session.did_everything(), everything, "{lines:?}");
    }
}

#[test]
fn what_is_held_for_the_report_is_limited() {
    let job = job(&Value::Null);
    let mut session = session(&job, false);
    let read = |line: &str| StreamEvent::read(line).unwrap();
    session.hold(&read(STARTED), MOST_HELD + 1).unwrap();
    session.hold(&read(CREATE), MOST_HELD).unwrap();
    session.hold(&read(DONE), 1).unwrap();
    let failed = read(&DONE.replace("\"reason\":null", "\"reason\":\"no disk\""));
    assert!(session.hold(&failed, 1).unwrap_err().contains("more than 1 GiB"));
}

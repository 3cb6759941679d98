//! The circle that every inventory has: a device's primary address is on an interface of the device. The deferred
//! reference is left out when a device is created, set once the address is there, and taken back before it is deleted.

use diffsync_core::report::Status;

use crate::fake_network::{Answer, Handle, RunResult, SyncNets, apply, lab};

const CIRCLE: &str = "location x; device d in=x primary=10.0.0.1; interface d/eth0; address 10.0.0.1 on=d/eth0";

fn run(lab: &Handle) -> RunResult {
    lab.run::<SyncNets>(apply())
}

/// Runs a sync and expects these calls, and that a second run has nothing to do.
#[track_caller]
fn check(source: &str, target: &str, calls: &[&str], counts: &str) -> Handle {
    let lab = lab(source, target);
    let ended = run(&lab);
    assert_eq!(lab.calls(), calls);
    assert_eq!((ended.counts().as_str(), ended.report.status), (counts, Status::Completed));
    assert_eq!(lab.target().shown(), lab.source().shown());
    assert_eq!((run(&lab).report.status, lab.calls().len()), (Status::Completed, calls.len()));
    lab
}

#[test]
fn a_circle_is_created_without_its_deferred_reference_which_is_set_at_the_end() {
    let calls = [
        "create location x",
        "create device d",
        "create interface d__eth0",
        "create address 10.0.0.1",
        "update device d",
    ];
    let lab = check(CIRCLE, "", &calls, "4 created");
    assert_eq!(lab.changes(), [r#"device d {"primary":"10.0.0.1","peers":[]}"#]);
}

#[test]
fn a_deferred_reference_that_is_new_is_set_once_what_it_names_is_there() {
    let before = "location x; device d in=x; interface d/eth0";
    let calls = ["create address 10.0.0.1", "update device d"];
    let lab = check(CIRCLE, before, &calls, "1 created, 1 updated, 2 unchanged");
    assert_eq!(lab.changes(), [r#"device d {"primary":"10.0.0.1"}"#]);
}

#[test]
fn a_deferred_reference_changes_before_what_it_named_is_deleted() {
    let source = CIRCLE.replace("10.0.0.1", "10.0.0.2");
    let calls = ["create address 10.0.0.2", "update device d", "delete address 10.0.0.1"];
    check(&source, CIRCLE, &calls, "1 created, 1 updated, 1 deleted, 2 unchanged");
}

#[test]
fn a_record_whose_deferred_reference_changes_with_others_is_updated_twice_and_counted_once() {
    let source = CIRCLE.replace("device d in=x", "tenant t; device d in=x tenant=t").replace("10.0.0.1", "10.0.0.2");
    let calls =
        ["create tenant t", "update device d", "create address 10.0.0.2", "update device d", "delete address 10.0.0.1"];
    let lab = check(&source, CIRCLE, &calls, "2 created, 1 updated, 1 deleted, 2 unchanged");
    assert_eq!(lab.changes(), [r#"device d {"tenant":"t"}"#, r#"device d {"primary":"10.0.0.2"}"#]);
}

#[test]
fn a_circle_is_deleted_once_its_deferred_reference_is_taken_back() {
    let calls = [
        "update device d",
        "delete address 10.0.0.1",
        "delete interface d__eth0",
        "delete device d",
        "delete location x",
    ];
    let lab = lab("tag red", &format!("tag red; {CIRCLE}"));
    let ended = run(&lab);
    assert_eq!(lab.calls(), calls);
    assert_eq!((ended.counts().as_str(), ended.report.status), ("4 deleted, 1 unchanged", Status::Completed));
    assert_eq!(lab.changes(), [r#"device d {"primary":null}"#]);
    assert_eq!(lab.target().names(), ["tag red"]);
}

#[test]
fn devices_that_name_each_other_are_created_and_deleted() {
    let pair = "location x; device a in=x peers=b; device b in=x peers=a";
    let calls = ["create device a", "create device b", "update device a", "update device b"];
    check(pair, "location x", &calls, "2 created, 1 unchanged");
    let calls = ["update device a", "update device b", "delete device a", "delete device b"];
    check("location x", pair, &calls, "2 deleted, 1 unchanged");
}

#[test]
fn a_deferred_reference_to_what_could_not_be_created_is_a_problem_of_a_record_that_was() {
    let lab = lab(CIRCLE, "").failing(&[("create address 10.0.0.1", Answer::Fail)]);
    let ended = run(&lab);
    assert_eq!(ended.undone(), ["create address 10.0.0.1: failed"]);
    let problems: Vec<_> = ended.report.problems().iter().map(ToString::to_string).collect();
    let problem = "target: device \"d\" was written without its references: address \"10.0.0.1\" does not exist";
    assert_eq!((problems, ended.report.status), (vec![problem.to_owned()], Status::Partial));
    assert_eq!(lab.target().names(), ["device d", "interface d__eth0", "location x"]);
    lab.mend();
    assert_eq!(run(&lab).report.status, Status::Completed);
    assert_eq!(lab.target().shown(), lab.source().shown());
}

#[test]
fn a_deferred_reference_that_cannot_be_set_is_a_failure_of_its_record() {
    let lab = lab(CIRCLE, "").failing(&[("update device d", Answer::Fail)]);
    let ended = run(&lab);
    assert_eq!(ended.undone(), ["create device d: failed"]);
    let reason = ended.report.failures().next().unwrap().reason;
    assert_eq!(reason, "its references could not be set: it does not want to");
    assert_eq!((ended.report.status, lab.completed()), (Status::Partial, 1));
    lab.mend();
    assert_eq!(run(&lab).report.status, Status::Completed);
    assert_eq!(lab.target().shown(), lab.source().shown());
}

#[test]
fn a_deferred_reference_that_cannot_be_taken_back_keeps_the_whole_circle() {
    let lab = lab("", CIRCLE).source_then(|net| net.tags.mark_loaded()).failing(&[("update device d", Answer::Fail)]);
    let ended = run(&lab);
    assert_eq!(
        ended.undone(),
        [
            "delete device d: failed",
            "delete address 10.0.0.1: blocked",
            "delete interface d__eth0: blocked",
            "delete location x: blocked",
        ]
    );
    assert_eq!(lab.calls(), ["update device d"]);
}

#[test]
fn a_run_that_ends_before_references_are_set_says_so_of_their_records() {
    let lab = lab(CIRCLE, "").failing(&[("create address 10.0.0.1", Answer::Fatal)]);
    let ended = run(&lab);
    assert_eq!(ended.undone(), ["create address 10.0.0.1: failed", "create device d: failed"]);
    let reasons: Vec<_> = ended.report.failures().map(|failed| failed.reason).collect();
    assert_eq!(reasons, ["it is gone", "it was created, but the run ended before its references were set"]);
}

#[test]
fn a_run_that_wrote_nothing_but_a_record_without_its_references_is_completed() {
    let lab = lab("location x; device d in=x peers=e; device e in=x", "location x; device e in=x")
        .failing(&[("update device d", Answer::Fail)]);
    let ended = run(&lab);
    assert_eq!((ended.counts().as_str(), lab.completed()), ("2 unchanged, 1 failed", 1));
}

#[test]
fn a_record_that_was_deleted_after_its_references_were_taken_back_is_not_seen_any_more() {
    // The lab expects so of what the core shows it, when it deletes a location and when it completes the run.
    let lab = lab("tag t", &format!("tag t; {CIRCLE}"));
    lab.expects_gone.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!((run(&lab).counts().as_str(), lab.completed()), ("4 deleted, 1 unchanged", 1));
}

#[test]
fn references_are_not_taken_back_for_a_record_that_stays() {
    let lab = lab("location x", CIRCLE)
        .target_then(|net| net.addresses.set_flags(diffsync_core::model::Flags::PREVENT_DESTROY));
    let ended = run(&lab);
    assert_eq!(
        ended.undone(),
        ["delete interface d__eth0: blocked", "delete device d: blocked", "delete address 10.0.0.1: held"]
    );
    assert_eq!(lab.calls(), [""; 0]);
}

#[test]
fn references_are_not_taken_back_from_a_record_that_is_deleted_already() {
    // `old` is deleted before anything is created; it named a device that goes too.
    let lab = lab("location x", "location x; device a in=x peers=b; device b in=x; device c in=x peers=c");
    assert_eq!(run(&lab).counts(), "3 deleted, 1 unchanged");
}

#[test]
fn a_record_whose_deferred_reference_is_left_out_is_created_without_it() {
    let lab = lab(CIRCLE, "location x");
    let mut options = apply();
    options.filter.records.push("device".parse().unwrap());
    let ended = lab.run::<SyncNets>(options);
    assert_eq!((ended.undone().len(), ended.report.status), (0, Status::Completed), "{:?}", ended.undone());
    assert_eq!(lab.target().names(), ["device d", "location x"]);
    assert_eq!(run(&lab).report.status, Status::Completed);
    assert_eq!(lab.target().shown(), lab.source().shown());
}

#[test]
fn a_record_that_moved_and_lacks_a_reference_has_moved() {
    let lab = lab(
        "location b; device d in=b primary=1; address 1; address 2",
        "location a; location b; device d in=a; address 2",
    )
    .failing(&[("create address 1", Answer::Fail)]);
    let ended = run(&lab);
    assert_eq!(ended.undone(), ["create address 1: failed"]);
    assert_eq!(ended.counts(), "1 updated, 1 deleted, 2 unchanged, 1 failed");

    // What it still refers to stays.
    let lab = self::lab(
        "location b; device d in=b primary=1; address 1",
        "location a; location b; device d in=a primary=2; address 2",
    )
    .failing(&[("create address 1", Answer::Fail)]);
    let ended = run(&lab);
    assert_eq!(ended.undone(), ["create address 1: failed", "delete address 2: blocked"]);
}

#[test]
fn a_record_that_moved_and_whose_reference_could_not_be_set_has_moved() {
    let lab = lab("location b; device d in=b primary=1; address 1", "location a; location b; device d in=a")
        .answering(|call, times| if call == "update device d" && times == 1 { Answer::Fail } else { Answer::Do });
    let ended = run(&lab);
    assert_eq!(ended.undone(), ["update device d: failed"]);
    assert_eq!(ended.counts(), "1 created, 1 deleted, 1 unchanged, 1 failed");
}

#[test]
fn references_to_a_record_that_stays_are_not_taken_back() {
    let lab = lab("location x", "location x; device d in=x primary=1; address 1")
        .target_then(|net| net.addresses.set_flags(diffsync_core::model::Flags::PREVENT_DESTROY));
    assert_eq!(run(&lab).counts(), "1 deleted, 1 unchanged, 1 held");
    assert_eq!(lab.calls(), ["delete device d"]);
}

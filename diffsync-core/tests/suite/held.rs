//! What stays since a record collided with it, or was stored in its place, and what lives under that.

use std::sync::atomic::{AtomicUsize, Ordering};

use diffsync_core::model::Flags;
use diffsync_core::report::Status;

use crate::fake_network::{Answer, Handle, InLab, RunResult, SyncBulk, SyncNets, apply, lab};

/// Runs a sync, and says what was not written and why.
fn run<J: InLab>(lab: &Handle) -> (RunResult, Vec<String>) {
    let ended = lab.run::<J>(apply());
    let failures = ended.report.failures();
    let failures = failures.map(|its| format!("{} {} {}: {}", its.operation, its.model, its.record, its.reason));
    let failures = failures.collect();
    (ended, failures)
}

/// A renamed device. Both have the same serial number.
const RENAMED: [&str; 2] =
    ["location z; device new in=z", "location z; device old in=z; interface old/a; interface old/b; device other in=z"];

#[test]
fn what_lives_under_a_record_that_collided_stays() {
    let taken = Answer::TakenBy("device", "old");
    let held = lab(RENAMED[0], RENAMED[1]).failing(&[("create device new", taken)]);
    let (ended, failures) = run::<SyncNets>(&held);
    assert_eq!(ended.counts(), "1 deleted, 1 unchanged, 1 failed, 3 held");
    let under =
        failures.iter().filter(|its| its.ends_with(r#": held, because it lives under device "old", which is held"#));
    assert_eq!(under.count(), 2, "{failures:#?}");
    assert_eq!(held.target().interfaces.len(), 2);
    let bulk = lab(RENAMED[0], RENAMED[1]).failing(&[("create device new", taken)]);
    assert_eq!(run::<SyncBulk>(&bulk).0.counts(), "1 deleted, 1 unchanged, 1 failed, 3 held");

    // Also where it is not known with which record it collided, and where the target would delete them by itself.
    let unnamed = lab(RENAMED[0], RENAMED[1]).failing(&[("create device new", Answer::Taken)]);
    assert_eq!(run::<SyncNets>(&unnamed).0.counts(), "1 unchanged, 1 failed, 4 held");
    let cascading = lab(RENAMED[0], RENAMED[1])
        .failing(&[("create device new", taken)])
        .target_then(|net| net.devices.set_flags(Flags::SKIP_CHILDREN_ON_DELETE))
        .cascading(|name| name.starts_with("device"));
    assert_eq!(run::<SyncNets>(&cascading).0.counts(), "1 deleted, 1 unchanged, 1 failed, 3 held");

    // At any depth of a model that nests in itself, and across models.
    let nested = "location old; location in in=old; location deep in=in; device d in=deep; interface d/a; location z";
    let nested = lab("location new; location z", nested);
    let (ended, _) = run::<SyncNets>(&nested.failing(&[("create location new", Answer::TakenBy("location", "old"))]));
    assert_eq!(ended.counts(), "1 unchanged, 1 failed, 5 held");
}

#[test]
fn what_lives_under_a_record_that_was_written_over_stays() {
    use crate::fake_target::{Answer, Rig, apply, ended, failures};
    use crate::world::records;

    let target = records(&["new-europe", "new-europe/france", "new-europe/france/paris", "asia"]);
    let (report, _) =
        Rig::new(records(&["europe", "asia"]), target).answering("create region europe", Answer::Rename).run(apply());
    assert_eq!(ended(&report), "1 created, 1 unchanged, 3 held", "{:?}", failures(&report));
}

#[test]
fn a_record_that_was_answered_instead_of_another_is_not_deleted() {
    let lab = lab("tag a color=new", "tag a color=old; tag gone").failing(&[("update tag a", Answer::Another)]);
    let (ended, failures) = run::<SyncNets>(&lab);
    assert_eq!(ended.counts(), "1 failed, 1 held");
    assert_eq!(failures[1], r#"delete tag gone: held, because the target stored tag "a" under its identifier"#);
}

#[test]
fn what_is_held_or_failed_is_no_planned_delete() {
    let [source, target] = [RENAMED[0], "location z; location x; device old in=z; device other in=z; device bad in=z"];
    let taken = Answer::TakenBy("device", "old");
    let lab = lab(source, target).failing(&[("create device new", taken), ("delete device bad", Answer::Fail)]);
    let (ended, _) = run::<SyncNets>(&lab);
    assert_eq!(ended.counts(), "2 deleted, 1 unchanged, 2 failed, 1 held");
    assert_eq!(lab.planned_devices(), ["other"]);
}

#[test]
fn every_record_that_has_a_value_of_the_refused_one_is_held() {
    let [source, target] = ["tag new", "tag a; tag b; tag c"];
    let both = lab(source, target).failing(&[("create tag new", Answer::TakenByBoth("tag", ["a", "b"]))]);
    let (ended, failures) = run::<SyncNets>(&both);
    assert_eq!(ended.counts(), "1 deleted, 1 failed, 2 held");
    assert_eq!(failures[0], r#"create tag new: both are taken; tag "a" and tag "b" have values of it"#);

    // The first attempt collides with a record that is not known, the second with another one.
    let answering = |call: &str, times: usize| match (call, times) {
        ("create tag new", 0) => Answer::TakenBy("tag", "elsewhere"),
        ("create tag new", _) => Answer::TakenBy("tag", "a"),
        _ => Answer::Do,
    };
    let lab = lab("tag new; tag more", target).answering(answering);
    assert_eq!(run::<SyncNets>(&lab).0.counts(), "1 created, 1 failed, 3 held");
}

#[test]
fn a_value_is_emptied_although_the_answer_was_lost() {
    for answer in [Answer::DoAndLose, Answer::DoAndPanic] {
        // Both collide, and the third call empties one of them.
        let calls = AtomicUsize::new(0);
        let lab = lab("tenant a code=2; tenant b code=1", "tenant a code=1; tenant b code=2")
            .answering(move |_, _| if calls.fetch_add(1, Ordering::Relaxed) == 2 { answer } else { Answer::Do });
        let (ended, failures) = run::<SyncNets>(&lab);
        assert_eq!((ended.report.status, failures), (Status::Completed, Vec::new()), "{answer:?}");
        assert_eq!(lab.target().shown(), lab.source().shown());
    }
}

#[test]
fn a_fatal_error_while_a_value_is_emptied_ends_the_run() {
    let calls = AtomicUsize::new(0);
    let swap = lab("tenant a code=2; tenant b code=1", "tenant a code=1; tenant b code=2; tag t");
    let lab =
        swap.answering(move |_, _| if calls.fetch_add(1, Ordering::Relaxed) == 2 { Answer::Fatal } else { Answer::Do });
    let (ended, _) = run::<SyncNets>(&lab);
    assert_eq!((ended.report.status, lab.calls().len()), (Status::Failed, 3), "{:?}", lab.calls());
    assert_eq!(ended.outcome("delete tag t"), Some("not_attempted"));
}

/// The tenant `b` cannot be deleted first, since a device still names it.
const GIVEN_UP: [&str; 2] = [
    "location l; device d in=l; tenant n code=1",
    "location l; device d in=l tenant=b; tenant b code=1; device e in=l",
];

#[test]
fn the_value_of_a_record_that_is_held_is_not_emptied() {
    let source = format!("{}; tenant x; tag t", GIVEN_UP[0]);
    let lab = lab(&source, GIVEN_UP[1]).answering(|call, times| match (call, times) {
        ("create tenant x", 0) => Answer::Taken,
        ("create tenant x", _) => Answer::Fail,
        _ => Answer::Do,
    });
    let (ended, failures) = run::<SyncNets>(&lab);
    assert_eq!(ended.outcome("delete tenant b"), Some("held"), "{failures:#?}");
    assert_eq!(lab.target().tenants.get("b").and_then(|tenant| tenant.code.clone()).as_deref(), Some("1"));
}

#[test]
fn a_run_that_ends_before_an_emptied_record_is_deleted_says_so() {
    let lab = lab(GIVEN_UP[0], GIVEN_UP[1]).failing(&[("delete device e", Answer::Fatal)]);
    let (ended, failures) = run::<SyncNets>(&lab);
    assert_eq!(ended.outcome("create tenant n"), Some("created"));
    let expected = "delete tenant b: a unique value of it was emptied to free it for another record, and the run ended \
                    before it was deleted";
    assert!(failures.contains(&expected.to_owned()), "{failures:#?}");
}

#[test]
fn a_chain_of_values_takes_two_calls_for_each_record() {
    // In an order that is neither that of the chain nor its reverse.
    let chain = |shift: usize| {
        (0..40).map(|at| (at * 17) % 40).map(|at| format!("tenant t{at} code={}; ", at + shift)).collect::<String>()
    };
    for (source, target) in [(1, 0), (0, 1)] {
        let lab = lab(&chain(source), &chain(target));
        assert_eq!(run::<SyncNets>(&lab).1, [""; 0]);
        assert!(lab.calls().len() <= 80, "{}", lab.calls().len());
    }
}

//! Blocking: what a failure means for the records around it.

use diffsync_core::plan::OutcomeKind;
use diffsync_core::report::Status;

use crate::fake_network::{Answer, SyncNets, apply, lab};

/// Runs a sync in which these calls fail, and expects this not to have been done, because of these records.
#[track_caller]
fn check(source: &str, target: &str, failing: &[&str], undone: &[(&str, &str)]) {
    for answer in [Answer::Fail, Answer::Panic, Answer::Hang] {
        let answers: Vec<_> = failing.iter().map(|call| (*call, answer)).collect();
        let lab = lab(source, target).failing(&answers);
        let ended = lab.run::<SyncNets>(apply());
        let mut blocked: Vec<_> = ended
            .report
            .failures()
            .filter(|failed| failed.outcome == OutcomeKind::Blocked)
            .map(|failed| (format!("{} {} {}", failed.operation, failed.model, failed.record), failed.reason))
            .collect();
        blocked.sort();
        let mut expected: Vec<_> =
            undone.iter().map(|(call, by)| ((*call).to_owned(), format!("because of {by}"))).collect();
        expected.sort();
        assert_eq!(blocked, expected);
        assert_eq!(ended.undone().len(), failing.len() + undone.len());
        assert!(blocked.iter().all(|(call, _)| !lab.calls().contains(call)), "{:?}", lab.calls());
        // Once nothing fails, another run does the rest.
        lab.mend();
        assert_eq!(lab.run::<SyncNets>(apply()).report.status, Status::Completed);
        assert_eq!(lab.target().shown(), lab.source().shown());
    }
}

#[test]
fn what_refers_to_a_record_that_could_not_be_created_is_blocked_with_all_that_needs_it() {
    check(
        "tenant a; location x; device d in=x tenant=a; interface d/eth0; device e in=x master=d; address 1 on=d/eth0; device f in=x",
        "location x",
        &["create tenant a"],
        &[
            ("create device d", r#"tenant "a""#),
            ("create interface d__eth0", r#"tenant "a""#),
            ("create device e", r#"tenant "a""#),
            ("create address 1", r#"tenant "a""#),
        ],
    );
}

#[test]
fn what_is_to_refer_to_a_record_that_could_not_be_created_is_not_updated() {
    check(
        "tenant a; location x; device d in=x tenant=a",
        "location x; device d in=x",
        &["create tenant a"],
        &[("update device d", r#"tenant "a""#)],
    );
}

#[test]
fn a_failed_update_of_what_is_only_referred_to_blocks_nothing() {
    check(
        "tenant a code=2; tag t color=red; location x; device d in=x tenant=a tags=t; device e in=x master=d",
        "tenant a code=1; tag t; location x",
        &["update tenant a", "update tag t"],
        &[],
    );
}

#[test]
fn a_failed_update_of_a_parent_blocks_nothing_under_it() {
    check("location x kind=new; device d in=x; interface d/eth0", "location x kind=old", &["update location x"], &[]);
    // Nor does an update that is blocked itself.
    check(
        "tenant a; location x; device d in=x tenant=a; interface d/eth0",
        "location x; device d in=x",
        &["create tenant a"],
        &[("update device d", r#"tenant "a""#)],
    );
}

#[test]
fn what_is_new_under_a_record_that_could_not_be_moved_is_created() {
    check(
        "location x; location y; location z in=y; device d in=z",
        "location x; location y; location z in=x",
        &["update location z"],
        &[],
    );
}

#[test]
fn nothing_is_moved_under_a_record_of_its_model_that_could_not_be_moved() {
    // Otherwise `a` would be under `b`, which is still under `a`.
    check(
        "location b; location a in=b",
        "location a; location b in=a",
        &["update location b"],
        &[("update location a", r#"location "b""#)],
    );
}

#[test]
fn a_record_stays_while_one_that_refers_to_it_could_not_be_deleted_or_changed() {
    check(
        "location x; device e in=x",
        "location x; tenant a; tenant b; device d in=x tenant=a; device e in=x tenant=b; device f in=x",
        &["delete device d", "update device e"],
        &[("delete tenant a", r#"device "d""#), ("delete tenant b", r#"device "e""#)],
    );
}

#[test]
fn a_record_stays_while_another_of_its_model_refers_to_it() {
    check(
        "location x",
        "location x; device a in=x master=b; device b in=x master=c; device c in=x",
        &["delete device a"],
        &[("delete device b", r#"device "a""#), ("delete device c", r#"device "b""#)],
    );
}

#[test]
fn one_of_many_references_is_enough_to_stay() {
    check(
        "location x; tag a; device d in=x tags=a",
        "location x; tag a; tag b; tag c; device d in=x tags=a,b,c; device e in=x tags=c",
        &["delete device e"],
        &[("delete tag c", r#"device "e""#)],
    );
}

#[test]
fn a_delete_needs_nothing_of_what_could_not_be_written() {
    check("location x kind=new", "location x kind=old; device d in=x", &["update location x"], &[]);
}

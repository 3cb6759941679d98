//! Outcomes: every record of both sides ends as exactly one of them, and they make the status of the run.

use diffsync_core::model::Flags;
use diffsync_core::report::Status;

use crate::abilities::NoUpdates;
use crate::fake_network::{Answer, SyncNets, apply, lab};
use crate::net::{DeviceId, LocationId, TagId, TenantId};

#[test]
fn a_run_in_which_records_end_as_everything_they_can() {
    let lab = lab(
        "tag new; tag same; tag changed color=red; tag bad; tag odd; tenant t; location l; device d in=l tenant=t; note n",
        "tag same; tag changed; tag old; tag kept; tag left; tag odd; location c; location cc in=c; note n; note gone; tenant u",
    )
    .source_then(|net| net.tags.reject(TagId::new("odd"), "it is odd"))
    .target_then(|net| {
        net.tags.flag(TagId::new("kept"), Flags::PREVENT_DESTROY);
        net.tags.flag(TagId::new("left"), Flags::IGNORE);
        net.locations.flag(LocationId::new("c"), Flags::SKIP_CHILDREN_ON_DELETE);
    })
    .cascading(|name| name == "location c")
    .failing(&[("create tenant t", Answer::Fail), ("delete note gone", Answer::Hang), ("create tag bad", Answer::Panic)]);
    let ended = lab.run::<SyncNets>(apply());
    // The lab sees to it that events, diff and report agree.
    assert_eq!(
        ended.counts(),
        "2 created, 1 updated, 3 deleted, 1 cascaded, 2 unchanged, 1 failed, 1 blocked, 1 held, 1 rejected, 1 left_out, 2 unknown"
    );
    assert_eq!(ended.report.status, Status::Partial);
}

/// Runs a sync that ends in one way only, and expects this status.
#[track_caller]
fn check(answer: Answer, status: Status, counts: &str) {
    let ended = lab("tag a", "").failing(&[("create tag a", answer)]).run::<SyncNets>(apply());
    assert_eq!((ended.report.status, ended.counts().as_str()), (status, counts));
}

#[test]
fn the_status_says_the_worst_that_happened() {
    check(Answer::Do, Status::Completed, "1 created");
    check(Answer::Fail, Status::Partial, "1 failed");
    check(Answer::Panic, Status::Partial, "1 unknown");
    check(Answer::Hang, Status::Partial, "1 unknown");
    check(Answer::Fatal, Status::Failed, "1 failed");
    check(Answer::Unknown, Status::Partial, "1 unknown");
}

#[test]
fn what_was_rejected_or_held_makes_a_run_partial_and_what_was_left_out_does_not() {
    let status = |change: fn(&mut crate::net::Net)| {
        let lab = lab("tag a; location x", "device d in=x; location x; tag a").target_then(change);
        lab.run::<SyncNets>(apply()).report.status
    };
    assert_eq!(status(|net| net.tags.reject(TagId::new("a"), "it is odd")), Status::Partial);
    assert_eq!(status(|net| net.devices.flag(DeviceId::new("d"), Flags::PREVENT_DESTROY)), Status::Partial);
    assert_eq!(status(|net| net.devices.flag(DeviceId::new("d"), Flags::SKIP_UNMATCHED_DST)), Status::Completed);
    assert_eq!(status(|net| net.devices.flag(DeviceId::new("d"), Flags::IGNORE)), Status::Completed);
    assert_eq!(status(|net| net.tenants.flag(TenantId::new("none"), Flags::all())), Status::Completed);
}

#[test]
fn what_the_target_cannot_do_leaves_a_run_completed() {
    let ended = lab("tag a color=red", "tag a").run::<NoUpdates>(apply());
    assert_eq!((ended.report.status, ended.counts().as_str()), (Status::Completed, "1 unsupported"));
}

#[test]
fn a_record_that_is_stored_otherwise_is_a_problem_said_once() {
    // The target that takes a device's references in a second call returns the same password twice.
    let lab = lab("location x; device a in=x peers=a", "location x");
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!((ended.report.problems().len(), ended.report.status), (0, Status::Completed));
}

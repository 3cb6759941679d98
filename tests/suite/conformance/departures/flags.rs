//! What flags leave alone, where the peer goes on.

use diffsync_core::model::{Flags, Operation};
use diffsync_core::report::Status;
use serde_json::{Value, json};

use super::{Network, Ours, first_sync, network, ours_with};
use crate::conformance::answer::contents;
use crate::conformance::asked::{Mark, Marks};
use crate::conformance::memory::Memory;
use crate::conformance::peer::{Question, peer};
use crate::conformance::records::Records;

/// What we make of two sides with a flag on the run.
fn ours_flagged(source: &Network, target: &Network, flags: Flags) -> Ours {
    ours_with(&Memory::new(source.copy()), &Memory::new(target.copy()), |mut options| {
        options.flags = flags;
        options
    })
}

/// A flag on the record of a model that has only one.
fn only(data: &Network, model: &str, mark: Mark) -> Marks {
    let mut marks = Marks::default();
    let rows = data.rows();
    let row = rows.iter().find(|row| row.model() == model).expect("there is one");
    marks.records.insert(row.key(), vec![mark]);
    marks
}

#[test]
fn a_record_that_moved_is_not_created_anew_where_the_peer_only_deletes_it() {
    let Some(peer) = peer() else { return };
    let source = network(&["a", "b"], &[("sw", "b")], &[]);
    let target = network(&["a", "b"], &[("sw", "a")], &[]);

    let flags = ["SKIP_UNMATCHED_SRC"];
    let theirs = peer.ask(&Question::of(&source, &target).flags(&flags, &flags));
    assert_eq!(first_sync(&theirs), ["delete device sw"]);
    assert_eq!(theirs["contents"]["device"], json!([]));

    let ours = ours_flagged(&source, &target, Flags::SKIP_UNMATCHED_SRC);
    assert_eq!(ours.operations, ["update device sw"]);
}

#[test]
fn a_record_that_moved_is_not_deleted_where_the_peer_fails_to_create_it_in_every_run() {
    let Some(peer) = peer() else { return };
    let source = network(&["a", "b"], &[("sw", "b")], &[]);
    let target = network(&["a", "b"], &[("sw", "a")], &[]);

    let flags = ["SKIP_UNMATCHED_DST", "CONTINUE_ON_FAILURE"];
    let theirs = peer.ask(&Question::of(&source, &target).flags(&flags, &flags).syncs(2));
    for sync in 0..2 {
        let errors = &theirs["syncs"][sync]["errors"];
        assert_eq!(*errors, json!(["Failed to create device {'name': 'sw'} - it already exists!"]));
    }

    let ours = ours_flagged(&source, &target, Flags::SKIP_UNMATCHED_DST);
    assert_eq!(ours.operations, ["update device sw"]);
}

#[test]
fn an_ignored_record_that_moved_stays_where_the_peer_deletes_it() {
    let Some(peer) = peer() else { return };
    let source = network(&["a", "b"], &[("sw", "b")], &[]);
    let target = network(&["a", "b"], &[("sw", "a")], &[]);

    // The peer looks at each place by itself, and the record of the old one has no flag.
    let theirs = peer.ask(&Question::of(&source, &target).marked("source", "device", &[&["IGNORE"]]));
    assert_eq!(first_sync(&theirs), ["delete device sw"]);

    let source = Memory::new(source.copy()).marked(&only(&source, "device", Mark::Ignore));
    let ours = ours_with(&source, &Memory::new(target), |options| options);
    assert_eq!(ours.operations, [""; 0]);
    assert_eq!(ours.summary, json!({ "create": 0, "update": 0, "delete": 0, "no-change": 2, "skip": 1 }));
}

#[test]
fn what_lives_above_a_record_that_is_left_alone_stays_where_the_peer_deletes_it() {
    let Some(peer) = peer() else { return };
    let source = network(&["b"], &[], &[]);
    let target = network(&["a", "b"], &[("sw", "a")], &[("sw", "eth0")]);

    for (flag, mark) in [("IGNORE", Mark::Ignore), ("SKIP_UNMATCHED_DST", Mark::SkipUnmatchedDst)] {
        let theirs = peer.ask(&Question::of(&source, &target).marked("target", "device", &[&[flag]]));
        assert_eq!(first_sync(&theirs), ["delete site a"]);
        assert_eq!(theirs["contents"]["device"], json!([{ "name": "sw", "note": "old", "site": "a" }]));
        assert_eq!(theirs["left"], json!({}), "the device is under nothing, and no later diff finds it");

        let memory = Memory::new(target.copy()).marked(&only(&target, "device", mark));
        let ours = ours_with(&Memory::new(source.copy()), &memory, |options| options);
        assert_eq!(ours.operations, [""; 0]);
        assert_eq!(ours.report.status, Status::Partial);
        assert_eq!((ours.report.counts.blocked, ours.report.counts.left_out), (1, 2));
        let reason = ours.report.failures().next().map(|blocked| blocked.reason);
        assert_eq!(reason.as_deref(), Some("because of device \"sw\""));
    }
}

#[test]
fn a_system_is_not_asked_to_delete_what_it_must_leave_alone_where_the_peer_lets_it() {
    let Some(peer) = peer() else { return };
    let source = network(&["b"], &[], &[]);
    let target = network(&["a", "b"], &[("sw", "a")], &[]);

    let question = Question::of(&source, &target).with_target_flags(&json!({
        "site": [["SKIP_CHILDREN_ON_DELETE"], []],
        "device": [["IGNORE"]],
    }));
    let theirs = peer.ask(&question);
    assert_eq!(first_sync(&theirs), ["delete site a"]);
    assert_eq!(theirs["contents"]["device"], json!([]), "the ignored device went with its site");

    let mut marks = only(&target, "device", Mark::Ignore);
    marks.records.extend(only(&target, "site", Mark::SkipChildrenOnDelete).records);
    let memory = Memory::new(target.copy()).marked(&marks);
    let ours = ours_with(&Memory::new(source), &memory, |options| options);
    assert_eq!(ours.operations, [""; 0]);
    assert_eq!(ours.contents, contents(&target));
}

#[test]
fn flags_are_part_of_the_diff_where_the_peer_forgets_them_when_it_is_given_one() {
    let Some(peer) = peer() else { return };
    let source = network(&["a"], &[], &[]);
    let target = network(&["a", "b"], &[], &[]);

    let flags = ["SKIP_UNMATCHED_DST"];
    let theirs = peer.ask(&Question::of(&source, &target).flags(&[], &flags));
    assert_eq!(first_sync(&theirs), ["delete site b"], "asked not to delete when it carries the diff out");

    // There is no other time to give them than before the diff.
    let ours = ours_flagged(&source, &target, Flags::SKIP_UNMATCHED_DST);
    assert_eq!((ours.diff, ours.operations), (json!({}), vec![]));
}

#[test]
fn a_diff_that_leaves_everything_out_does_nothing_where_the_peer_calculates_another() {
    let Some(peer) = peer() else { return };
    let (source, target) = (Network::default(), network(&["a", "b"], &[], &[]));

    // An empty diff passes for none, and the new one is calculated with the flags of the sync.
    let theirs = peer.ask(&Question::of(&source, &target).flags(&["SKIP_UNMATCHED_DST"], &[]).insisting());
    assert_eq!(theirs["diff"], json!({}));
    assert_eq!(first_sync(&theirs), ["delete site a", "delete site b"]);

    let ours = ours_flagged(&source, &target, Flags::SKIP_UNMATCHED_DST);
    assert_eq!((ours.diff, ours.operations), (json!({}), vec![]));
    assert_eq!(ours.report.counts.left_out, 2);
}

#[test]
fn a_flag_of_either_side_holds_where_the_peer_asks_the_side_that_has_the_record() {
    let Some(peer) = peer() else { return };
    let source = network(&["a"], &[], &[]);
    let target = network(&["a", "b"], &[], &[]);

    // On the peer's model, which the source's adapter has and the target's has not.
    let theirs = peer.ask(&Question::of(&source, &target).marked("source", "site", &[&["SKIP_UNMATCHED_DST"]]));
    assert_eq!(first_sync(&theirs), ["delete site b"]);

    let marks = Marks { tables: vec![("site", Mark::SkipUnmatchedDst)], ..Marks::default() };
    let ours = ours_with(&Memory::new(source).marked(&marks), &Memory::new(target), |options| options);
    assert_eq!((ours.operations, ours.report.counts.left_out), (vec![], 1));
}

#[test]
fn all_that_is_left_out_is_counted_where_the_peer_counts_what_it_came_to() {
    let Some(peer) = peer() else { return };
    let source = network(&["a"], &[("sw", "a")], &[("sw", "eth0"), ("sw", "eth1")]);
    let target = network(&[], &[], &[]);

    let flags = ["SKIP_UNMATCHED_SRC"];
    let theirs = peer.ask(&Question::of(&source, &target).flags(&flags, &flags));
    let nothing_and =
        |skip: usize| -> Value { json!({ "create": 0, "update": 0, "delete": 0, "no-change": 0, "skip": skip }) };
    assert_eq!(theirs["summary"], nothing_and(1));

    let ours = ours_flagged(&source, &target, Flags::SKIP_UNMATCHED_SRC);
    assert_eq!(ours.summary, nothing_and(4));
}

#[test]
fn what_goes_with_its_parent_is_counted_as_cascaded_where_the_peer_counts_it_as_deleted() {
    let Some(peer) = peer() else { return };
    let source = network(&["b"], &[], &[]);
    let target = network(&["a", "b"], &[("sw", "a")], &[("sw", "eth0")]);

    let flags: &[&[&str]] = &[&["SKIP_CHILDREN_ON_DELETE"], &[]];
    let theirs = peer.ask(&Question::of(&source, &target).marked("target", "site", flags));
    assert_eq!(first_sync(&theirs), ["delete site a"]);
    assert_eq!(theirs["summary"]["delete"], json!(3));

    let memory = Memory::new(target.copy()).marked(&only(&target, "site", Mark::SkipChildrenOnDelete));
    let ours = ours_with(&Memory::new(source), &memory, |options| options);
    assert_eq!(ours.operations, ["delete site a"]);
    let counts = ours.report.counts;
    assert_eq!((ours.summary["delete"].clone(), counts.deleted, counts.cascaded), (json!(1), 1, 2));
    assert_eq!(theirs["diff"], ours.diff, "the document shows all three, as the peer's does");
    assert_eq!(ours.report.status, Status::Completed);
}

/// The peer reports what went before only by what it did.
#[test]
fn a_run_that_stops_reports_the_rest_where_the_peer_ends_with_an_exception() {
    let Some(peer) = peer() else { return };
    let source = network(&["a", "b", "c"], &[], &[]);
    let target = Network::default();

    let theirs = peer.ask(&Question::of(&source, &target).failing("create", "site", "b").flags(&[], &[]));
    assert_eq!(
        (&theirs["exception"], &theirs["message"]),
        (&json!("ObjectNotCreated"), &json!("create is made to fail"))
    );

    let target = Memory::new(target).failing(Operation::Create, "site", "b");
    let ours = ours_with(&Memory::new(source), &target, |mut options| {
        options.continue_on_failure = false;
        options.concurrency = std::num::NonZeroUsize::new(1);
        options
    });
    assert_eq!(ours.operations, ["create site a"]);
    let counts = ours.report.counts;
    assert_eq!((counts.created, counts.failed, counts.not_attempted), (1, 1, 1));
    assert_eq!(ours.report.status, Status::Failed);
}

#[test]
fn a_name_that_differs_only_in_case_is_held_where_the_peer_deletes_it() {
    let Some(peer) = peer() else { return };
    let (source, target) = (network(&["AMS"], &[], &[]), network(&["ams"], &[], &[]));

    let theirs = peer.ask(&Question::of(&source, &target));
    assert_eq!(first_sync(&theirs), ["create site AMS", "delete site ams"]);

    let ours = ours_with(&Memory::new(source.copy()), &Memory::new(target.copy()), |options| options);
    assert_eq!((ours.operations, ours.report.status), (vec!["create site AMS".to_owned()], Status::Partial));
}

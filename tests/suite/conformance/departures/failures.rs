//! The order of deletes, and what follows from a record that could not be written.

use diffsync_core::model::Operation;
use diffsync_core::report::{RunReport, Status};
use serde_json::json;

use super::{Network, Site, first_sync, network, ours};
use crate::conformance::memory::Memory;
use crate::conformance::peer::{Question, peer};
use crate::conformance::records::Records;

/// A site stays on both sides, since a source that is empty is another matter.
fn before_and_after() -> (Network, Network) {
    (network(&["a", "b"], &[("sw", "a")], &[("sw", "eth0")]), network(&["b"], &[], &[]))
}

/// Failed and blocked records, with the outcome.
fn failures(report: &RunReport) -> Vec<String> {
    report.failures().map(|failed| format!("{} {}: {}", failed.model, failed.record, failed.outcome)).collect()
}

#[test]
fn deletes_begin_at_the_bottom_where_the_peer_begins_at_the_top() {
    let Some(peer) = peer() else { return };
    let (target, source) = before_and_after();

    let theirs = peer.ask(&Question::of(&source, &target));
    assert_eq!(first_sync(&theirs), ["delete site a", "delete device sw", "delete port sw/eth0"]);

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.operations, ["delete port sw/eth0", "delete device sw", "delete site a"]);
}

#[test]
fn a_parent_stays_as_long_as_its_child_where_the_peer_leaves_the_child_behind_unseen() {
    let Some(peer) = peer() else { return };
    let (target, source) = before_and_after();

    let theirs = peer.ask(&Question::of(&source, &target).failing("delete", "port", "sw__eth0"));
    assert_eq!(first_sync(&theirs), ["delete site a", "delete device sw"]);
    assert_eq!(theirs["contents"]["port"], json!([{ "device": "sw", "name": "eth0" }]));
    assert_eq!(theirs["left"], json!({}), "the port is there, and no later run will ever see it");

    let memory = Memory::new(target).failing(Operation::Delete, "port", "sw__eth0");
    let first = ours(source.copy(), &memory);
    assert_eq!(first.operations, [""; 0]);
    assert_eq!(failures(&first.report), ["site a: blocked", "device sw: blocked", "port sw__eth0: failed"]);
    assert_eq!(first.report.status, Status::Partial);
    let next = ours(source, &memory);
    assert_eq!(next.summary, first.summary, "the next run tries again");
}

/// The other side of deleting from the bottom: what lives under a record that cannot be deleted is gone by then.
#[test]
fn a_parent_that_cannot_be_deleted_is_left_without_children_where_the_peer_keeps_them() {
    let Some(peer) = peer() else { return };
    let (target, source) = before_and_after();

    let theirs = peer.ask(&Question::of(&source, &target).failing("delete", "site", "a"));
    assert_eq!(first_sync(&theirs), [""; 0]);
    assert_eq!(theirs["syncs"][0]["errors"], json!(["delete is made to fail"]));

    let ours = ours(source, &Memory::new(target).failing(Operation::Delete, "site", "a"));
    assert_eq!(ours.operations, ["delete port sw/eth0", "delete device sw"]);
    assert_eq!(failures(&ours.report), ["site a: failed"]);
}

#[test]
fn what_lives_under_a_failed_record_is_reported_as_blocked_where_the_peer_says_nothing() {
    let Some(peer) = peer() else { return };
    let (source, target) = before_and_after();

    // The package reports the one failure to its log, returns as from a success, and has counted three creates.
    let theirs = peer.ask(&Question::of(&source, &target).failing("create", "site", "a"));
    let sync = &theirs["syncs"][0];
    assert_eq!((&sync["operations"], &sync["errors"]), (&json!([]), &json!(["create is made to fail"])));
    assert_eq!(theirs["summary"]["create"], json!(3));

    let ours = ours(source, &Memory::new(target).failing(Operation::Create, "site", "a"));
    assert_eq!(failures(&ours.report), ["site a: failed", "device sw: blocked", "port sw__eth0: blocked"]);
    assert_eq!(ours.report.status, Status::Partial);
    assert_eq!((ours.report.counts.created, ours.report.counts.failed, ours.report.counts.blocked), (0, 1, 2));
}

/// A parent that could not be updated is there all the same: the peer does not look any further.
#[test]
fn what_a_failed_update_does_not_concern_is_done_where_the_peer_does_not_come_to_it() {
    let Some(peer) = peer() else { return };
    let mut source = network(&["a"], &[("same", "a"), ("new", "a")], &[("same", "eth0")]);
    source.sites = [Site { name: "a".into(), note: "new".into() }].into_iter().collect();
    let target = network(&["a"], &[("same", "a"), ("old", "a")], &[]);

    let theirs = peer.ask(&Question::of(&source, &target).failing("update", "site", "a"));
    assert_eq!(first_sync(&theirs), [""; 0]);
    assert_eq!(theirs["left"], theirs["diff"]);

    let ours = ours(source, &Memory::new(target).failing(Operation::Update, "site", "a"));
    assert_eq!(failures(&ours.report), ["site a: failed"]);
    assert_eq!(ours.operations, ["create device new", "create port same/eth0", "delete device old"]);
}

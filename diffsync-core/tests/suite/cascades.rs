//! Deletes that the target carries out by itself, with what lives under a record.

use diffsync_core::model::Flags;
use diffsync_core::report::Status;

use crate::fake_network::{Answer, Handle, SyncNets, apply, lab};
use crate::net::{DeviceId, LocationId};

const TREE: &str = "tag t; location x; location y in=x; device d in=y; interface d/eth0; interface d/eth1";

/// A target that deletes this location with all that lives under it.
fn cascading(target: &str, location: &'static str) -> Handle {
    lab("tag t", target)
        .target_then(move |net| net.locations.flag(LocationId::new(location), Flags::SKIP_CHILDREN_ON_DELETE))
        .cascading(move |name| name == format!("location {location}"))
}

#[test]
fn what_lives_under_a_record_goes_with_it_without_being_asked_for() {
    let lab = cascading(TREE, "x");
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(lab.calls(), ["delete location x"]);
    assert_eq!(ended.counts(), "1 deleted, 4 cascaded, 1 unchanged");
    assert_eq!((ended.report.status, lab.target().names()), (Status::Completed, vec!["tag t".to_owned()]));
    assert_eq!(ended.report.counts.written(), 5);
    let total = ended.report.summary().unwrap().total;
    assert_eq!((total.delete, total.cascade), (1, 4));
}

#[test]
fn only_what_lives_under_the_record_goes_with_it() {
    let lab = cascading(TREE, "y");
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(lab.calls(), ["delete location y", "delete location x"]);
    assert_eq!(ended.counts(), "2 deleted, 3 cascaded, 1 unchanged");
}

#[test]
fn where_the_delete_fails_nothing_has_gone() {
    let lab = cascading(TREE, "y").failing(&[("delete location y", Answer::Fail)]);
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.counts(), "1 unchanged, 1 failed, 4 blocked");
    assert_eq!(ended.outcome("delete interface d__eth0"), Some("blocked"));
    assert_eq!(ended.outcome("delete location x"), Some("blocked"));
    assert_eq!(lab.calls(), ["delete location y"]);
}

#[test]
fn where_the_delete_may_have_been_done_the_rest_may_have_gone() {
    let lab = cascading(TREE, "x").failing(&[("delete location x", Answer::DoAndHang)]);
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.counts(), "1 unchanged, 5 unknown");
    lab.mend();
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "1 unchanged");
}

#[test]
fn where_the_delete_was_not_attempted_nothing_was() {
    let lab = cascading(&format!("{TREE}; note n"), "x").failing(&[("delete note n", Answer::Fatal)]);
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "1 unchanged, 1 failed, 5 not_attempted");
}

#[test]
fn a_record_stays_while_something_else_refers_to_what_would_go_with_it() {
    let target = format!("{TREE}; address 1 on=d/eth1");
    // The address is to go too, and fails.
    let lab = cascading(&target, "x").failing(&[("delete address 1", Answer::Fail)]);
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.undone()[..2], ["delete address 1: failed", "delete location x: blocked"]);
    assert_eq!(ended.counts(), "1 unchanged, 1 failed, 5 blocked");
    assert_eq!(lab.calls(), ["delete address 1"]);
    let reasons: Vec<_> = ended.report.failures().map(|failed| failed.reason).collect();
    assert!(reasons[1..].iter().all(|reason| reason == r#"because of address "1""#), "{reasons:?}");

    // It is not to go at all.
    let lab = cascading(&target, "x").target_then(|net| {
        net.locations.flag(LocationId::new("x"), Flags::SKIP_CHILDREN_ON_DELETE);
        net.addresses.set_flags(Flags::SKIP_UNMATCHED_DST);
    });
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "1 unchanged, 5 blocked, 1 left_out");

    // It goes before.
    let lab = cascading(&target, "x");
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "2 deleted, 4 cascaded, 1 unchanged");
    assert_eq!(lab.calls(), ["delete address 1", "delete location x"]);
}

#[test]
fn a_circle_within_what_goes_along_is_opened_from_outside() {
    let target = TREE.replace("device d in=y", "device d in=y primary=1; address 1 on=d/eth0");
    let lab = lab("tag t", &target)
        .target_then(|net| net.devices.set_flags(Flags::SKIP_CHILDREN_ON_DELETE))
        .cascading(|name| name == "device d");
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(
        lab.calls(),
        ["update device d", "delete address 1", "delete device d", "delete location y", "delete location x"]
    );
    assert_eq!(ended.counts(), "4 deleted, 2 cascaded, 1 unchanged");
}

#[test]
fn what_must_not_be_deleted_does_not_go_along() {
    let lab = cascading(TREE, "x").target_then(|net| {
        net.locations.flag(LocationId::new("x"), Flags::SKIP_CHILDREN_ON_DELETE);
        net.devices.flag(DeviceId::new("d"), Flags::PREVENT_DESTROY);
    });
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.counts(), "2 deleted, 1 unchanged, 2 blocked, 1 held");
    assert_eq!(lab.calls(), ["delete interface d__eth0", "delete interface d__eth1"]);
}

#[test]
fn what_moves_away_does_not_go_along() {
    let lab =
        lab("location z; device d in=z; interface d/eth0", "location x; location z; device d in=x; interface d/eth0")
            .target_then(|net| net.locations.set_flags(Flags::SKIP_CHILDREN_ON_DELETE))
            .cascading(|name| name.starts_with("location"));
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "1 updated, 1 deleted, 2 unchanged");
    assert_eq!((lab.calls(), lab.cascaded().len()), (vec!["update device d".into(), "delete location x".into()], 0));

    let lab = lab.failing(&[("update device d", Answer::Fail)]);
    lab.set_source("location w; device d in=w; interface d/eth0");
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.undone(), ["update device d: failed", "delete location z: blocked"]);
}

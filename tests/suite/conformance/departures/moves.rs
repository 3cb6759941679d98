//! Records that live under another parent than before.

use diffsync_core::report::Status;
use diffsync_core::{Dataset, SyncModel, Table};
use serde_json::json;

use super::{Site, first_sync, network, ours};
use crate::conformance::memory::{Memory, synced};
use crate::conformance::peer::{Question, peer};
use crate::conformance::records::Records;

#[test]
fn a_moved_record_is_one_update_where_the_peer_deletes_and_creates() {
    let Some(peer) = peer() else { return };
    let source = network(&["a", "b"], &[("sw", "b")], &[("sw", "eth0")]);
    let target = network(&["a", "b"], &[("sw", "a")], &[("sw", "eth0")]);

    let theirs = peer.ask(&Question::of(&source, &target));
    assert_eq!(
        theirs["diff"],
        json!({ "site": {
            "a": { "+": {}, "-": {}, "device": { "sw": {
                "-": { "note": "old", "site": "a" }, "port": { "sw__eth0": { "-": {} } } } } },
            "b": { "+": {}, "-": {}, "device": { "sw": {
                "+": { "note": "old", "site": "b" }, "port": { "sw__eth0": { "+": {} } } } } },
        } })
    );
    assert_eq!(theirs["summary"], json!({ "create": 2, "update": 0, "delete": 2, "no-change": 2, "skip": 0 }));
    assert_eq!(
        first_sync(&theirs),
        ["delete device sw", "delete port sw/eth0", "create device sw", "create port sw/eth0"]
    );

    let ours = ours(source, &Memory::new(target));
    assert_eq!(
        ours.diff,
        json!({ "site": { "b": { "device": { "sw": { "+": { "site": "b" }, "-": { "site": "a" } } } } } })
    );
    assert_eq!(ours.summary, json!({ "create": 0, "update": 1, "delete": 0, "no-change": 3, "skip": 0 }));
    assert_eq!(ours.operations, ["update device sw"]);
}

/// Whether the peer's move works depends on which of the two parents it comes to first.
#[test]
fn a_moved_record_is_never_missing_where_the_peer_loses_it_until_the_next_run() {
    let Some(peer) = peer() else { return };
    let source = network(&["b", "a"], &[("sw", "b")], &[("sw", "eth0")]);
    let target = network(&["b", "a"], &[("sw", "a")], &[("sw", "eth0")]);

    let once = peer.ask(&Question::of(&source, &target));
    assert_eq!(once["syncs"][0]["errors"], json!(["Failed to create device {'name': 'sw'} - it already exists!"]));
    assert_eq!(first_sync(&once), ["delete device sw", "delete port sw/eth0"]);
    assert_eq!((&once["contents"]["device"], &once["contents"]["port"]), (&json!([]), &json!([])));
    let twice = peer.ask(&Question::of(&source, &target).syncs(2));
    assert_eq!(twice["left"], json!({}), "the second run puts it back");

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.operations, ["update device sw"]);
    assert_eq!(ours.contents["device"]["[\"sw\"]"], json!({ "name": "sw", "site": "b", "note": "old" }));
}

#[test]
fn a_record_leaves_its_parent_before_that_is_deleted_where_the_peer_loses_it() {
    let Some(peer) = peer() else { return };
    let source = network(&["b"], &[("sw", "b")], &[("sw", "eth0")]);
    let target = network(&["a", "b"], &[("sw", "a")], &[("sw", "eth0")]);

    let theirs = peer.ask(&Question::of(&source, &target));
    assert_eq!(first_sync(&theirs), ["delete site a", "delete device sw", "delete port sw/eth0"]);
    assert_eq!(theirs["contents"]["device"], json!([]));

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.operations, ["update device sw", "delete site a"]);
    assert_eq!(ours.report.status, Status::Completed);
}

#[derive(SyncModel, Clone)]
struct Rack {
    #[sync(id, parent = Site)]
    site: String,
    #[sync(id)]
    name: String,
    height: i64,
}

#[derive(Dataset, Default)]
struct Racks {
    sites: Table<Site>,
    racks: Table<Rack>,
}

synced!(SyncRacks: Racks { sites, racks });

/// No departure, but what makes the others ones: a rack in another site is another rack, and nobody moved it.
#[test]
fn a_parent_in_the_identifier_makes_another_record_for_the_peer_and_for_us() {
    let Some(peer) = peer() else { return };
    let racks = |site: &str| Racks {
        sites: network(&["a", "b"], &[], &[]).sites,
        racks: [Rack { site: site.into(), name: "r1".into(), height: 42 }].into_iter().collect(),
    };
    let (source, target) = (racks("b"), racks("a"));

    let theirs = peer.ask(&Question::of(&source, &target));
    let ours = ours(source.copy(), &Memory::new(target));
    assert_eq!(theirs["summary"], json!({ "create": 1, "update": 0, "delete": 1, "no-change": 2, "skip": 0 }));
    assert_eq!(ours.summary, theirs["summary"]);
    assert_eq!(
        ours.diff,
        json!({ "site": {
            "a": { "rack": { "a__r1": { "-": { "height": 42 } } } },
            "b": { "rack": { "b__r1": { "+": { "height": 42 } } } },
        } })
    );
    assert_eq!(theirs["diff"]["site"]["a"]["rack"], ours.diff["site"]["a"]["rack"]);
    assert_eq!(theirs["diff"]["site"]["b"]["rack"], ours.diff["site"]["b"]["rack"]);
}

//! How the diff is written down.

use serde_json::json;

use super::{network, ours};
use crate::conformance::memory::Memory;
use crate::conformance::peer::{Question, peer};

#[test]
fn what_stands_above_a_change_has_no_signs_where_the_peer_writes_empty_ones() {
    let Some(peer) = peer() else { return };
    let source = network(&["a"], &[("sw", "a")], &[("sw", "eth0")]);
    let target = network(&["a"], &[("sw", "a")], &[]);

    let theirs = peer.ask(&Question::of(&source, &target));
    let port = json!({ "sw__eth0": { "+": {} } });
    assert_eq!(
        theirs["diff"],
        json!({ "site": { "a": { "+": {}, "-": {}, "device": { "sw": { "+": {}, "-": {}, "port": port } } } } })
    );

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.diff, json!({ "site": { "a": { "device": { "sw": { "port": port } } } } }));
}

//! `LOG_UNCHANGED_RECORDS`: which records are said to be the same on both sides.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::sides::still_pair;
use crate::conformance::answer::{Unchanged, sorted};
use crate::conformance::memory::{Memory, run_with, unlimited};
use crate::conformance::peer::{Peer, Question, peer};
use crate::conformance::records::Name;
use crate::conformance::shapes::Shape;
use crate::conformance::shapes::named::Named;
use crate::conformance::shapes::placed::Placed;

/// How many pairs of sides of each shape.
const SEEDS: u64 = 30;

#[test]
fn the_peer_agrees_on_what_is_said_of_unchanged_records() {
    let Some(peer) = peer() else { return };
    let said = check::<Placed>(peer) + check::<Named>(peer);
    assert!(said > 500, "records stay as they are: {said}");
}

/// How many records are said to be unchanged.
fn check<D: Shape>(peer: &Peer) -> usize {
    let mut said = 0;
    for seed in 0..SEEDS {
        let (source, target) = still_pair::<D>(seed);
        for flags in [&["CONTINUE_ON_FAILURE", "LOG_UNCHANGED_RECORDS"][..], &["CONTINUE_ON_FAILURE"]] {
            let question = Question::of(&source, &target).flags(&[], flags).listening();
            let peers = peers(&source, &target, &peer.ask(&question));
            // With the flag that the peer has not, ours must not be the same: whoever forgets it is found out.
            for is_asked in [true, false] {
                let ours = ours(&source, &target, is_asked);
                let agrees = is_asked == (flags.len() == 2) || ours == json!([]) && peers == json!([]);
                assert_eq!(ours == peers, agrees, "seed {seed}: ours are {ours}, the peer's {peers}");
            }
            said += peers.as_array().map_or(0, Vec::len);
        }
    }
    said
}

fn ours<D: Shape>(source: &D, target: &D, is_asked: bool) -> Value {
    let unchanged = Arc::new(Unchanged::default());
    let (source, target) = (Memory::new(source.copy()), Memory::new(target.copy()));
    let report = run_with(&source, &target, vec![unchanged.clone()], |mut options| {
        options.log_unchanged_records = is_asked;
        unlimited::<D>(options)
    });
    unchanged.names(&report)
}

/// The records that the peer's log names.
fn peers<D: Shape>(source: &D, target: &D, answer: &Value) -> Value {
    let rows = source.rows().into_iter().chain(target.rows());
    let texts: HashMap<Name, String> = rows.map(|row| (row.name(), row.text)).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let logged = answer["syncs"][0]["unchanged"].as_array().into_iter().flatten();
    let logged = logged.map(|record| json!([record[0], texts[&(text(&record[0]), text(&record[1]))]]));
    sorted(logged.collect())
}

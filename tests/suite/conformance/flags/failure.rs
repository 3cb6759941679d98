//! `CONTINUE_ON_FAILURE`: what a run does when the target refuses a record.

use std::collections::{HashMap, HashSet};

use diffsync_core::model::Operation;
use diffsync_core::report::{RunError, Status};
use serde_json::json;

use super::FLIPPED;
use super::sides::still_pair;
use crate::conformance::answer::{Answer, contents};
use crate::conformance::asked::{Asked, Mark, union};
use crate::conformance::memory::{Memory, run, run_with, unlimited};
use crate::conformance::peer::{Peer, Question, peer};
use crate::conformance::records::{Key, Records};
use crate::conformance::shapes::Shape;
use crate::conformance::shapes::named::Named;
use crate::conformance::shapes::placed::Placed;
use crate::conformance::tree::Dice;
use crate::conformance::{agreed, both};

/// How many pairs of sides of each shape.
const SEEDS: u64 = 30;

/// The peer deletes children first here, as we always do; the other order has departures of its own.
#[test]
fn the_peer_agrees_on_what_is_done_when_records_fail() {
    let Some(peer) = peer() else { return };
    let [failed, blocked, flipped] = [going_on::<Placed>(peer), going_on::<Named>(peer)]
        .into_iter()
        .fold([0; 3], |sum, more| [sum[0] + more[0], sum[1] + more[1], sum[2] + more[2]]);
    println!("{failed} failed, {blocked} blocked, {flipped} failures were kept from the peer");
    assert!(failed > 200 && blocked > 100 && flipped >= 8, "{failed}, {blocked}, {flipped}");
}

fn going_on<D: Shape>(peer: &Peer) -> [u64; 3] {
    let mut sum = [0; 3];
    let mut seeds_flipped = 0;
    for seed in 0..SEEDS {
        let (source, target) = still_pair::<D>(seed);
        let asked = failing(&source, &target, seed);
        let question = Question::asked(&source, &target, &asked);
        let (ours, peers) = both(peer, &source, &target, &asked, &question);
        let (ours, peers) = agreed(&format!("seed {seed}"), ours, peers, &question);
        sum[0] += peers.failed();
        sum[1] += peers.blocked();
        if peers.failed() > 0 && seeds_flipped < FLIPPED {
            seeds_flipped += 1;
            // Without a failure, and without the flag, the peer does something else, and that is noticed.
            let mut other = asked.clone();
            other.failing.clear();
            let forgetful = Question::asked(&source, &target, &asked).flags(&[], &[]);
            for question in [Question::asked(&source, &target, &other), forgetful] {
                let answer = peer.ask(&question);
                let peers = Answer::peers(&source, &target, &asked, &answer);
                assert!(!peers.is_ok_and(|peers| ours.disagreement(&peers).is_none()), "nobody noticed, seed {seed}");
                sum[2] += 1;
            }
        }
    }
    sum
}

/// Where it stops follows from the order, in which the two differ. What is the same: it does, at the first failure, and
/// nothing is done that the diff does not say.
#[test]
fn the_peer_and_we_stop_at_the_first_failure_when_asked_to() {
    let Some(peer) = peer() else { return };
    let stopped = stopping::<Placed>(peer) + stopping::<Named>(peer);
    assert!(stopped > 30, "runs were stopped: {stopped}");
}

fn stopping<D: Shape>(peer: &Peer) -> usize {
    let mut stopped = 0;
    for seed in 0..SEEDS {
        let (source, target) = still_pair::<D>(seed);
        let asked = failing(&source, &target, seed);
        if asked.failing.is_empty() {
            continue;
        }
        stopped += 1;
        let theirs = peer.ask(&Question::asked(&source, &target, &asked).flags(&[], &[]));
        let all = peer.ask(&Question::of(&source, &target));
        let planned = all["syncs"][0]["operations"].as_array().expect("something fails, so something is to be done");
        assert_eq!(theirs["step"], json!("sync"), "seed {seed}");
        assert_eq!(theirs["done"]["failed"].as_array().map(Vec::len), Some(1), "seed {seed}");

        let (from, into) = (Memory::new(source.copy()), Memory::new(target.copy()));
        let into =
            asked.failing.iter().fold(into, |target, (operation, model, uid)| target.failing(*operation, model, uid));
        let report = run_with(&from, &into, Vec::new(), |mut options| {
            options.continue_on_failure = false;
            // Those that are in flight at the time would still end.
            options.concurrency = std::num::NonZeroUsize::new(1);
            unlimited::<D>(options)
        });
        let counts = report.counts;
        assert!(matches!(report.error, Some(RunError::Stopped { failed: 1, .. })), "seed {seed}: {report:?}");
        assert_eq!((report.status, counts.failed), (Status::Failed, 1), "seed {seed}");
        let ours = into.take_operations();
        assert_eq!(ours.len() + 1 + counts.blocked + counts.not_attempted, planned.len(), "seed {seed}: {counts:?}");
        for done in [&ours, theirs["done"]["operations"].as_array().expect("it says what it did")] {
            assert!(done.iter().all(|operation| planned.contains(operation)), "seed {seed}: {done:?}");
        }
        // And running again is safe: once nothing fails any more, both sides are the same.
        let repaired = Memory::new(into.data());
        assert_eq!(run(&from, &repaired).status, Status::Completed, "seed {seed}");
        assert_eq!(contents(&repaired.data()), contents(&source), "seed {seed}");
    }
    stopped
}

/// Lets some operations fail. Those updates are spared below which the two part ways: see the departures.
fn failing<D: Records>(source: &D, target: &D, seed: u64) -> Asked {
    let mut dice = Dice::new(seed);
    let mut asked = Asked::default();
    asked.target.tables = D::SCHEMAS.iter().map(|schema| (schema.name, Mark::NaturalDeletionOrder)).collect();
    let union = union(source, target);
    let operations: HashMap<&Key, Operation> = union
        .iter()
        .filter_map(|(key, pair)| {
            let operation = match pair {
                (Some(_), None) => Operation::Create,
                (None, Some(_)) => Operation::Delete,
                (Some(source), Some(target)) if source.attrs() != target.attrs() => Operation::Update,
                _ => return None,
            };
            Some((key, operation))
        })
        .collect();
    // The peer does nothing below a failed update; we do all that the update does not concern.
    let mut spared = HashSet::new();
    for key in operations.keys() {
        let parent = |key: &Key| union.get(key).and_then(|(one, other)| one.as_ref().or(other.as_ref())?.parent());
        spared.extend(std::iter::successors(parent(key), parent));
    }
    for (key, (one, other)) in &union {
        let (Some(row), Some(operation)) = (one.as_ref().or(other.as_ref()), operations.get(key)) else { continue };
        if dice.percent(15) && !(*operation == Operation::Update && spared.contains(key)) {
            asked.failing.push((*operation, row.model(), row.uid.clone()));
        }
    }
    asked
}

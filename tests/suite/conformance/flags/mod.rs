//! Each flag of the peer on random sides: both get the same records with the same flags, and must make the same of them.
//!
//! What follows from our rules where the peer has none (see `fates.rs`) is worked out from the peer's own answer, and has
//! tests of its own in `departures/flags.rs`.

mod failure;
mod models;
mod sides;
mod unchanged;

use std::ops::Range;

use serde_json::{Value, json};

use self::sides::{Place, asked, still_pair};
use super::answer::Answer;
use super::asked::{Asked, Mark, union};
use super::peer::{Peer, Question, peer};
use super::shapes::Shape;
use super::shapes::named::Named;
use super::shapes::placed::Placed;
use super::{agreed, both};

/// How many pairs of sides each flag is tried with, at each place where it can be set, for each shape.
const SEEDS: u64 = 36;

/// Of how many of them it is seen that the comparison notices a flag that is missing.
const FLIPPED: usize = 2;

#[test]
fn the_peer_agrees_on_ignored_records() {
    let Some(tally) = tally(&[Mark::Ignore], &[Place::Records, Place::Table]) else { return };
    assert!(tally.out > 1000 && tally.blocked > 20, "records are left alone, also under deleted ones: {tally:?}");
}

#[test]
fn the_peer_agrees_on_records_that_are_not_created() {
    let places = [Place::Records, Place::Table, Place::Run];
    let Some(tally) = tally(&[Mark::SkipUnmatchedSrc], &places) else { return };
    assert!(tally.out > 1000 && tally.blocked == 0, "creates are left out, and nothing else: {tally:?}");
}

#[test]
fn the_peer_agrees_on_records_that_are_not_deleted() {
    let places = [Place::Records, Place::Table, Place::Run];
    let Some(tally) = tally(&[Mark::SkipUnmatchedDst], &places) else { return };
    assert!(tally.out > 1000 && tally.blocked > 20, "deletes are left out, also under deleted records: {tally:?}");
}

#[test]
fn the_peer_agrees_on_records_that_are_neither_created_nor_deleted() {
    let places = [Place::Records, Place::Table, Place::Run];
    let Some(tally) = tally(&[Mark::SkipUnmatchedBoth], &places) else { return };
    assert!(tally.out > 1000, "creates and deletes are left out: {tally:?}");
}

#[test]
fn the_peer_agrees_on_records_whose_children_the_system_deletes() {
    let Some(tally) = tally(&[Mark::SkipChildrenOnDelete], &[Place::Records, Place::Table]) else { return };
    assert!(tally.cascaded > 200 && tally.out == 0, "records go with their parents: {tally:?}");
}

#[test]
fn the_peer_agrees_on_records_that_are_deleted_after_their_children() {
    let Some(tally) = tally(&[Mark::NaturalDeletionOrder], &[Place::Records, Place::Table]) else { return };
    assert!(tally.child_first > 300 && tally.out == 0, "children go first: {tally:?}");
}

#[test]
fn the_peer_agrees_on_all_flags_together() {
    let Some(tally) = tally(&Mark::ALL, &[Place::Everywhere; 3]) else { return };
    let seen = [tally.out, tally.cascaded, tally.blocked, tally.child_first].into_iter().min();
    assert!(seen > Some(10), "all of them at once: {tally:?}");
}

/// What the seeds came to, all together.
#[derive(Debug, Default)]
struct Tally {
    pairs: usize,
    records: usize,
    /// Records that took no part.
    out: u64,
    cascaded: u64,
    blocked: u64,
    /// Deletes that came before that of the parent.
    child_first: u64,
    /// Flags that were kept from the peer, which made a difference to it.
    flipped: usize,
}

/// Lets both work on the sides of all seeds with these flags at each of these places, and compares.
fn tally(marks: &[Mark], places: &[Place]) -> Option<Tally> {
    let peer = peer()?;
    let mut tally = Tally::default();
    for (round, place) in (0..).zip(places) {
        let flipped = tally.flipped;
        let seeds = round * SEEDS..(round + 1) * SEEDS;
        tally.add_seeds::<Placed>(peer, marks, *place, seeds.clone());
        tally.add_seeds::<Named>(peer, marks, *place, seeds);
        assert!(tally.flipped - flipped >= FLIPPED, "a flag more or less is noticed, {place:?}: {tally:?}");
    }
    println!("{marks:?} at {places:?}: {tally:?}");
    Some(tally)
}

impl Tally {
    fn add_seeds<D: Shape>(&mut self, peer: &Peer, marks: &[Mark], place: Place, seeds: Range<u64>) {
        let mut seeds_flipped = 0;
        for seed in seeds {
            let (source, target) = still_pair::<D>(seed);
            let asked = asked(&source, &target, seed, marks, place);
            let question = Question::asked(&source, &target, &asked);
            let (ours, peers) = both(peer, &source, &target, &asked, &question);
            let (ours, peers) = agreed(&format!("seed {seed}, {marks:?} at {place:?}"), ours, peers, &question);
            self.pairs += 1;
            self.records += union(&source, &target).len();
            self.out += peers.count("skip");
            self.cascaded += peers.count("cascade");
            self.blocked += peers.blocked();
            self.child_first += peers.child_first.as_array().map_or(0, |pairs| pairs.len() as u64);
            // Whether the children of a record go with it makes no difference to us if it stays because of another flag.
            let by_itself = marks.len() == 1 || peers.blocked() == 0;
            if seeds_flipped < FLIPPED && by_itself {
                let flipped = flip(peer, &source, &target, &asked, &ours);
                self.flipped += flipped;
                seeds_flipped += usize::from(flipped > 0);
            }
        }
    }
}

/// Keeps one flag from the peer, each in its turn: if that makes a difference to it, the comparison must notice.
fn flip<D: Shape>(peer: &Peer, source: &D, target: &D, asked: &Asked, ours: &Answer) -> usize {
    // What it said it had failed at or logged is no difference of what it did.
    let essence = |answer: &Value| -> Value {
        let parts = ["diff", "summary", "elements", "contents", "left"].map(|part| answer[part].clone());
        json!([parts, answer["syncs"][0]["operations"]])
    };
    let whole = essence(&peer.ask(&Question::asked(source, target, asked)));
    let mut flipped = 0;
    for other in asked.each_without_one().iter().take(4) {
        let answer = peer.ask(&Question::asked(source, target, other));
        if essence(&answer) == whole {
            continue;
        }
        let agrees =
            Answer::peers(source, target, asked, &answer).is_ok_and(|peers| ours.disagreement(&peers).is_none());
        assert!(!agrees, "nobody noticed a flag that the peer was not told of: {asked:?}, {other:?}");
        flipped += 1;
    }
    flipped
}

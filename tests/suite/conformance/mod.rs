//! The Python package `diffsync` as the oracle for diff, summary and the state after a sync.
//!
//! Random sides are given to both. What they make of them must be the same, but for the departures that
//! `docs/conformance.md` lists; each of those has a test of its own in [`departures`], which shows both behaviours.

#![cfg(test)]

mod answer;
mod asked;
mod departures;
mod fates;
mod flags;
mod memory;
mod peer;
mod peer_answer;
mod peer_diff;
mod records;
mod shapes;
mod tree;

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use self::answer::{Answer, confuses_the_peer};
use self::asked::Asked;
use self::peer::{Peer, Question, peer};
use self::records::Row;
use self::shapes::Shape;
use self::shapes::named::Named;
use self::shapes::placed::Placed;
use self::tree::sides;

/// How many pairs of sides each shape is tried with.
const SEEDS: u64 = 250;

#[test]
fn the_peer_agrees_on_records_identified_by_their_place() {
    let Some(covered) = covered::<Placed>() else { return };
    assert!(covered.quoted > 1000, "identifiers hold what joins them: {covered:?}");
}

#[test]
fn the_peer_agrees_on_records_that_move() {
    let Some(covered) = covered::<Named>() else { return };
    assert!(covered.moves > 1000, "records move: {covered:?}");
}

/// What the seeds came to, all together.
#[derive(Debug, Default)]
struct Covered {
    records: usize,
    largest: usize,
    create: u64,
    update: u64,
    delete: u64,
    no_change: u64,
    moves: usize,
    quoted: usize,
    empty_sides: usize,
    equal_sides: usize,
}

/// Lets both work on the sides of all seeds, and compares.
fn covered<D: Shape>() -> Option<Covered> {
    let peer = peer()?;
    let mut covered = Covered::default();
    for seed in 0..SEEDS {
        let (source, target) = pair::<D>(seed);
        let question = Question::of(&source, &target).syncs(3);
        let (ours, peers) = both(peer, &source, &target, &Asked::default(), &question);
        let (_, answer) = agreed(&format!("seed {seed}"), ours, peers, &question);
        covered.add(&source.rows(), &target.rows(), &answer);
    }
    assert!(covered.largest > 200 && covered.empty_sides > 10 && covered.equal_sides > 10, "all sizes: {covered:?}");
    let fewest = [covered.create, covered.update, covered.delete, covered.no_change].into_iter().min();
    assert!(fewest > Some(1000), "all kinds of change: {covered:?}");
    println!("{SEEDS} seeds: {covered:?}");
    Some(covered)
}

/// The two sides of a seed.
fn pair<D: Shape>(seed: u64) -> (D, D) {
    let attempts = (0..).map(|attempt| sides(seed, attempt, D::NAMED_BY_PLACE));
    // The peer ends at the first pair of records that it takes for one; see the departures.
    let mut usable = attempts.map(|(source, target)| (D::of(&source), D::of(&target)));
    usable.find(|(source, target)| !confuses_the_peer(source, target)).expect("there is no end of attempts")
}

/// Both answers, which must be the same.
fn agreed(
    case: &str,
    ours: Result<Answer, String>,
    peers: Result<Answer, String>,
    question: &Question,
) -> (Answer, Answer) {
    let disagreement = match (ours, peers) {
        (Ok(ours), Ok(peers)) => match ours.disagreement(&peers) {
            None => return (ours, peers),
            Some(disagreement) => disagreement,
        },
        (Err(error), _) | (_, Err(error)) => error,
    };
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disagreement.json");
    fs::write(&file, question.line()).expect("the directory for temporary files can be written to");
    panic!("{case}: {disagreement}\nthe peer's answer: python peer.py < {}", file.display());
}

/// Both at work at the same time.
fn both<D: Shape>(
    peer: &Peer,
    source: &D,
    target: &D,
    asked: &Asked,
    question: &Question,
) -> (Result<Answer, String>, Result<Answer, String>) {
    thread::scope(|scope| {
        let answer = scope.spawn(|| peer.ask(question));
        let ours = Answer::ours(source, target, asked);
        let answer = answer.join().expect("the peer answers");
        (ours, Answer::peers(source, target, asked, &answer))
    })
}

impl Covered {
    fn add(&mut self, source: &[Row], target: &[Row], answer: &Answer) {
        self.records += source.len() + target.len();
        self.largest = self.largest.max(source.len()).max(target.len());
        self.create += answer.count("create");
        self.update += answer.count("update");
        self.delete += answer.count("delete");
        self.no_change += answer.count("no-change");
        self.moves += answer.moves;
        self.quoted += source.iter().chain(target).filter(|row| row.text != row.uid).count();
        self.empty_sides += usize::from(source.is_empty() || target.is_empty());
        self.equal_sides += usize::from(answer.is_empty());
    }
}

/// The comparison is worth something only if it fails when it should.
#[test]
fn every_value_of_the_peers_answer_that_is_altered_is_noticed() {
    let Some(peer) = peer() else { return };
    check_alterations::<Placed>(peer);
    check_alterations::<Named>(peer);
}

fn check_alterations<D: Shape>(peer: &Peer) {
    let enough = |(source, target): &(D, D)| {
        let records = source.rows().len() + target.rows().len();
        (20..60).contains(&records) && !source.rows().is_empty() && !target.rows().is_empty()
    };
    let (mut noticed, mut kinds) = (0, HashSet::new());
    for (source, target) in (0..SEEDS).map(pair::<D>).filter(enough).take(2) {
        let plain = Asked::default();
        let ours = Answer::ours(&source, &target, &plain).expect("we agree on these");
        let answer = peer.ask(&Question::of(&source, &target).syncs(3));
        let peers = Answer::peers(&source, &target, &plain, &answer).expect("we agree on these");
        assert_eq!(ours.disagreement(&peers), None);
        for part in ["diff", "summary", "contents", "left"] {
            for altered in alterations(&answer[part]) {
                let mut answer = answer.clone();
                answer[part] = altered;
                let agrees = Answer::peers(&source, &target, &plain, &answer)
                    .is_ok_and(|peers| ours.disagreement(&peers).is_none());
                assert!(!agrees, "nobody noticed an altered {part}: {}", answer[part]);
                noticed += 1;
                kinds.insert(part);
            }
        }
    }
    assert!(noticed > 500 && kinds.len() == 4, "{noticed} alterations of {kinds:?}");
}

/// All values that come from this one by altering one value in it, or by leaving out or adding one entry.
fn alterations(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![json!("")],
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) if number.is_f64() => vec![json!(123.5), Value::Null],
        Value::Number(number) => vec![json!(if *number == 123.into() { 124 } else { 123 })],
        Value::String(text) => vec![json!(format!("{text} ")), Value::Null],
        Value::Array(items) => {
            let mut altered: Vec<Value> = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let without = items.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, item)| item);
                altered.push(without.cloned().collect());
                altered.extend(alterations(item).into_iter().map(|item| {
                    let mut items = items.clone();
                    items[at] = item;
                    Value::Array(items)
                }));
            }
            altered
        }
        Value::Object(entries) => {
            let mut more = entries.clone();
            more.insert("more".to_owned(), json!({}));
            let mut altered = vec![Value::Object(more)];
            for (name, item) in entries {
                let mut without = entries.clone();
                without.remove(name);
                altered.push(Value::Object(without));
                altered.extend(alterations(item).into_iter().map(|item| {
                    let mut entries = entries.clone();
                    entries.insert(name.clone(), item);
                    Value::Object(entries)
                }));
            }
            altered
        }
    }
}

#[test]
fn an_installation_without_python_says_what_is_missing() {
    let directory = tempfile::tempdir().expect("there is room for an empty directory");
    let missing = peer::install(&directory.path().join("peer"), Some("no-such-python")).unwrap_err();
    assert!(missing.contains("no-such-python"), "{missing}");
    fs::write(directory.path().join("somebody's"), "own").expect("the directory is new");
    let foreign = peer::install(directory.path(), None).unwrap_err();
    assert!(foreign.contains("neither empty nor an environment"), "{foreign}");
}

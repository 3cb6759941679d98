//! Random sides on which nothing moves, and flags on them.

use crate::conformance::answer::confuses_the_peer;
use crate::conformance::asked::{Asked, Mark, Marks, union};
use crate::conformance::records::Records;
use crate::conformance::shapes::Shape;
use crate::conformance::tree::{Dice, sides};

/// Where flags are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On some records of both sides.
    Records,
    /// On all records of one model: for us on its table, for the peer on each.
    Table,
    /// On the run.
    Run,
    /// On some records, on some tables and perhaps on the run.
    Everywhere,
}

/// The two sides of a seed. A record that moves stands in two places to the peer, each with an answer of its own; the
/// departures show what comes of it with flags.
pub(super) fn still_pair<D: Shape>(seed: u64) -> (D, D) {
    // Other seeds than those of the sides without flags, and few of them without records.
    let attempts = (1..).map(|attempt| sides(seed + 4, attempt, D::NAMED_BY_PLACE));
    let mut usable = attempts.map(|(source, target)| (D::of(&source), D::of(&target)));
    let pair = usable.find(|(source, target)| !confuses_the_peer(source, target) && is_still(source, target));
    pair.expect("there is no end of attempts")
}

fn is_still<D: Records>(source: &D, target: &D) -> bool {
    union(source, target).values().all(|pair| match pair {
        (Some(source), Some(target)) => source.parent() == target.parent(),
        _ => true,
    })
}

/// Flags of these kinds at a place.
pub(super) fn asked<D: Records>(source: &D, target: &D, seed: u64, marks: &[Mark], place: Place) -> Asked {
    let mut dice = Dice::new(seed);
    let mut asked = Asked::default();
    if let Place::Records | Place::Everywhere = place {
        asked.source = on_records(source, &mut dice, marks);
        asked.target = on_records(target, &mut dice, marks);
    }
    if place == Place::Table || place == Place::Everywhere && dice.percent(30) {
        let table = (dice.pick(D::SCHEMAS).name, *dice.pick(marks));
        asked.source.tables.push(table);
        asked.target.tables.push(table);
    }
    // The peer has runs without unmatched records of one side or of both, and no others.
    let of_runs =
        |mark: &Mark| matches!(mark, Mark::SkipUnmatchedSrc | Mark::SkipUnmatchedDst | Mark::SkipUnmatchedBoth);
    if place == Place::Run || place == Place::Everywhere && dice.percent(15) {
        let marks: Vec<_> = marks.iter().copied().filter(of_runs).collect();
        asked.run = Some(*dice.pick(&marks));
    }
    asked
}

fn on_records<D: Records>(data: &D, dice: &mut Dice, marks: &[Mark]) -> Marks {
    let chance = *dice.pick(&[5, 15, 40]);
    let mut marked = Marks::default();
    for row in data.rows() {
        // Some have several.
        while dice.percent(chance) {
            marked.records.entry(row.key()).or_default().push(*dice.pick(marks));
        }
    }
    marked
}

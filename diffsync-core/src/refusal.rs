//! Why a run is not allowed to write.

use thiserror::Error;

use crate::guard::Breach;
use crate::saved::Moved;
use crate::step::Side;

/// Why a run was not allowed to write.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Models that one side loaded and the other neither loaded nor left out.
    #[error(
        "{}; a system without such records says so with `mark_loaded()`, and one that cannot list them with `skip(reason)`",
        self.models_text()
    )]
    HalfLoaded(Vec<(&'static str, Side)>),
    /// A side of which nothing was loaded.
    #[error(
        "the {0} holds no records at all, and its loader did not say that this is so; look there first, and if it is to be empty, have the loader call `mark_loaded()`"
    )]
    NothingLoaded(Side),
    /// The target is written as a whole, and holds records of a model that would be lost.
    #[error(
        "the target is written as a whole, and {count} of its {model} records could not be loaded: writing it would lose them; mend them there first"
    )]
    WouldLose {
        /// The model.
        model: &'static str,
        /// How many would be lost.
        count: usize,
    },
    /// The target is written as a whole, and its loader left a model out.
    #[error("the target is written as a whole, and its loader left {model} out: writing it would lose those records")]
    WouldLoseAll {
        /// The model.
        model: &'static str,
    },
    /// It would change more than it may.
    #[error("it would change more than it may:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Guards(Vec<Breach>),
    /// Operations of a saved plan are not found again as they were.
    #[error(
        "the plan no longer fits; make a new one, or carry out what still fits (`--policy skip-stale`):\n{}",
        first_of(.0)
    )]
    Moved(Vec<Moved>),
    /// Everything that a saved plan would do is done.
    #[error("everything in the plan is done already")]
    Done,
    /// Too many unusable records.
    #[error(
        "{rejected} of {records} {model} records of the {side} cannot be used, more than the {limit} % allowed; mend them, or raise the limit (`--max-rejected`) if that many may be left alone"
    )]
    TooManyRejected {
        /// The side.
        side: Side,
        /// The model.
        model: &'static str,
        /// How many cannot be used.
        rejected: usize,
        /// How many there are.
        records: usize,
        /// The limit in percent.
        limit: f64,
    },
}

impl Refusal {
    fn models_text(&self) -> String {
        let Self::HalfLoaded(models) = self else { return String::new() };
        let texts: Vec<_> = models.iter().map(|(model, side)| format!("the {side} did not load {model}")).collect();
        texts.join(", ")
    }
}

/// The first of many, a line each.
fn first_of(moved: &[Moved]) -> String {
    const SHOWN: usize = 20;
    let lines = moved.iter().take(SHOWN).map(ToString::to_string);
    let more = moved.len().saturating_sub(SHOWN);
    lines.chain((more > 0).then(|| format!("… and {more} more"))).collect::<Vec<_>>().join("\n")
}

//! Why a run is not allowed to write.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use crate::data::side::Side;
use crate::model::limit::Limit;
use crate::model::operation::Operation;

/// Why a run was not allowed to write.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Models that only one side loaded and that the other did not leave out.
    #[error(
        "{}; its adapter's `load` must call `mark_loaded()` on the table of that model if there are no such records, or `skip(reason)` if it cannot list them",
        self.models_text()
    )]
    HalfLoaded(Vec<(&'static str, Side)>),
    /// One side loaded nothing.
    #[error(
        "the {0} has no records, and its adapter's `load` did not call `mark_loaded()` on any table; check the system first, and call it there on each table that may be empty"
    )]
    NothingLoaded(Side),
    /// The target is written as a whole, and holds records of a model that would be lost.
    #[error(
        "the target is written as a whole, and {count} of its {model} records could not be loaded: writing it would lose them; fix them in the target first"
    )]
    WouldLose {
        /// The model.
        model: &'static str,
        /// The number of records that would be lost.
        count: usize,
    },
    /// The target is written as a whole, and its loader left a model out.
    #[error("the target is written as a whole, and its loader left {model} out: writing it would lose those records")]
    WouldLoseAll {
        /// The model.
        model: &'static str,
    },
    /// The run would exceed its limits.
    #[error("the run would exceed its limits:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Guards(Vec<Breach>),
    /// The systems have changed since the plan was saved.
    #[error(
        "the systems have changed since the plan was saved:\n{}",
        first_of(.0)
    )]
    Drift(Vec<Drift>),
    /// All operations of a saved plan are done already.
    #[error("everything in the plan is done already")]
    Done,
    /// Another run writes to the target.
    #[error("{0}")]
    TargetInUse(String),
    /// Another run of the job is in progress.
    #[error("{0}")]
    JobInUse(String),
    /// Too many unusable records.
    #[error("{rejected} of {records} {model} records of the {side} cannot be used, more than the {limit} % allowed")]
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

/// The first drifted operations, one per line.
fn first_of(drift: &[Drift]) -> String {
    const SHOWN: usize = 20;
    let lines = drift.iter().take(SHOWN).map(ToString::to_string);
    let more = drift.len().saturating_sub(SHOWN);
    lines.chain((more > 0).then(|| format!("… and {more} more"))).collect::<Vec<_>>().join("\n")
}

/// A limit that a run would exceed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Breach {
    /// The model's name.
    pub model: &'static str,
    /// The operation that the limit is for.
    pub operation: Operation,
    /// The number of operations.
    pub count: usize,
    /// The number of the target's records of the model.
    pub records: usize,
    /// The limit, or `None` if the source holds no record of the model.
    pub limit: Option<Limit>,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, operation, count, records, limit } = self;
        match limit {
            Some(limit) => write!(
                f,
                "{model}: it would {operation} {count} records where the target holds {records}, and {limit} are allowed"
            ),
            None => {
                write!(f, "{model}: the source holds none, and it would {operation} {count} of the target's {records}")
            }
        }
    }
}

/// An operation of a saved plan that no longer matches the two systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The planned operation.
    pub operation: Operation,
    /// The model's name.
    pub model: String,
    /// The record's identifier.
    pub record: String,
    /// What is different now.
    pub reason: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, model, record, reason } = self;
        write!(f, "{operation} {model} {record}: {reason}")
    }
}

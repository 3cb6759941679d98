//! What became of each record of a run.

use std::fmt;

use serde::Serialize;

use crate::diff::{Diff, TableDiff};
use crate::plan::RecordRef;
use crate::step::Side;

/// What was to be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Create it in the target.
    Create,
    /// Change attributes of the target's record.
    Update,
    /// Delete it from the target.
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        })
    }
}

/// What became of a record that was to be created, updated or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was created.
    Created,
    /// It was updated.
    Updated,
    /// It was deleted.
    Deleted,
    /// The target refused it.
    Failed {
        /// The target's error with its causes.
        error: String,
    },
    /// It was not attempted because of another record.
    Blocked {
        /// The record whose failure caused it, or that still lives under it.
        by: RecordRef,
    },
    /// The run was cut short while the target was at it: it may or may not have been written.
    Unknown,
    /// The run ended before its turn came, or nothing was to be written.
    NotAttempted,
}

impl Outcome {
    /// The outcome of an operation that succeeded.
    pub(crate) fn done(operation: Operation) -> Self {
        match operation {
            Operation::Create => Self::Created,
            Operation::Update => Self::Updated,
            Operation::Delete => Self::Deleted,
        }
    }

    /// Whether the target was changed.
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Deleted)
    }
}

/// What became of every record that was to be created, updated or deleted.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    models: Vec<ModelOutcomes>,
}

/// The outcomes of one model, in the order of the diff's lists.
#[derive(Debug, Clone, Default)]
struct ModelOutcomes {
    creates: Vec<Outcome>,
    updates: Vec<Outcome>,
    deletes: Vec<Outcome>,
}

impl ModelOutcomes {
    fn of(&self, operation: Operation) -> &[Outcome] {
        match operation {
            Operation::Create => &self.creates,
            Operation::Update => &self.updates,
            Operation::Delete => &self.deletes,
        }
    }

    fn of_mut(&mut self, operation: Operation) -> &mut Vec<Outcome> {
        match operation {
            Operation::Create => &mut self.creates,
            Operation::Update => &mut self.updates,
            Operation::Delete => &mut self.deletes,
        }
    }
}

/// One operation of a diff: which list of which model, and the place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) model: usize,
    pub(crate) operation: Operation,
    pub(crate) place: usize,
}

impl Task {
    /// The record that the operation is about: the source's, or the target's for a delete.
    pub(crate) fn record(self, table: &TableDiff) -> RecordRef {
        match self.operation {
            Operation::Create => RecordRef::new(Side::Source, self.model, table.creates[self.place]),
            Operation::Update => RecordRef::new(Side::Source, self.model, table.updates[self.place].0),
            Operation::Delete => RecordRef::new(Side::Target, self.model, table.deletes[self.place]),
        }
    }

    /// All operations of one kind on one model.
    pub(crate) fn all(model: usize, operation: Operation, table: &TableDiff) -> impl Iterator<Item = Self> + use<> {
        let places = match operation {
            Operation::Create => table.creates.len(),
            Operation::Update => table.updates.len(),
            Operation::Delete => table.deletes.len(),
        };
        (0..places).map(move |place| Self { model, operation, place })
    }
}

const OPERATIONS: [Operation; 3] = [Operation::Create, Operation::Update, Operation::Delete];

impl Outcomes {
    /// Nothing was attempted.
    pub(crate) fn none_of(diff: &Diff) -> Self {
        let models = diff.tables().iter().map(|table| ModelOutcomes {
            creates: vec![Outcome::NotAttempted; table.creates.len()],
            updates: vec![Outcome::NotAttempted; table.updates.len()],
            deletes: vec![Outcome::NotAttempted; table.deletes.len()],
        });
        Self { models: models.collect() }
    }

    pub(crate) fn set(&mut self, task: Task, outcome: Outcome) {
        self.models[task.model].of_mut(task.operation)[task.place] = outcome;
    }

    /// Every record that seemed written was not, since the target could not complete the run.
    pub(crate) fn fail_written(&mut self, error: &str) {
        for model in &mut self.models {
            for operation in OPERATIONS {
                for outcome in model.of_mut(operation) {
                    if outcome.is_written() {
                        *outcome = Outcome::Failed { error: error.to_owned() };
                    }
                }
            }
        }
    }

    /// The records in the order of the diff, with what was to be done and what became of it.
    pub fn iter<'a>(&'a self, diff: &'a Diff) -> impl Iterator<Item = (RecordRef, Operation, &'a Outcome)> {
        self.models.iter().zip(diff.tables()).enumerate().flat_map(|(model, (outcomes, table))| {
            OPERATIONS.into_iter().flat_map(move |operation| {
                Task::all(model, operation, table)
                    .zip(outcomes.of(operation))
                    .map(move |(task, outcome)| (task.record(table), operation, outcome))
            })
        })
    }

    /// How many records ended as what, those included that nothing was to be done with.
    #[must_use]
    pub fn counts(&self, diff: &Diff) -> OutcomeCounts {
        let total = diff.summary().total;
        let mut counts = OutcomeCounts {
            unchanged: total.no_change,
            rejected: total.rejected,
            left_out: total.left_out,
            ..OutcomeCounts::default()
        };
        for (_, _, outcome) in self.iter(diff) {
            *match outcome {
                Outcome::Created => &mut counts.created,
                Outcome::Updated => &mut counts.updated,
                Outcome::Deleted => &mut counts.deleted,
                Outcome::Failed { .. } => &mut counts.failed,
                Outcome::Blocked { .. } => &mut counts.blocked,
                Outcome::Unknown => &mut counts.unknown,
                Outcome::NotAttempted => &mut counts.not_attempted,
            } += 1;
        }
        counts
    }
}

/// How many records of a run ended as what. Every record of the union of both sides is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutcomeCounts {
    /// The same on both sides.
    pub unchanged: usize,
    /// Created in the target.
    pub created: usize,
    /// Updated in the target.
    pub updated: usize,
    /// Deleted from the target.
    pub deleted: usize,
    /// Refused by the target.
    pub failed: usize,
    /// Not attempted because of another record.
    pub blocked: usize,
    /// Not usable, or under a record that is not.
    pub rejected: usize,
    /// Of a model that was left out.
    pub left_out: usize,
    /// Perhaps written, perhaps not: the run was cut short while the target was at it.
    pub unknown: usize,
    /// Not attempted because the run ended before, or wrote nothing.
    pub not_attempted: usize,
}

impl OutcomeCounts {
    /// The number of records of both sides together.
    #[must_use]
    pub fn records(&self) -> usize {
        let Self { unchanged, created, updated, deleted, failed, blocked, rejected, left_out, unknown, not_attempted } =
            self;
        unchanged + created + updated + deleted + failed + blocked + rejected + left_out + unknown + not_attempted
    }

    /// The number of records that were written.
    #[must_use]
    pub fn written(&self) -> usize {
        self.created + self.updated + self.deleted
    }
}

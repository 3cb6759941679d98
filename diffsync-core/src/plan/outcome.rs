//! The outcome of each record of a run.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::plan::diff::{Diff, TableDiff, Withheld};
use crate::plan::hold_reason::HoldReason;
use crate::plan::record_ref::RecordRef;

/// The outcome of a record that was to be created, updated or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was created.
    Created,
    /// It was updated.
    Updated,
    /// It was deleted.
    Deleted,
    /// It was deleted with its parent, by the target itself.
    Cascaded,
    /// The target refused it.
    Failed {
        /// The target's error with its causes.
        error: Arc<str>,
        /// Whether the target may have written something: it answered an update with another record, or a value was emptied
        /// to free it for another record and could not be restored.
        may_be_written: bool,
    },
    /// It was not attempted because of another record.
    Blocked {
        /// The record whose failure caused it, or a child that still exists.
        by: RecordRef,
    },
    /// It was held back, so that no data is lost.
    Held {
        /// Why.
        reason: HoldReason,
    },
    /// The target cannot do it.
    Unsupported,
    /// The target did not answer in time, its answer was lost, or the run was stopped during the call: the record may or may
    /// not have been written.
    Unknown {
        /// What happened.
        reason: Arc<str>,
    },
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

    /// An operation that failed and left the target as it was.
    pub(crate) fn failed(error: impl Into<Arc<str>>) -> Self {
        Self::Failed { error: error.into(), may_be_written: false }
    }

    /// Whether the target may have changed although the operation failed.
    pub(crate) fn may_be_written(&self) -> bool {
        matches!(self, Self::Failed { may_be_written: true, .. })
    }

    /// The kind of outcome, without the details.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Created => OutcomeKind::Created,
            Self::Updated => OutcomeKind::Updated,
            Self::Deleted => OutcomeKind::Deleted,
            Self::Cascaded => OutcomeKind::Cascaded,
            Self::Failed { .. } => OutcomeKind::Failed,
            Self::Blocked { .. } => OutcomeKind::Blocked,
            Self::Held { .. } => OutcomeKind::Held,
            Self::Unsupported => OutcomeKind::Unsupported,
            Self::Unknown { .. } => OutcomeKind::Unknown,
            Self::NotAttempted => OutcomeKind::NotAttempted,
        }
    }

    /// Whether the target was changed.
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Deleted | Self::Cascaded)
    }
}

/// The kinds of outcomes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutcomeKind {
    /// It was created.
    Created,
    /// It was updated.
    Updated,
    /// It was deleted.
    Deleted,
    /// It was deleted with its parent.
    Cascaded,
    /// The target refused it.
    Failed,
    /// It was not attempted because of another record.
    Blocked,
    /// It was held back.
    Held,
    /// The target is not able to do it.
    Unsupported,
    /// It may or may not have been written.
    Unknown,
    /// The run ended before its turn came.
    NotAttempted,
}

impl OutcomeKind {
    /// The kind as reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Cascaded => "cascaded",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Held => "held",
            Self::Unsupported => "unsupported",
            Self::Unknown => "unknown",
            Self::NotAttempted => "not_attempted",
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The outcome of each record that was to be created, updated or deleted.
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
    /// Whether the target reported, when it completed the run, that it did not write the model.
    is_undone: bool,
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

/// One operation of a diff: the model, the list and the place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Task {
    pub(crate) model: usize,
    pub(crate) operation: Operation,
    pub(crate) place: usize,
}

impl Task {
    /// The record of the operation: the source's, or the target's for a delete.
    pub(crate) fn record(self, table: &TableDiff) -> RecordRef {
        match self.operation {
            Operation::Create => RecordRef::new(Side::Source, self.model, table.creates[self.place]),
            Operation::Update => RecordRef::new(Side::Source, self.model, table.updates[self.place].0),
            Operation::Delete => RecordRef::new(Side::Target, self.model, table.deletes[self.place]),
        }
    }

    /// The record as the target had it when it was loaded.
    pub(crate) fn in_target(self, table: &TableDiff) -> Option<RecordRef> {
        match self.operation {
            Operation::Create => None,
            Operation::Update => Some(RecordRef::new(Side::Target, self.model, table.updates[self.place].1)),
            Operation::Delete => Some(RecordRef::new(Side::Target, self.model, table.deletes[self.place])),
        }
    }

    /// All operations of one kind on one model.
    pub(crate) fn all(model: usize, operation: Operation, table: &TableDiff) -> impl Iterator<Item = Self> + use<> {
        (0..table.len(operation)).map(move |place| Self { model, operation, place })
    }
}

impl Outcomes {
    /// Nothing was attempted.
    pub(crate) fn none_of(diff: &Diff) -> Self {
        let outcomes = |table: &TableDiff, operation| {
            let mut outcomes = vec![Outcome::NotAttempted; table.len(operation)];
            if !table.withholds_nothing() {
                for (place, outcome) in outcomes.iter_mut().enumerate() {
                    match table.withheld(operation, place) {
                        Some(Withheld::Held(reason)) => *outcome = Outcome::Held { reason },
                        Some(Withheld::Unsupported) => *outcome = Outcome::Unsupported,
                        Some(Withheld::Cascaded) | None => {}
                    }
                }
            }
            outcomes
        };

        let models = diff.tables().iter().map(|table| ModelOutcomes {
            creates: outcomes(table, Operation::Create),
            updates: outcomes(table, Operation::Update),
            deletes: outcomes(table, Operation::Delete),
            is_undone: false,
        });
        Self { models: models.collect() }
    }

    pub(crate) fn get(&self, task: Task) -> &Outcome {
        &self.models[task.model].of(task.operation)[task.place]
    }

    pub(crate) fn set(&mut self, task: Task, outcome: Outcome) {
        self.models[task.model].of_mut(task.operation)[task.place] = outcome;
    }

    /// Replaces the outcome of every written record of a model, since the target could not complete the run.
    pub(crate) fn replace_written(&mut self, model: usize, instead: &Outcome) {
        self.models[model].is_undone |= !matches!(instead, Outcome::Unknown { .. });
        for operation in Operation::ALL {
            for outcome in self.models[model].of_mut(operation) {
                if outcome.is_written() {
                    *outcome = instead.clone();
                }
            }
        }
    }

    /// Whether nothing of a model was written, despite earlier answers of the target.
    pub(crate) fn is_undone(&self, model: usize) -> bool {
        self.models[model].is_undone
    }

    /// Replaces the outcomes of all written records after a rehearsal, which writes nothing.
    pub(crate) fn replace_all_written(&mut self) {
        for model in 0..self.models.len() {
            self.replace_written(model, &Outcome::NotAttempted);
        }
    }

    /// Whether any record was written, or may have been.
    pub(crate) fn may_have_written(&self) -> bool {
        let all = self.models.iter().flat_map(|model| Operation::ALL.into_iter().flat_map(|it| model.of(it)));
        let mut all = all.map(|outcome| outcome.is_written() || matches!(outcome, Outcome::Unknown { .. }));
        all.any(|written| written)
    }

    /// The records in the order of the diff, each with its operation and outcome.
    pub fn iter<'a>(&'a self, diff: &'a Diff) -> impl Iterator<Item = (RecordRef, Operation, &'a Outcome)> {
        self.models.iter().zip(diff.tables()).enumerate().flat_map(|(model, (outcomes, table))| {
            Operation::ALL.into_iter().flat_map(move |operation| {
                Task::all(model, operation, table)
                    .zip(outcomes.of(operation))
                    .map(move |(task, outcome)| (task.record(table), operation, outcome))
            })
        })
    }

    /// The number of records by outcome, including those without an operation.
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
            *counts.of_mut(outcome.kind()) += 1;
        }
        counts
    }
}

/// The numbers of a run's records, by outcome. Every record of the union of both sides is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Deleted with their parents, by the target itself.
    pub cascaded: usize,
    /// Refused by the target.
    pub failed: usize,
    /// Not attempted because of another record.
    pub blocked: usize,
    /// Held back, so that nothing is lost.
    pub held: usize,
    /// Operations that the target cannot do.
    pub unsupported: usize,
    /// Unusable, or under an unusable record.
    pub rejected: usize,
    /// Left out by a flag, a filter or the loader.
    pub left_out: usize,
    /// May or may not have been written: the target did not answer in time, or the run was stopped.
    pub unknown: usize,
    /// Not attempted because the run ended before, or wrote nothing.
    pub not_attempted: usize,
}

impl OutcomeCounts {
    fn of_mut(&mut self, kind: OutcomeKind) -> &mut usize {
        match kind {
            OutcomeKind::Created => &mut self.created,
            OutcomeKind::Updated => &mut self.updated,
            OutcomeKind::Deleted => &mut self.deleted,
            OutcomeKind::Cascaded => &mut self.cascaded,
            OutcomeKind::Failed => &mut self.failed,
            OutcomeKind::Blocked => &mut self.blocked,
            OutcomeKind::Held => &mut self.held,
            OutcomeKind::Unsupported => &mut self.unsupported,
            OutcomeKind::Unknown => &mut self.unknown,
            OutcomeKind::NotAttempted => &mut self.not_attempted,
        }
    }

    /// The number of records of both sides together.
    #[must_use]
    pub fn records(&self) -> usize {
        let Self { unchanged, created, updated, deleted, cascaded, failed, blocked, held, .. } = self;
        let Self { unsupported, rejected, left_out, unknown, not_attempted, .. } = self;
        let dealt_with = unchanged + created + updated + deleted + cascaded + failed + blocked + held;
        dealt_with + unsupported + rejected + left_out + unknown + not_attempted
    }

    /// The number of records that were written.
    #[must_use]
    pub fn written(&self) -> usize {
        self.created + self.updated + self.deleted + self.cascaded
    }
}

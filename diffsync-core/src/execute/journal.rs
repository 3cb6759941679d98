//! The undo plan that is written while an execution goes on.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{Execution, Stopped};
use crate::apply::undo::inverse_of;
use crate::data::dataset::Dataset;
use crate::plan::outcome::{Outcome, Task};

/// About how long the target is written to before what takes it back is written too.
const PERIOD: Duration = Duration::from_millis(250);

/// The most records of which that is true.
const MOST: usize = 10_000;

/// What was done since the undo plan was written to.
#[derive(Default)]
pub(super) struct Journal {
    /// In the order that it was done in.
    pending: Vec<Task>,
    /// What is in the undo plan and was done in part.
    reopened: HashSet<Task>,
    /// How many records are written between two entries, at the pace of the last ones.
    records: usize,
}

impl Journal {
    /// The target may hold something else of this record than before.
    pub(super) fn note(&mut self, task: Task) {
        if self.pending.last() != Some(&task) {
            self.pending.push(task);
        }
    }
}

impl<D: Dataset> Execution<'_, D> {
    /// How many records of a group are written before what takes them back is: no fewer than the target takes at a time.
    pub(super) fn records_between_entries(&self, at_a_time: usize) -> usize {
        match &self.options.undo_log {
            None => usize::MAX,
            Some(_) => self.ledger.journal.records.clamp(at_a_time.max(1), MOST.max(at_a_time)),
        }
    }

    /// Keeps to the period.
    pub(super) fn keep_pace(&mut self, records: usize, begun: Instant) {
        let took = begun.elapsed();
        self.ledger.journal.records = if took < PERIOD / 2 {
            records * 2
        } else if took > PERIOD {
            records / 2
        } else {
            records
        };
    }

    /// Writes what takes back what was done since the last time. If that cannot be written, nothing more is done, since it
    /// could not be taken back.
    pub(super) fn write_journal(&mut self) {
        let pending = std::mem::take(&mut self.ledger.journal.pending);
        let Some((log, key)) = self.options.undo_log.as_ref().filter(|_| !pending.is_empty()) else { return };
        let mut seen = HashSet::with_capacity(pending.len());
        let tasks: Vec<Task> = pending.into_iter().filter(|task| seen.insert(*task)).collect();
        let undo = inverse_of(&self.current, &self.ledger.outcomes, key, &tasks, &self.ledger.journal.reopened);
        for task in tasks {
            if *self.ledger.outcomes.get(task) == Outcome::NotAttempted {
                self.ledger.journal.reopened.insert(task);
            }
        }
        if let Err(error) = log.append(&undo) {
            self.ledger.stop(Stopped::Failure(format!("the undo plan cannot be written: {error}")));
        }
    }
}

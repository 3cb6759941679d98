//! The undo plan, written while the execution goes on.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{Execution, Stopped};
use crate::apply::undo::inverse_of;
use crate::data::dataset::Dataset;
use crate::plan::outcome::{Outcome, Task};

/// About how much time passes between two entries of the undo plan.
const PERIOD: Duration = Duration::from_millis(250);

/// The most records written between two entries.
const MOST: usize = 10_000;

/// The tasks done since the undo plan was last appended to.
#[derive(Default)]
pub(super) struct Journal {
    /// In the order in which they were done.
    pending: Vec<Task>,
    /// Tasks that are in the undo plan and were only done in part.
    reopened: HashSet<Task>,
    /// How many records are written between two entries, adapted to the pace of the last ones.
    records: usize,
}

impl Journal {
    /// Notes that the target may hold this record in another state than before.
    pub(super) fn note(&mut self, task: Task) {
        // A record is often noted twice in a row; other repetitions are dropped when the entry is written.
        if self.pending.last() != Some(&task) {
            self.pending.push(task);
        }
    }
}

impl<D: Dataset> Execution<'_, D> {
    /// How many records of a group are written between two entries: at least as many as the target takes at a time.
    pub(super) fn records_between_entries(&self, at_a_time: usize) -> usize {
        match &self.options.undo_log {
            None => usize::MAX,
            Some(_) => self.ledger.journal.records.clamp(at_a_time.max(1), MOST.max(at_a_time)),
        }
    }

    /// Adapts the number of records between two entries to the period.
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

    /// Appends the undo operations of the tasks done since the last entry. If that fails, the execution stops, since further
    /// writes could not be undone.
    pub(super) fn write_journal(&mut self) {
        let pending = std::mem::take(&mut self.ledger.journal.pending);
        let Some((log, key)) = self.options.undo_log.as_ref().filter(|_| !pending.is_empty()) else { return };

        let mut seen = HashSet::with_capacity(pending.len());
        let tasks: Vec<Task> = pending.into_iter().filter(|task| seen.insert(*task)).collect();
        let undo = inverse_of(&self.current, &self.ledger.outcomes, key, &tasks, &self.ledger.journal.reopened);

        for task in tasks {
            // It was changed before its turn: a value was emptied, or a reference cleared. The task itself is still
            // open.
            if *self.ledger.outcomes.get(task) == Outcome::NotAttempted {
                self.ledger.journal.reopened.insert(task);
            }
        }

        if let Err(error) = log.append(&undo) {
            self.ledger.stop(Stopped::Failure(format!("the undo plan cannot be written: {error}")));
        }
    }
}

//! The undo plan, written while the execution goes on.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use crate::apply::undo::inverse_of;
use crate::data::dataset::Dataset;
use crate::plan::outcome::{Outcome, Outcomes, Task};
use crate::plan::target_state::TargetState;
use crate::plan_file::{PlanKey, UndoLog};

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

    /// How many records of a group are written between two entries: at least as many as the target takes at a time.
    pub(super) fn records_between_entries(&self, at_a_time: usize) -> usize {
        self.records.clamp(at_a_time.max(1), MOST.max(at_a_time))
    }

    /// Adapts the number of records between two entries to the period.
    pub(super) fn keep_pace(&mut self, records: usize, begun: Instant) {
        let took = begun.elapsed();
        self.records = if took < PERIOD / 2 {
            records * 2
        } else if took > PERIOD {
            records / 2
        } else {
            records
        };
    }

    /// Appends the undo operations of the tasks done since the last entry, if there is a log.
    pub(super) fn write<D: Dataset>(
        &mut self,
        log: Option<&(UndoLog, PlanKey)>,
        current: &TargetState<'_, D>,
        outcomes: &Outcomes,
    ) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let Some((log, key)) = log.filter(|_| !pending.is_empty()) else { return Ok(()) };

        let mut seen = HashSet::with_capacity(pending.len());
        let tasks: Vec<Task> = pending.into_iter().filter(|task| seen.insert(*task)).collect();
        let undo = inverse_of(current, outcomes, key, &tasks, &self.reopened);

        for task in tasks {
            // It was changed before its turn: a value was emptied, or a reference cleared. The task itself is still
            // open.
            if *outcomes.get(task) == Outcome::NotAttempted {
                self.reopened.insert(task);
            }
        }

        log.append(&undo)
    }
}

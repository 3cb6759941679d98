//! Execution: applying a plan to the target.
//!
//! Links between records decide the order: parents and referenced records are created and updated first, deferred references
//! are set once all records exist, and deletes come last, in reverse order.

mod answer;
mod ask;
mod blocking;
mod collision_hold;
mod collision_retry;
mod conflict;
mod dependents;
mod execution;
mod free;
mod journal;
mod ledger;
mod options;
mod order;
mod retry;
mod retry_policy;
mod set_value;
mod write;

use self::answer::WritePhase;
pub(crate) use self::execution::{Execution, Results};
pub(crate) use self::ledger::Stopped;
pub(crate) use self::options::ExecuteOptions;
pub use self::retry_policy::RetryPolicy;
pub(crate) use self::write::abilities;
use self::write::{WriteModel, writers};
use crate::adapter::{Adapter, WrittenBy};
use crate::data::dataset::{Dataset, in_order};
use crate::data::side::Side;
use crate::error::{AdapterError, JobError};
use crate::model::operation::Operation;
use crate::plan::diff::Withheld;
use crate::plan::outcome::{Outcome, Outcomes, Task};
use crate::plan::{Plan, RecordRef};

/// The passes of an execution.
impl<D: Dataset> Execution<'_, D> {
    /// Tries the plan on a target that writes nothing before it completes a run, and returns why it would fail.
    pub(crate) async fn rehearse<T: Adapter<Data = D>>(&mut self, target: &T) -> Result<(), AdapterError>
    where
        D: WrittenBy<T>,
    {
        self.run(target).await;
        let rehearsed = if self.wrote() { target.rehearse(&self.synced()).await } else { Ok(()) };
        let rehearsed = rehearsed.map_err(JobError::from);

        self.conclude(rehearsed.as_ref().err());
        self.ledger.outcomes.replace_all_written();
        rehearsed.map_err(AdapterError::from)
    }

    /// Applies the plan to the target.
    async fn run<T: Adapter<Data = D>>(&mut self, target: &T)
    where
        D: WrittenBy<T>,
    {
        let writers = writers::<D, T>();
        let order = in_order(D::SCHEMAS);

        self.delete_first(target, &writers, &order).await;
        self.write_all(target, &writers, &order).await;

        // All records exist now, so the deferred references can be set.
        for (model, writer) in writers.iter().enumerate() {
            let group = self.ledger.unfinished(model);
            let group = self.block_dangling(group);
            self.write(&**writer, target, group, WritePhase::Deferred).await;
        }

        // Held before any delete: to the diff, a renamed record is a create and a delete. If the create was refused,
        // the delete would lose the record.
        if self.plan.diff().tables().iter().any(|table| !table.deletes.is_empty()) {
            self.hold_what_collided();
            self.delete_all(target, &writers, &order).await;
        }

        self.report_freed();
        self.write_journal();
    }

    /// Creates and updates records, without their deferred references. A record that collides with another is retried after
    /// everything else is written, as long as a pass makes progress; after that, the values that records wait for are freed.
    async fn write_all<T: Adapter<Data = D>>(
        &mut self,
        target: &T,
        writers: &[Box<dyn WriteModel<D, T>>],
        order: &[usize],
    ) where
        D: WrittenBy<T>,
    {
        let mut is_backwards = false;
        loop {
            let before = self.ledger.steps();
            self.ledger.conflicts.begin_pass();
            let holders = self.named_holders();

            for &model in order {
                for group in self.writes_by_level(model) {
                    let group = self.block_orphaned(group);
                    for group in Self::after_their_holders(group, &holders) {
                        let mut group = self.without_waiting(group, &holders);
                        // One pass resolves a chain of values if it starts at the free end. Which end that is is not known, so
                        // passes alternate between the two directions.
                        if is_backwards {
                            group.reverse();
                        }
                        self.write(&*writers[model], target, group, WritePhase::Whole).await;
                    }
                }
            }
            is_backwards = !is_backwards;

            if !self.ledger.conflicts.any_postponed() {
                break;
            }
            let goes_on = !self.ledger.stopped();
            if goes_on && (self.ledger.steps() > before || self.free_values(target, writers).await) {
                continue;
            }
            // One more pass blocks the records that need those that have now failed.
            self.settle_postponed(target, writers).await;
        }
        // Restores values that were freed for a record that failed for another reason.
        self.settle_postponed(target, writers).await;
    }

    /// Deletes records, with models and levels in reverse order.
    async fn delete_all<T: Adapter<Data = D>>(
        &mut self,
        target: &T,
        writers: &[Box<dyn WriteModel<D, T>>],
        order: &[usize],
    ) where
        D: WrittenBy<T>,
    {
        // Records that refer to each other can only be deleted once these references are cleared.
        if D::SCHEMAS.iter().flat_map(|schema| schema.links).any(|link| !link.orders()) {
            self.clearing = self.ledger.references_to_clear();
            let tasks = self.clearing.keys();
            let tasks = tasks.map(|&(model, place)| Task { model, operation: Operation::Delete, place }).collect();
            for (model, group) in by_model(tasks) {
                self.write(&*writers[model], target, group, WritePhase::Clear).await;
            }

            // The target may have answered with another record, which must not be deleted then.
            self.hold_what_collided();
        }

        // A record may wait for a dependent that the target deletes with its own parent, as long as a pass deletes anything.
        let mut wait = true;
        loop {
            let before = self.ledger.deleted();
            let mut waiting = 0;
            for &model in order.iter().rev() {
                for group in self.deletes_by_level(model) {
                    let group = self.block_inhabited(model, group, wait, &mut waiting);
                    self.write(&*writers[model], target, group, WritePhase::Whole).await;
                }
            }
            if waiting == 0 || self.ledger.stopped() {
                break;
            }
            wait = self.ledger.deleted() > before;
        }

        self.settle_cascaded();
    }

    /// Deletes the records of models with `deletes_first` that can be deleted before anything else, to free their unique
    /// values.
    async fn delete_first<T: Adapter<Data = D>>(
        &mut self,
        target: &T,
        writers: &[Box<dyn WriteModel<D, T>>],
        order: &[usize],
    ) where
        D: WrittenBy<T>,
    {
        let tables = self.plan.diff().tables();
        if !tables.iter().any(|table| table.schema().deletes_first && !table.deletes.is_empty()) {
            return;
        }

        let first = self.ledger.dependents().deletable_first();
        for &model in order.iter().rev() {
            for mut group in self.deletes_by_level(model) {
                // A record that another still depends on waits for the deletes at the end.
                group.retain(|task| {
                    let row = tables[model].deletes[task.place];
                    first[model].contains(row as usize) && self.ledger.obstacle(model, row).is_none()
                });
                self.write(&*writers[model], target, group, WritePhase::Whole).await;
            }
        }
    }

    /// Records the outcomes of the records that the target deletes by itself.
    fn settle_cascaded(&mut self) {
        for (model, table) in self.plan.diff().tables().iter().enumerate() {
            if table.withholds_nothing() {
                continue;
            }
            for task in Task::all(model, Operation::Delete, table) {
                let is_open = *self.ledger.outcomes.get(task) == Outcome::NotAttempted;
                if !is_open || table.withheld(Operation::Delete, task.place) != Some(Withheld::Cascaded) {
                    continue;
                }

                let row = table.deletes[task.place];
                let Some(ancestor) = self.ledger.dependents().ancestor(RecordRef::new(Side::Target, model, row)) else {
                    continue;
                };

                let by = ancestor.record(&self.plan.diff().tables()[ancestor.model]);
                let outcome = match self.ledger.outcomes.get(ancestor) {
                    Outcome::Deleted => {
                        self.current.delete(model, row);
                        Outcome::Cascaded
                    }
                    Outcome::NotAttempted => continue,
                    Outcome::Blocked { by } => Outcome::Blocked { by: *by },
                    // If it is unknown whether the record above was deleted, it is unknown of this one too.
                    Outcome::Unknown { reason } => Outcome::Unknown { reason: reason.clone() },
                    _ => Outcome::Blocked { by },
                };
                self.ledger.settle(task, outcome);
            }
        }

        self.current.take_over();
    }

    /// Writes a group of records that do not depend on each other.
    async fn write<T>(&mut self, writer: &dyn WriteModel<D, T>, target: &T, group: Vec<Task>, phase: WritePhase) {
        let mut group = &*group;
        while !group.is_empty() && !self.ledger.stopped() {
            let begun = std::time::Instant::now();

            // In pieces, so that the undo plan knows of every write shortly after it, even if the run is killed.
            let records = if self.options.undo_log.is_some() {
                let at_a_time = writer.at_a_time(target, self.options);
                self.ledger.journal.records_between_entries(at_a_time).min(group.len())
            } else {
                group.len()
            };
            let (now, later) = group.split_at(records);

            writer.write(target, self, now.to_vec(), phase).await;
            self.write_journal();

            self.ledger.journal.keep_pace(records, begun);
            group = later;
        }
    }
}

/// Groups tasks by model.
fn by_model(mut tasks: Vec<Task>) -> Vec<(usize, Vec<Task>)> {
    tasks.sort_by_key(|task| task.model);
    let models: Vec<_> = tasks.chunk_by(|one, other| one.model == other.model).map(<[Task]>::to_vec).collect();
    models.into_iter().filter_map(|group| Some((group.first()?.model, group))).collect()
}

/// Permission to apply a plan. Only the core creates it, after the diff was calculated and the guards have passed, and never
/// in a dry run.
pub struct WritePermit<'e, 'a, D: 'static> {
    execution: &'e mut Execution<'a, D>,
}

impl<'e, 'a, D: Dataset> WritePermit<'e, 'a, D> {
    pub(crate) fn new(execution: &'e mut Execution<'a, D>) -> Self {
        Self { execution }
    }

    /// The plan to apply.
    #[must_use]
    pub fn plan(&self) -> &Plan<D> {
        self.execution.plan
    }

    /// Applies the plan, and returns the outcomes.
    ///
    /// A record that fails does not end the execution; the run reports it.
    pub async fn execute<T: Adapter<Data = D>>(self, target: &T) -> &'e Outcomes
    where
        D: WrittenBy<T>,
    {
        self.execution.run(target).await;
        &self.execution.ledger.outcomes
    }
}

impl<D> std::fmt::Debug for WritePermit<'_, '_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WritePermit").finish_non_exhaustive()
    }
}

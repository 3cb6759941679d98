//! Execution: writing what the diff says, parents before children, deletes last and children first.

mod order;
mod outcome;
mod write;

use std::collections::HashMap;
use std::num::NonZeroUsize;

use fixedbitset::FixedBitSet;

pub use self::outcome::{Operation, Outcome, OutcomeCounts, Outcomes};

use self::outcome::Task;
use self::write::{WriteModel, writers};
use crate::adapter::Adapter;
use crate::dataset::{Dataset, HasTable, WrittenBy, parents_first};
use crate::error::JobError;
use crate::event::{Event, Observers};
use crate::model::SyncModel;
use crate::plan::{Plan, RecordRef};
use crate::step::{Side, Step};
use crate::table::Table;

/// How an execution is to go about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExecuteOptions {
    /// Go on with the other records when one fails.
    pub(crate) continue_on_failure: bool,
    /// How many records may be written at the same time, instead of what the target says.
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// The target writes only when it completes the run: no outcome is final before, so none is announced.
    pub(crate) writes_at_complete: bool,
}

/// A plan being carried out: what the target holds now, and what became of each record.
///
/// While one group of records is being written the state does not change, so the records of that group can read it
/// without locks; their results are entered when the group is done.
pub(crate) struct Execution<'a, D: 'static> {
    plan: &'a Plan<D>,
    observers: &'a Observers,
    options: ExecuteOptions,
    /// The records created and updated so far, as the target stored them.
    written: D,
    /// For each model the rows of the target that were deleted.
    deleted: Vec<FixedBitSet>,
    outcomes: Outcomes,
    /// For each model the source rows that could not be written, with the record that is to blame.
    failed: Vec<HashMap<u32, RecordRef>>,
    /// For each model the rows of the target that should have been deleted or moved and were not.
    stuck: Vec<Vec<u32>>,
    done: usize,
    stopped: bool,
}

impl<'a, D: Dataset> Execution<'a, D> {
    pub(crate) fn new(plan: &'a Plan<D>, options: ExecuteOptions, observers: &'a Observers) -> Self {
        let models = plan.diff().tables().len();
        Self {
            plan,
            observers,
            options,
            written: D::default(),
            deleted: vec![FixedBitSet::new(); models],
            outcomes: Outcomes::none_of(plan.diff()),
            failed: vec![HashMap::new(); models],
            stuck: vec![Vec::new(); models],
            done: 0,
            stopped: false,
        }
    }

    pub(crate) fn plan(&self) -> &'a Plan<D> {
        self.plan
    }

    pub(crate) fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    pub(crate) fn into_outcomes(self) -> Outcomes {
        self.outcomes
    }

    /// Whether a failure ended the execution early.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }

    /// The record with this identifier as the target now holds it.
    pub(crate) fn current<M: SyncModel>(&self, key: M::Key<'_>) -> Option<&M>
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        if let Some(row) = written.position(key) {
            return written.rows().get(row as usize);
        }
        let target: &Table<M> = self.plan.target().table();
        let row = target.position(key)?;
        let model = self.model(M::NAME)?;
        (!self.deleted[model].contains(row as usize)).then(|| &target.rows()[row as usize])
    }

    fn model(&self, name: &str) -> Option<usize> {
        self.plan.diff().tables().iter().position(|table| table.schema().name == name)
    }

    /// All records of a model as the target now holds them.
    fn current_records<M: SyncModel>(&self) -> impl Iterator<Item = &M>
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        let target: &Table<M> = self.plan.target().table();
        let deleted = self.model(M::NAME).map(|model| &self.deleted[model]);
        let kept = target
            .rows()
            .iter()
            .enumerate()
            .filter(move |(row, _)| !deleted.is_some_and(|deleted| deleted.contains(*row)))
            .map(move |(_, record)| written.position(record.key()).map_or(record, |row| &written.rows()[row as usize]));
        let created = written.rows().iter().filter(move |record| target.position(record.key()).is_none());
        // Nothing was done to duplicates: a file that is written from these records must not lose them.
        kept.chain(target.duplicates()).chain(created)
    }

    /// Carries the plan out on the target.
    async fn run<T: Adapter<Data = D>>(&mut self, target: &T)
    where
        D: WrittenBy<T>,
    {
        let writers = writers::<D, T>();
        let schemas = D::schemas();
        let order = parents_first(&schemas);
        for &model in &order {
            for group in self.writes_by_level(model) {
                let group = self.without_orphaned(group);
                self.write(&*writers[model], target, group).await;
            }
        }
        for &model in order.iter().rev() {
            for group in self.deletes_by_level(model) {
                let group = self.without_inhabited(model, group);
                self.write(&*writers[model], target, group).await;
            }
        }
    }

    /// Writes a group of records none of which depends on another.
    async fn write<T>(&mut self, writer: &dyn WriteModel<D, T>, target: &T, group: Vec<Task>) {
        if !group.is_empty() && !self.stopped {
            writer.write(target, self, group).await;
        }
    }

    /// Enters what became of a task.
    fn settle(&mut self, task: Task, outcome: Outcome) {
        let table = &self.plan.diff().tables()[task.model];
        let record = task.record(table);
        let to_blame = match &outcome {
            Outcome::Failed { .. } => Some(record),
            Outcome::Blocked { by } => Some(*by),
            _ => None,
        };
        if let Some(to_blame) = to_blame {
            match task.operation {
                Operation::Create => {
                    self.failed[task.model].insert(table.creates[task.place], to_blame);
                }
                Operation::Update => {
                    let (source, target) = table.updates[task.place];
                    self.failed[task.model].insert(source, to_blame);
                    self.stuck[task.model].push(target);
                }
                Operation::Delete => self.stuck[task.model].push(table.deletes[task.place]),
            }
        }
        if task.operation == Operation::Delete && outcome == Outcome::Deleted {
            self.deleted[task.model].grow_and_insert(table.deletes[task.place] as usize);
        }
        self.outcomes.set(task, outcome);
    }

    /// Tells the observers what became of a task.
    fn announce(&self, done: usize, record: RecordRef, operation: Operation, outcome: &Outcome) {
        if !self.options.writes_at_complete {
            self.observers.emit(&Event::RecordDone { record, operation, outcome });
        }
        let total = Some(self.plan.diff().operations() as u64);
        self.observers.emit(&Event::Progress { step: Step::ExecuteSync, done: done as u64, total });
    }

    /// The target has completed the run, or could not. Tells the observers of every record that they have not heard of.
    pub(crate) fn conclude(&mut self, error: Option<&JobError>) {
        let ExecuteOptions { writes_at_complete, .. } = self.options;
        if let Some(error) = error.filter(|_| writes_at_complete) {
            self.outcomes.fail_written(&error.to_string());
        }
        for (record, operation, outcome) in self.outcomes.iter(self.plan.diff()) {
            if writes_at_complete || *outcome == Outcome::NotAttempted {
                self.observers.emit(&Event::RecordDone { record, operation, outcome });
            }
        }
    }

    fn block(&mut self, task: Task, by: RecordRef) {
        let outcome = Outcome::Blocked { by };
        let record = task.record(&self.plan.diff().tables()[task.model]);
        self.done += 1;
        self.announce(self.done, record, task.operation, &outcome);
        self.settle(task, outcome);
    }
}

/// Leave to carry out a plan. Only the core can make one: the diff was calculated, and the run is not a dry run.
pub struct Approved<'e, 'a, D: 'static> {
    execution: &'e mut Execution<'a, D>,
}

impl<'e, 'a, D: Dataset> Approved<'e, 'a, D> {
    pub(crate) fn new(execution: &'e mut Execution<'a, D>) -> Self {
        Self { execution }
    }

    /// The plan to be carried out.
    #[must_use]
    pub fn plan(&self) -> &Plan<D> {
        self.execution.plan
    }

    /// Carries the plan out, and says what became of each record.
    ///
    /// Records that fail do not end it; the run reports them.
    pub async fn execute<T: Adapter<Data = D>>(self, target: &T) -> &'e Outcomes
    where
        D: WrittenBy<T>,
    {
        self.execution.run(target).await;
        &self.execution.outcomes
    }
}

impl<D> std::fmt::Debug for Approved<'_, '_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Approved").finish_non_exhaustive()
    }
}

/// A run after everything was written: what `sync_complete` works with.
pub struct Synced<'a, D: 'static> {
    execution: &'a Execution<'a, D>,
}

impl<'a, D: Dataset> Synced<'a, D> {
    pub(crate) fn new(execution: &'a Execution<'a, D>) -> Self {
        Self { execution }
    }

    /// All records of a model as the target now holds them, in the order they were loaded, new ones last: what a file
    /// is written from.
    pub fn records<M: SyncModel>(&self) -> impl Iterator<Item = &'a M>
    where
        D: HasTable<M>,
    {
        self.execution.current_records()
    }

    /// The plan that was carried out.
    #[must_use]
    pub fn plan(&self) -> &'a Plan<D> {
        self.execution.plan()
    }

    /// What became of each record.
    #[must_use]
    pub fn outcomes(&self) -> &'a Outcomes {
        self.execution.outcomes()
    }

    /// How many records ended as what.
    #[must_use]
    pub fn counts(&self) -> OutcomeCounts {
        self.outcomes().counts(self.plan().diff())
    }
}

impl<D> std::fmt::Debug for Synced<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Synced").finish_non_exhaustive()
    }
}

/// A record of the target.
fn target_record(model: usize, row: u32) -> RecordRef {
    RecordRef::new(Side::Target, model, row)
}

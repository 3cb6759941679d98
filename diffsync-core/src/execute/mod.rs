//! Execution: writing what the diff says, parents before children, deletes last and children first.

mod order;
mod write;

use std::collections::HashMap;
use std::num::NonZeroUsize;

use self::write::{WriteModel, writers};
use crate::adapter::{Adapter, Synced, WrittenBy};
use crate::current::Current;
use crate::dataset::{Dataset, parents_first};
use crate::error::JobError;
use crate::event::{Event, Observers};
use crate::outcome::{Operation, Outcome, Outcomes, Task};
use crate::plan::{Plan, RecordRef};
use crate::problem::Problem;
use crate::step::{Side, Step};

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

/// What an execution leaves behind.
pub(crate) struct Results {
    pub(crate) outcomes: Outcomes,
    pub(crate) problems: Vec<Problem>,
    /// The error that ended the execution early.
    pub(crate) stopped: Option<String>,
}

/// A plan being carried out: what the target holds now, and what became of each record.
///
/// While one group of records is being written the state does not change, so the records of that group can read it
/// without locks; their results are entered when the group is done.
pub(crate) struct Execution<'a, D: 'static> {
    plan: &'a Plan<D>,
    observers: &'a Observers,
    options: ExecuteOptions,
    current: Current<'a, D>,
    outcomes: Outcomes,
    /// For each model the source rows that could not be written, with the record that is to blame.
    failed: Vec<HashMap<u32, RecordRef>>,
    /// For each model the rows of the target that should have been deleted or moved and were not.
    stuck: Vec<Vec<u32>>,
    /// What the target made of records that it did not refuse.
    problems: Vec<Problem>,
    done: usize,
    /// The error that ended the execution early.
    stopped: Option<String>,
}

impl<'a, D: Dataset> Execution<'a, D> {
    pub(crate) fn new(plan: &'a Plan<D>, options: ExecuteOptions, observers: &'a Observers) -> Self {
        let models = plan.diff().tables().len();
        Self {
            plan,
            observers,
            options,
            current: Current::new(plan),
            outcomes: Outcomes::none_of(plan.diff()),
            failed: vec![HashMap::new(); models],
            stuck: vec![Vec::new(); models],
            problems: Vec::new(),
            done: 0,
            stopped: None,
        }
    }

    pub(crate) fn plan(&self) -> &'a Plan<D> {
        self.plan
    }

    /// What `sync_complete` works with.
    pub(crate) fn synced(&self) -> Synced<'_, D> {
        Synced::new(&self.current, &self.outcomes)
    }

    pub(crate) fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    pub(crate) fn into_results(self) -> Results {
        Results { outcomes: self.outcomes, problems: self.problems, stopped: self.stopped }
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
        if !group.is_empty() && self.stopped.is_none() {
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
            self.current.delete(task.model, table.deletes[task.place]);
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

/// A record of the target.
fn target_record(model: usize, row: u32) -> RecordRef {
    RecordRef::new(Side::Target, model, row)
}

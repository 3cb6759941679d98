//! What became of each task, entered as it becomes known: also a run that is cut short says what it did.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{ExecuteOptions, Results};
use crate::dataset::Dataset;
use crate::error::JobError;
use crate::event::{Event, Observers};
use crate::outcome::{Operation, Outcome, Outcomes, Task};
use crate::plan::{Plan, PlanView, RecordRef};
use crate::problem::Problem;
use crate::step::{Side, Step};

/// The tasks that the target is at: what becomes of them is not known if the execution is dropped.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<Vec<Task>>>);

impl InFlight {
    fn tasks(&self) -> MutexGuard<'_, Vec<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, task: Task) {
        self.tasks().push(task);
    }

    pub(super) fn end(&self, task: Task) {
        self.tasks().retain(|other| *other != task);
    }

    fn take(&self) -> Vec<Task> {
        std::mem::take(&mut self.tasks())
    }
}

/// The outcomes of an execution, and what follows from them for the tasks that are still to come.
pub(super) struct Ledger<'a, D: 'static> {
    plan: &'a Plan<D>,
    observers: &'a Observers,
    options: ExecuteOptions,
    pub(super) outcomes: Outcomes,
    /// For each model the source rows that could not be written, with the record that is to blame.
    failed: Vec<HashMap<u32, RecordRef>>,
    /// For each model the rows of the target under which a record stays that nobody removes or moves away, with it.
    inhabited: Vec<HashMap<u32, RecordRef>>,
    /// What the target made of records that it did not refuse.
    problems: Vec<Problem>,
    /// What the target is at now.
    in_flight: InFlight,
    done: usize,
    /// The error that ended the execution early.
    stopped: Option<String>,
}

impl<'a, D: Dataset> Ledger<'a, D> {
    pub(super) fn new(plan: &'a Plan<D>, options: ExecuteOptions, observers: &'a Observers) -> Self {
        let models = plan.diff().tables().len();
        let mut ledger = Self {
            plan,
            observers,
            options,
            outcomes: Outcomes::none_of(plan.diff()),
            failed: vec![HashMap::new(); models],
            inhabited: vec![HashMap::new(); models],
            problems: Vec::new(),
            in_flight: InFlight::default(),
            done: 0,
            stopped: None,
        };
        if plan.diff().tables().iter().any(|table| !table.deletes.is_empty()) {
            ledger.enter_those_that_stay();
        }
        ledger
    }

    /// Records that no task is about keep those that they live under: rejected ones, those of a model that was left out,
    /// and duplicates, which have no row.
    fn enter_those_that_stay(&mut self) {
        for (model, table) in self.plan.diff().tables().iter().enumerate() {
            let left_out = if table.left_out > 0 { self.plan.rows(Side::Target, model) } else { 0 };
            for row in table.withheld.iter().copied().chain(0..left_out) {
                self.stays(RecordRef::new(Side::Target, model, row));
            }
            for (record, parent) in self.plan.parents_of_duplicates(Side::Target, model) {
                self.inhabited[parent.model()].entry(parent.row()).or_insert(record);
            }
        }
    }

    /// A record stays where it is in the target.
    fn stays(&mut self, record: RecordRef) {
        if let Some(parent) = self.plan.parent(record) {
            self.inhabited[parent.model()].entry(parent.row()).or_insert(record);
        }
    }

    /// Whether the execution was ended early.
    pub(super) fn stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Ends the execution early.
    pub(super) fn stop(&mut self, error: &str) {
        self.stopped.get_or_insert_with(|| error.to_owned());
    }

    pub(super) fn in_flight(&self) -> InFlight {
        self.in_flight.clone()
    }

    pub(super) fn report(&mut self, problem: Option<Problem>) {
        self.problems.extend(problem);
    }

    /// Whether every record that was asked for so far was written.
    pub(super) fn nothing_failed(&self) -> bool {
        self.failed.iter().all(HashMap::is_empty)
    }

    /// The record because of which a parent of the source could not be written.
    pub(super) fn to_blame_for(&self, parent: RecordRef) -> Option<RecordRef> {
        self.failed[parent.model()].get(&parent.row()).copied()
    }

    /// A record that stays under this row of the target.
    pub(super) fn inhabitant(&self, model: usize, row: u32) -> Option<RecordRef> {
        self.inhabited[model].get(&row).copied()
    }

    /// Enters what became of a task, and tells the observers.
    pub(super) fn settle(&mut self, task: Task, outcome: Outcome) {
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
                    self.failed[task.model].insert(record.row(), to_blame);
                }
                Operation::Update => {
                    self.failed[task.model].insert(record.row(), to_blame);
                    self.stays(RecordRef::new(Side::Target, task.model, table.updates[task.place].1));
                }
                Operation::Delete => self.stays(record),
            }
        }
        self.done += 1;
        if !self.options.writes_at_complete {
            let operation = task.operation;
            self.observers.emit(&Event::RecordDone { record, operation, outcome: &outcome });
        }
        let (done, total) = (self.done as u64, Some(self.plan.diff().operations() as u64));
        self.observers.emit(&Event::Progress { step: Step::ExecuteSync, done, total });
        self.outcomes.set(task, outcome);
    }

    /// The target has completed the run, or could not. Tells the observers of every record that they have not heard of.
    pub(super) fn conclude(&mut self, error: Option<&JobError>) {
        for task in self.in_flight.take() {
            self.settle(task, Outcome::Unknown);
        }
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

    pub(super) fn into_results(self) -> Results {
        Results { outcomes: self.outcomes, problems: self.problems, stopped: self.stopped }
    }
}

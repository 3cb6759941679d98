//! The outcomes of an execution, recorded as they become known, so that an interrupted run also reports what it did.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fixedbitset::FixedBitSet;
use url::Url;

use super::conflict::{Conflicts, Postponed};
use super::dependents::{Clearing, Dependents, Done, Obstacle};
use super::journal::Journal;
use super::options::ExecuteOptions;
use crate::adapter::{Completion, Completions, Staying};
use crate::data::dataset::{At, Dataset};
use crate::data::problem::Problem;
use crate::error::{Conflict, JobError};
use crate::model::operation::Operation;
use crate::model::schema::LinkSchema;
use crate::plan::hold_reason::HoldReason;
use crate::plan::outcome::{Outcome, Outcomes, Task};
use crate::plan::{Plan, RecordRef};
use crate::report::event::{Event, Observers, RecordUrl};
use crate::report::step::Step;

/// The error of a record whose unique value was emptied, when the run was interrupted.
const EMPTIED: &str =
    "a unique value of it was emptied to free it for another record, and the run ended before it was set";

/// The same error for a record that was to be deleted.
const EMPTIED_AND_KEPT: &str =
    "a unique value of it was emptied to free it for another record, and the run ended before it was deleted";

/// Finds the URL of a record's page, given its operation and outcome.
pub(crate) type LookUp<'a> = dyn Fn(RecordRef, Operation, &Outcome) -> Option<Url> + Send + Sync + 'a;

/// Why an execution ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// A record failed with this error.
    Failure(String),
    /// The run was cancelled.
    Cancelled,
    /// The run reached its time limit.
    TimeLimit,
}

/// The tasks in flight when the execution was dropped: their outcome is unknown.
#[derive(Clone, Default)]
pub(super) struct Interrupted(Arc<Mutex<Vec<Task>>>);

impl Interrupted {
    fn tasks(&self) -> MutexGuard<'_, Vec<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks these tasks as in flight until the target has answered.
    pub(super) fn unless_answered<'a>(&'a self, tasks: &'a [Task]) -> InFlight<'a> {
        InFlight { tasks, interrupted: self, answered: false }
    }
}

/// Tasks in flight.
pub(super) struct InFlight<'a> {
    tasks: &'a [Task],
    interrupted: &'a Interrupted,
    answered: bool,
}

impl InFlight<'_> {
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        // The future of the call was dropped, so its answer will never be known.
        if !self.answered {
            self.interrupted.tasks().extend_from_slice(self.tasks);
        }
    }
}

/// The outcomes of an execution, and their consequences for the remaining tasks.
pub(super) struct Ledger<'a, D: 'static> {
    plan: &'a Plan<D>,
    observers: &'a Observers,
    /// How the page of a record is found.
    pub(super) record_url: Option<&'a LookUp<'a>>,
    options: &'a ExecuteOptions,
    pub(super) outcomes: Outcomes,
    /// For each model, the source rows that could not be written, with the planned operation and the record that caused it.
    unwritten: Vec<HashMap<u32, (Operation, RecordRef)>>,
    /// The records that collided with others, and the deletes that are held because of them.
    pub(super) conflicts: Conflicts,
    /// The planned deletes that will not be done.
    staying: Arc<Staying>,
    /// The records that still depend on those to be deleted; computed on first use.
    dependents: Option<Dependents<'a, D>>,
    /// For each model, the places of creates and of updates that are done except for deferred references.
    unfinished: Vec<[FixedBitSet; 2]>,
    /// For each model, the places of updates that were done except for deferred references, even if those failed later.
    partly: Vec<FixedBitSet>,
    /// Records that the target accepted but did not store as given.
    pub(super) problems: Vec<Problem>,
    /// The tasks done since the undo plan was last appended to.
    pub(super) journal: Journal,
    interrupted: Interrupted,
    /// The results that the target reported for single models when it completed the run.
    pub(super) completions: Completions,
    /// Whether the target was changed, or may have been.
    wrote: bool,
    done: usize,
    /// How often a task made progress: it was done, in part or as a whole, or failed for good.
    steps: usize,
    deleted: usize,
    failures: usize,
    /// Why the execution ended early.
    pub(super) stopped: Option<Stopped>,
}

impl<'a, D: Dataset> Ledger<'a, D> {
    pub(super) fn new(plan: &'a Plan<D>, options: &'a ExecuteOptions, observers: &'a Observers) -> Self {
        let mut ledger = Self {
            plan,
            observers,
            record_url: None,
            options,
            outcomes: Outcomes::none_of(plan.diff()),
            unwritten: vec![HashMap::new(); plan.diff().tables().len()],
            conflicts: Conflicts::of(plan.diff().tables().len()),
            staying: Arc::new(Staying::of(plan.diff().tables().len())),
            dependents: None,
            partly: vec![FixedBitSet::new(); plan.diff().tables().len()],
            unfinished: vec![[FixedBitSet::new(), FixedBitSet::new()]; plan.diff().tables().len()],
            problems: Vec::new(),
            journal: Journal::default(),
            interrupted: Interrupted::default(),
            completions: Completions::default(),
            wrote: false,
            done: 0,
            steps: 0,
            deleted: 0,
            failures: 0,
            stopped: None,
        };

        // A create that is withheld blocks the records that need it, as one that failed does.
        for (model, table) in plan.diff().tables().iter().enumerate() {
            if table.withholds_nothing() {
                continue;
            }
            for task in Task::all(model, Operation::Create, table) {
                if table.withheld(Operation::Create, task.place).is_some() {
                    let record = task.record(table);
                    ledger.unwritten[model].insert(record.row(), (Operation::Create, record));
                }
            }
        }
        ledger
    }

    /// The records that still depend on those to be deleted.
    pub(super) fn dependents(&mut self) -> &mut Dependents<'a, D> {
        self.dependents.get_or_insert_with(|| Dependents::of(self.plan))
    }

    /// Whether the execution ended early.
    pub(super) fn stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Ends the execution early.
    pub(super) fn stop(&mut self, why: Stopped) {
        self.stopped.get_or_insert(why);
    }

    pub(super) fn interrupted(&self) -> Interrupted {
        self.interrupted.clone()
    }

    /// Notes that the target has written something, or may have.
    pub(super) fn has_written(&mut self) {
        self.wrote = true;
    }

    pub(super) fn wrote(&self) -> bool {
        self.wrote || !self.interrupted.tasks().is_empty()
    }

    pub(super) fn report(&mut self, problem: Option<Problem>) {
        self.problems.extend(problem);
    }

    /// Whether every record attempted so far was written.
    pub(super) fn nothing_failed(&self) -> bool {
        self.unwritten.iter().all(HashMap::is_empty) && self.conflicts.nothing_waits()
    }

    /// The record that blocks a task which names this one by a link, if that could not be created.
    ///
    /// A record whose update failed still exists, so tasks that name it are not blocked. The exception is a record of the same
    /// model that could not be moved: moving another one under it might create a circle in the target.
    pub(super) fn to_blame_for(&self, task: Task, link: &LinkSchema, named: RecordRef) -> Option<RecordRef> {
        let (operation, to_blame) = self.unwritten[named.model()].get(&named.row())?;
        self.needs(task, link, named, *operation).then_some(*to_blame)
    }

    /// Whether a task waits for a record that it names by this link and that is retried later.
    pub(super) fn has_to_wait(&self, task: Task, link: &LinkSchema, named: RecordRef) -> bool {
        self.conflicts.waits(named).is_some_and(|operation| self.needs(task, link, named, operation))
    }

    /// Whether a task can only be done after the operation on a record that it names.
    fn needs(&self, task: Task, link: &LinkSchema, named: RecordRef, operation: Operation) -> bool {
        // A record that does not exist cannot be named.
        if operation == Operation::Create {
            return true;
        }

        let table = &self.plan.diff().tables()[task.model];
        let moves = |task: Task, link: &LinkSchema| {
            let mut fields = table.schema().attributes.iter().enumerate();
            fields.any(|(at, field)| link.fields.contains(&field.name) && table.is_changed(task.place, at))
        };
        let own = |link: &&LinkSchema| link.model == table.schema().name && link.orders();
        if task.operation != Operation::Update || !own(&link) || !moves(task, link) {
            return false;
        }

        // The source's rows are compared, and their updates listed, in order.
        let place = table.updates.binary_search_by_key(&named.row(), |(row, _)| *row);
        place.is_ok_and(|place| {
            let named = Task { place, ..task };
            table.schema().links.iter().filter(own).any(|link| moves(named, link))
        })
    }

    /// Postpones a create or an update until everything else is written.
    pub(super) fn postpone(&mut self, task: Task, error: Arc<str>, conflict: Option<Conflict>) {
        let record = task.record(&self.plan.diff().tables()[task.model]);
        self.conflicts.wait(record, task.operation);
        self.conflicts.postpone(task, Postponed::new(error, conflict));
    }

    /// Notes that a record collided with others, which are therefore not deleted.
    pub(super) fn keep_what_collides(&mut self, task: Task, conflict: &Conflict) {
        let tables = self.plan.diff().tables();
        let record = task.record(&tables[task.model]);
        let position = |name: &str| tables.iter().position(|table| table.schema().name == name);

        for (model, id) in &conflict.holders {
            self.conflicts.collided(record, position(model).map(|model| (model, id.clone())));
        }
        if conflict.holders.is_empty() {
            self.conflicts.collided(record, None);
        }

        self.staying_changed();
    }

    /// Keeps a row of the target from being deleted.
    pub(super) fn keep(&mut self, record: RecordRef, reason: HoldReason) {
        self.conflicts.hold(record, reason);
        if let Ok(place) = self.plan.diff().tables()[record.model()].deletes.binary_search(&record.row()) {
            // Copied while calls are in flight: these keep the list that they began with.
            Arc::make_mut(&mut self.staying).keep(record.model(), place);
        }
    }

    /// Holds a delete. The observers are notified at the end, as for all held records.
    pub(super) fn hold(&mut self, task: Task, reason: HoldReason) {
        Arc::make_mut(&mut self.staying).keep(task.model, task.place);
        self.outcomes.set(task, Outcome::Held { reason });
    }

    /// The planned deletes that are known not to be done.
    pub(super) fn staying(&self) -> Arc<Staying> {
        Arc::clone(&self.staying)
    }

    fn staying_changed(&mut self) {
        for model in self.conflicts.unnamed_models() {
            Arc::make_mut(&mut self.staying).keep_all(model);
        }
    }

    /// How often a task made progress so far.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Why this row of the target cannot be deleted now.
    pub(super) fn obstacle(&mut self, model: usize, row: u32) -> Option<Obstacle> {
        let dependents = self.dependents.get_or_insert_with(|| Dependents::of(self.plan));
        dependents.obstacle(Done { outcomes: &self.outcomes, partly: &self.partly }, model, row)
    }

    /// The records to be deleted that a record which stays depends on.
    pub(super) fn kept_for_good(&mut self) -> HashSet<At> {
        let dependents = self.dependents.get_or_insert_with(|| Dependents::of(self.plan));
        dependents.kept_for_good(Done { outcomes: &self.outcomes, partly: &self.partly })
    }

    /// The records to be deleted whose deferred references are cleared first.
    pub(super) fn references_to_clear(&mut self) -> Clearing {
        let dependents = self.dependents.get_or_insert_with(|| Dependents::of(self.plan));
        dependents.references_to_clear(Done { outcomes: &self.outcomes, partly: &self.partly })
    }

    /// How many records were deleted so far.
    pub(super) fn deleted(&self) -> usize {
        self.deleted
    }

    /// Records that a task is done except for its deferred references.
    pub(super) fn leave_unfinished(&mut self, task: Task) {
        self.steps += 1;
        self.conflicts.forget(task);
        self.unfinished[task.model][task.operation as usize].grow_and_insert(task.place);
        self.outcomes.set(task, Outcome::done(task.operation));
    }

    /// Records that a record was written except for its deferred references: its other links are already as planned.
    pub(super) fn leave_partly_done(&mut self, task: Task) {
        self.journal.note(task);
        if task.operation == Operation::Update {
            self.partly[task.model].grow_and_insert(task.place);
        }
        self.leave_unfinished(task);
    }

    /// The tasks of a model that are done except for deferred references.
    pub(super) fn unfinished(&self, model: usize) -> Vec<Task> {
        let of = |operation: Operation| {
            let places = self.unfinished[model][operation as usize].ones();
            places.map(move |place| Task { model, operation, place })
        };
        of(Operation::Create).chain(of(Operation::Update)).collect()
    }

    /// Records the outcome of a task, and notifies the observers.
    pub(super) fn settle(&mut self, task: Task, outcome: Outcome) {
        let table = &self.plan.diff().tables()[task.model];
        let record = task.record(table);

        // A blocked record was never sent to the target, so there is nothing to undo.
        if !matches!(outcome, Outcome::Blocked { .. }) {
            self.journal.note(task);
        }

        let to_blame = match &outcome {
            Outcome::Failed { .. } | Outcome::Unknown { .. } => Some(record),
            Outcome::Blocked { by } => Some(*by),
            _ => None,
        };

        // A record whose delete failed still exists, so it blocks nothing.
        if let Some(to_blame) = to_blame.filter(|_| task.operation != Operation::Delete) {
            self.unwritten[task.model].insert(record.row(), (task.operation, to_blame));
        }

        // A record whose outcome is unknown counts as well: a target that times out or panics on every record must not be
        // called for all of them.
        if let Outcome::Failed { error, .. } | Outcome::Unknown { reason: error } = &outcome {
            self.failures += 1;
            if self.options.max_failures.is_some_and(|max| self.failures >= max) {
                self.stop(Stopped::Failure(error.to_string()));
            }
        }

        if let Some(unfinished) = self.unfinished[task.model].get_mut(task.operation as usize)
            && unfinished.contains(task.place)
        {
            unfinished.remove(task.place);
        }

        // Even if the task failed for another reason in the end, a record that it collided with may still be in its way.
        for conflict in self.conflicts.forget(task) {
            if !outcome.is_written() {
                self.keep_what_collides(task, &conflict);
            }
        }

        // A target that looks for dependents before a delete has to know which of them stay.
        let may_come = matches!(outcome, Outcome::NotAttempted | Outcome::Deleted | Outcome::Cascaded);
        if task.operation == Operation::Delete && !may_come {
            Arc::make_mut(&mut self.staying).keep(task.model, task.place);
        }

        self.steps += 1;
        self.done += 1;
        self.deleted += usize::from(outcome == Outcome::Deleted);

        // Otherwise `conclude` announces it, once the file is written.
        if !self.options.writes_at_complete {
            self.announce(record, task.operation, &outcome);
        }

        let (done, total) = (self.done as u64, Some(self.plan.diff().operations() as u64));
        self.observers.emit(&Event::Progress { step: Step::ExecuteSync, done, total });
        self.outcomes.set(task, outcome);
    }

    /// Records the outcomes of the tasks that were interrupted.
    pub(super) fn settle_rest(&mut self) {
        let interrupted = std::mem::take(&mut *self.interrupted.tasks());
        self.wrote |= !interrupted.is_empty();
        for task in interrupted {
            let reason = "the run was interrupted during this write".into();
            self.settle(task, Outcome::Unknown { reason });
        }

        for (task, Postponed { error, .. }) in self.conflicts.postponed() {
            // A record whose value was emptied is not as it was loaded.
            let may_be_written = self.conflicts.has_freed(task);
            let error = if may_be_written { format!("{error}; {EMPTIED}").into() } else { error };
            let outcome = Outcome::Failed { error, may_be_written };
            self.settle(task, outcome);
        }

        for freed in std::mem::take(&mut self.conflicts.freed) {
            if *self.outcomes.get(freed.holder) == Outcome::NotAttempted {
                let error = if freed.holder.operation == Operation::Delete { EMPTIED_AND_KEPT } else { EMPTIED };
                self.settle(freed.holder, Outcome::Failed { error: error.into(), may_be_written: true });
            }
        }

        let unfinished: Vec<_> = (0..self.unfinished.len()).flat_map(|model| self.unfinished(model)).collect();
        for task in unfinished {
            let error = format!("it was {}d, but the run ended before its references were set", task.operation);
            self.settle(task, Outcome::failed(error));
        }
    }

    /// Records the outcomes of a target that writes at complete: the result that it reported for the model, else the result of
    /// the whole.
    fn settle_completions(&mut self, error: Option<&JobError>) {
        let failed = |text: String, is_unknown: bool| {
            let text: Arc<str> = text.into();
            if is_unknown { Outcome::Unknown { reason: text } } else { Outcome::failed(text) }
        };
        let of_all = error.map(|error| failed(error.to_string(), error.is_unknown()));

        let mut instead = vec![of_all; self.plan.diff().tables().len()];
        for (model, completion) in self.completions.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            instead[model] = match completion {
                Completion::Written => None,
                Completion::NotAttempted => Some(Outcome::NotAttempted),
                Completion::Failed(error) => Some(failed(error.to_string(), error.is_unknown())),
            };
        }

        for (model, instead) in instead.iter().enumerate() {
            if let Some(instead) = instead {
                self.outcomes.replace_written(model, instead);
            }
        }
    }

    /// Records how the target completed the run, and notifies the observers of every outcome not announced yet.
    pub(super) fn conclude(&mut self, error: Option<&JobError>) {
        self.settle_rest();
        let writes_at_complete = self.options.writes_at_complete;
        if writes_at_complete {
            self.settle_completions(error);
        }

        for (record, operation, outcome) in self.outcomes.iter(self.plan.diff()) {
            // These outcomes were never settled one by one, so no observer knows them.
            let unheard = matches!(outcome, Outcome::NotAttempted | Outcome::Held { .. } | Outcome::Unsupported);
            if writes_at_complete || unheard {
                self.announce(record, operation, outcome);
            }
        }
    }

    /// Notifies the observers of an outcome.
    fn announce(&self, record: RecordRef, operation: Operation, outcome: &Outcome) {
        let look_up = || self.record_url.and_then(|look_up| look_up(record, operation, outcome));
        let url = RecordUrl::new(&look_up);
        self.observers.emit(&Event::RecordDone { record, operation, outcome, url });
    }
}

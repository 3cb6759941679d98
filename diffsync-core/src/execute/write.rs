//! Writes a group of records of one model, several at a time or many with one call.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{self, StreamExt};

use super::answer::{Answer, WritePhase};
use super::ask::Asking;
use super::dependents::Clearing;
use super::execution::Execution;
use super::ledger::{Ledger, Stopped};
use super::options::ExecuteOptions;
use super::set_value::{Value, set_value};
use crate::adapter::{Capabilities, Target, TargetVisitor, WriteContext, WrittenBy};
use crate::data::dataset::{Dataset, HasTable, Model};
use crate::data::problem::{Problem, ProblemKind};
use crate::data::side::Side;
use crate::error::{TargetError, TargetErrorKind};
use crate::model::operation::{Operation, Operations};
use crate::model::{ModelExt, SyncModel};
use crate::plan::hold_reason::HoldReason;
use crate::plan::outcome::{Outcome, Task};
use crate::plan::target_state::TargetState;
use crate::plan::{Plan, RecordRef};

/// Writes the records of one model, without its type.
pub(super) trait WriteModel<D, T>: Send + Sync {
    /// Writes a group of records that do not depend on each other, and records their outcomes.
    fn write<'a>(
        &'a self,
        target: &'a T,
        execution: &'a mut Execution<'_, D>,
        group: Vec<Task>,
        phase: WritePhase,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// Sets one attribute of a record of the target, to free a unique value or to restore it.
    fn set_value<'a>(
        &'a self,
        target: &'a T,
        execution: &'a mut Execution<'_, D>,
        task: Task,
        attribute: usize,
        value: Value,
    ) -> Pin<Box<dyn Future<Output = Result<(), Arc<str>>> + Send + 'a>>;

    /// The operations that the target supports for the model.
    fn abilities(&self, target: &T) -> Operations;

    /// How many records the target is given at a time.
    fn at_a_time(&self, target: &T, options: &ExecuteOptions) -> usize;
}

/// The writers of a data set's models, in the order of its fields.
pub(super) fn writers<D: WrittenBy<T>, T>() -> Vec<Box<dyn WriteModel<D, T>>> {
    struct Writers<D, T>(Vec<Box<dyn WriteModel<D, T>>>);
    impl<D: Dataset, T> TargetVisitor<D, T> for Writers<D, T> {
        fn visit<M: SyncModel>(&mut self)
        where
            D: HasTable<M>,
            T: Target<M, Data = D>,
        {
            self.0.push(Box::new(Model::<M>::NEW));
        }
    }

    let mut writers = Writers(Vec::new());
    D::visit_targets(&mut writers);
    writers.0
}

/// The operations that a target supports for each model, in the order of the data set's fields.
pub(crate) fn abilities<D: WrittenBy<T>, T>(target: &T) -> Vec<Operations> {
    writers::<D, T>().iter().map(|writer| writer.abilities(target)).collect()
}

impl<D, T, M> WriteModel<D, T> for Model<M>
where
    D: Dataset + HasTable<M>,
    T: Target<M, Data = D>,
    M: SyncModel,
{
    fn write<'a>(
        &'a self,
        target: &'a T,
        execution: &'a mut Execution<'_, D>,
        group: Vec<Task>,
        phase: WritePhase,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(write_group(target, execution, group, phase))
    }

    fn set_value<'a>(
        &'a self,
        target: &'a T,
        execution: &'a mut Execution<'_, D>,
        task: Task,
        attribute: usize,
        value: Value,
    ) -> Pin<Box<dyn Future<Output = Result<(), Arc<str>>> + Send + 'a>> {
        Box::pin(set_value::<D, T, M>(target, execution, task, attribute, value))
    }

    fn abilities(&self, target: &T) -> Operations {
        target.capabilities().operations
    }

    fn at_a_time(&self, target: &T, options: &ExecuteOptions) -> usize {
        let capabilities = target.capabilities();
        concurrency(&capabilities, options).saturating_mul(capabilities.batch.max(1))
    }
}

/// How many calls are made at a time. A run's setting is a wish; the target's limit always wins.
fn concurrency(capabilities: &Capabilities, options: &ExecuteOptions) -> usize {
    let wanted = options.concurrency.map_or(capabilities.concurrency, usize::from);
    wanted.min(capabilities.concurrency_limit.unwrap_or(usize::MAX)).max(1)
}

async fn write_group<D, T, M>(target: &T, execution: &mut Execution<'_, D>, group: Vec<Task>, phase: WritePhase)
where
    D: Dataset + HasTable<M>,
    T: Target<M, Data = D>,
    M: SyncModel,
{
    let capabilities = target.capabilities();
    let options = execution.options;
    let concurrency = concurrency(&capabilities, execution.options);

    // A flag, since `enter` borrows the ledger while other calls are in flight.
    let stop = AtomicBool::new(false);
    let Execution { plan, current, ledger, clearing, .. } = execution;
    let clearing: &Clearing = clearing;
    let plan: &Plan<D> = plan;
    let (interrupted, staying) = (ledger.interrupted(), ledger.staying());
    let mut some_left = false;

    {
        // The calls of a group share the target's state; the block ends the borrow before `take_over` changes it.
        let current: &TargetState<'_, D> = current;
        let cx = WriteContext::new(current, staying);
        let interrupted = &interrupted;
        let asking = Asking { target, plan, cx: &cx, current, phase, options, interrupted, clearing };

        let mut enter = |task: Task, answer: Answer<M>| {
            some_left |= matches!(answer, Answer::NotAsked);
            asking.enter(ledger, task, answer);
            if ledger.stopped() {
                stop.store(true, Ordering::Relaxed);
            }
        };

        // A call in flight is finished. Only new ones are not begun.
        let is_over = || stop.load(Ordering::Relaxed) || options.is_over();
        if capabilities.batch > 1 {
            let batches = batches(group, phase, capabilities.batch);
            let (asking, is_over) = (&asking, &is_over);
            let mut running = stream::iter(batches)
                .map(|batch| async move {
                    if is_over() {
                        return batch.into_iter().map(|task| (task, Answer::NotAsked)).collect();
                    }

                    // If the run is dropped during the call, the outcome of the batch is unknown.
                    let asked = asking.interrupted.unless_answered(&batch);
                    let answers = asking.batch(&batch).await;
                    asked.answered();
                    answers
                })
                .buffer_unordered(concurrency);

            while let Some(answers) = running.next().await {
                for (task, answer) in answers {
                    enter(task, answer);
                }
            }
        } else if concurrency == 1 {
            for task in group {
                let answer = if is_over() { Answer::NotAsked } else { asking.one(task).await };
                enter(task, answer);
            }
        } else {
            let (asking, is_over) = (&asking, &is_over);
            let mut running = stream::iter(group)
                .map(|task| async move {
                    let answer = if is_over() { Answer::NotAsked } else { asking.one(task).await };
                    (task, answer)
                })
                .buffer_unordered(concurrency);

            while let Some((task, answer)) = running.next().await {
                enter(task, answer);
            }
        }
    }

    // A time limit that passes after everything was done did not end the run.
    if some_left && !ledger.stopped() && options.is_over() {
        let cancelled = options.cancellation.is_cancelled();
        ledger.stop(if cancelled { Stopped::Cancelled } else { Stopped::TimeLimit });
    }

    current.take_over();
}

/// Splits tasks into batches of one operation each. It is lazy, since a group may hold millions. Setting deferred references
/// is always an update, even for a record that was created.
fn batches(group: Vec<Task>, phase: WritePhase, size: usize) -> impl Iterator<Item = Vec<Task>> {
    let mut rest = group.into_iter().peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let mut batch = vec![first];
        while batch.len() < size
            && let Some(next) = rest.next_if(|next| phase != WritePhase::Whole || next.operation == first.operation)
        {
            batch.push(next);
        }
        Some(batch)
    })
}

impl<D, T> Asking<'_, '_, D, T>
where
    D: Dataset,
{
    /// Records the target's answer to a task.
    fn enter<M: SyncModel>(&self, ledger: &mut Ledger<'_, D>, task: Task, answer: Answer<M>)
    where
        D: HasTable<M>,
    {
        // Also if the answer was lost: the target must complete a run that may have written.
        if let Answer::Stored(_) | Answer::Deleted | Answer::Unknown(_) | Answer::Renamed(_) = answer {
            ledger.has_written();
        }

        let outcome = match answer {
            Answer::NotAsked => return,
            Answer::NothingYet => return ledger.leave_unfinished(task),
            Answer::Unknown(reason) => Outcome::Unknown { reason },
            Answer::Failed(error) => match self.refused(ledger, task, &error) {
                Some(outcome) => outcome,
                None => return,
            },
            // The task itself, the delete, is still to come.
            Answer::Stored(record) if self.phase == WritePhase::Clear => {
                self.current.store(record);
                ledger.journal.note(task);
                if let Some(cleared) = task.in_target(&self.plan.diff().tables()[task.model]) {
                    ledger.dependents().clear(cleared);
                }
                return;
            }
            Answer::Renamed(record) if self.is_another(task, &record) => {
                // The target may have written that other record instead, so it must not be deleted.
                if let Some(row) = self.plan.target().table().position(record.key()) {
                    let by = task.record(&self.plan.diff().tables()[task.model]);
                    ledger.keep(RecordRef::new(Side::Target, task.model, row), HoldReason::WrittenOver { by });
                }
                Outcome::Failed {
                    error: format!(
                        "the target answered with {} {:?}; `update` must return the record it was given, as it is stored",
                        M::NAME,
                        record.id().to_string(),
                    )
                    .into(),
                    may_be_written: true,
                }
            }
            Answer::Stored(record) | Answer::Renamed(record) => {
                let unfinished = self.phase == WritePhase::Whole && self.is_unfinished(task, &record);
                ledger.report(self.stored_otherwise(task, &record));
                self.store(ledger, task, record);
                if unfinished {
                    return ledger.leave_partly_done(task);
                }
                Outcome::done(task.operation)
            }
            Answer::Deleted => {
                self.current.delete(task.model, self.plan.diff().tables()[task.model].deletes[task.place]);
                Outcome::done(task.operation)
            }
        };

        ledger.settle(task, outcome);
    }

    /// The outcome of a task that the target refused; `None` if it is retried after everything else is written.
    fn refused(&self, ledger: &mut Ledger<'_, D>, task: Task, error: &TargetError) -> Option<Outcome> {
        let mut text = error.to_string();

        // In the other phases the record is in the target, and only its references are at stake.
        if self.phase != WritePhase::Whole {
            text = format!("its references could not be set: {text}");
        }
        if error.kind() == TargetErrorKind::Fatal {
            ledger.stop(Stopped::Failure(text.clone()));
        }

        // Before conflicts, since a record that may have been written is not retried.
        if error.is_outcome_unknown() {
            ledger.has_written();
            return Some(Outcome::Unknown { reason: text.into() });
        }

        // The record that has the value may give it up by then.
        let is_write = self.phase == WritePhase::Whole && task.operation != Operation::Delete;
        if is_write && (error.is_conflict() || ledger.conflicts.has_freed(task)) {
            ledger.postpone(task, Arc::from(text), error.conflict_details().cloned());
            return None;
        }

        // A conflict on a delete is about a record that depends on it, not about a unique value.
        if let Some(conflict) = error.conflict_details().filter(|_| task.operation != Operation::Delete) {
            ledger.keep_what_collides(task, conflict);
        }
        Some(Outcome::failed(text))
    }

    /// Whether the target answered an update with another of the loaded records, so that it is unknown which of the two it
    /// wrote.
    fn is_another<M: SyncModel>(&self, task: Task, record: &M) -> bool
    where
        D: HasTable<M>,
    {
        let was_loaded = || self.plan.target().table().position(record.key()).is_some();
        match task.operation {
            // A create may be answered with a loaded record: the target wrote over it, which `store` reports.
            Operation::Create => self.phase != WritePhase::Whole && was_loaded(),
            Operation::Update => was_loaded(),
            Operation::Delete => true,
        }
    }

    /// Remembers a record as the target stored it. If that is under another identifier than it was given, both identifiers
    /// find it from now on.
    fn store<M: SyncModel>(&self, ledger: &mut Ledger<'_, D>, task: Task, record: M)
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        let asked = task.record(table);
        let given = self.source::<M>(asked.row());
        let known = || self.current.written::<M>(given.key());
        if record.is(given.key()) || known().is_some_and(|known| record.is(known.key())) {
            return self.current.store(record);
        }

        // The target may have overwritten a record that it already held, which must then not be deleted.
        let written_over = self.plan.target().table().position(record.key());
        if let Some(row) = written_over {
            ledger.keep(RecordRef::new(Side::Target, task.model, row), HoldReason::WrittenOver { by: asked });
        }

        let (id, stored) = (given.id().to_string(), record.id().to_string());
        let kind = ProblemKind::StoredAs {
            only_case: id.to_lowercase() == stored.to_lowercase(),
            existed: written_over.is_some(),
            stored,
        };
        ledger.report(Some(Problem { side: Side::Target, model: M::NAME, record: id, kind }));
        self.current.store_renamed(task.model, asked.row(), task.in_target(table).map(RecordRef::row), record);
    }

    /// Whether a written record still lacks deferred references that the source has.
    fn is_unfinished<M: SyncModel>(&self, task: Task, stored: &M) -> bool
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        let deferred = M::SCHEMA.attributes.iter().enumerate().filter(|(_, attribute)| attribute.deferred);

        // An undo plan sets exact values, some of which `differences` would call the same.
        if task.operation == Operation::Update && self.plan.is_exact() {
            return deferred.into_iter().any(|(position, _)| table.is_changed(task.place, position));
        }

        let mut unfinished = false;
        if task.operation != Operation::Delete && deferred.count() > 0 {
            self.source::<M>(task.record(table).row()).differences(stored, &mut |attribute| {
                let changes = task.operation == Operation::Create || table.is_changed(task.place, attribute);
                unfinished |= changes && M::SCHEMA.attributes[attribute].deferred;
            });
        }
        unfinished
    }

    /// Reports a target that returned other values than it was given. Nothing failed, but the next run will find the same
    /// difference again.
    fn stored_otherwise<M: SyncModel>(&self, task: Task, stored: &M) -> Option<Problem>
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        let new = self.source::<M>(task.record(table).row());

        let mut differs = Vec::new();
        new.differences(stored, &mut |position| differs.push(position));
        // Deferred references are compared when they are set, and the other attributes before that.
        differs.retain(|position| M::SCHEMA.attributes[*position].deferred == (self.phase == WritePhase::Deferred));
        differs.retain(|position| !table.ignored.as_ref().is_some_and(|ignored| ignored[*position]));
        if differs.is_empty() {
            return None;
        }

        if let Some(old) = task.in_target(table).filter(|_| task.operation == Operation::Update) {
            // An attribute that the update did not change differed before.
            let mut not_asked = Vec::new();
            new.differences(self.loaded(old.row()), &mut |position| {
                not_asked.extend(Some(position).filter(|position| !table.is_changed(task.place, *position)));
            });
            differs.retain(|position| !not_asked.contains(position));
        }

        let attributes: Vec<_> = differs.iter().map(|position| M::SCHEMA.attributes[*position].name).collect();
        (!attributes.is_empty()).then(|| Problem {
            side: Side::Target,
            model: M::NAME,
            record: stored.id().to_string(),
            kind: ProblemKind::StoredOtherwise { attributes },
        })
    }
}

//! Writing a group of records of one model, several at a time.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};

use super::Execution;
use crate::adapter::{Target, TargetVisitor, WriteContext, WrittenBy};
use crate::current::Current;
use crate::dataset::{Dataset, HasTable, Model};
use crate::error::{TargetError, TargetErrorKind, panicked};
use crate::model::SyncModel;
use crate::outcome::{Operation, Outcome, Task};
use crate::plan::Plan;
use crate::problem::{Problem, ProblemKind};
use crate::step::Side;
use crate::table::Table;

/// Writes records of one model, whichever it is.
pub(super) trait WriteModel<D, T>: Send + Sync {
    /// Writes a group of records none of which depends on another, and enters the results.
    fn write<'a>(
        &'a self,
        target: &'a T,
        execution: &'a mut Execution<'_, D>,
        group: Vec<Task>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
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
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(write_group(target, execution, group))
    }
}

/// What a target did with a task.
enum Answer<M> {
    Stored(M),
    Deleted,
    Failed(TargetError),
    /// The execution was stopped before it was asked.
    NotAsked,
}

async fn write_group<D, T, M>(target: &T, execution: &mut Execution<'_, D>, group: Vec<Task>)
where
    D: Dataset + HasTable<M>,
    T: Target<M, Data = D>,
    M: SyncModel,
{
    let Execution { plan, options, current, ledger } = execution;
    let plan: &Plan<D> = plan;
    let stop = AtomicBool::new(false);
    let in_flight = ledger.in_flight();
    {
        let current: &Current<'_, D> = current;
        let cx = WriteContext::new(current);
        let concurrency = options.concurrency.map_or(T::CONCURRENCY, usize::from).max(1);
        let mut running = stream::iter(group)
            .map(|task| {
                let (cx, stop, in_flight) = (&cx, &stop, &in_flight);
                async move {
                    if stop.load(Ordering::Relaxed) {
                        return (task, Answer::NotAsked);
                    }
                    in_flight.begin(task);
                    let answer = AssertUnwindSafe(ask(target, plan, cx, task)).catch_unwind().await;
                    (task, answer.unwrap_or_else(|panic| Answer::Failed(TargetError::new(panicked("target", &*panic)))))
                }
            })
            .buffer_unordered(concurrency);
        while let Some((task, answer)) = running.next().await {
            let outcome = match answer {
                Answer::NotAsked => continue,
                Answer::Failed(error) => {
                    let text = error.to_string();
                    if error.kind() == TargetErrorKind::Fatal || !options.continue_on_failure {
                        stop.store(true, Ordering::Relaxed);
                        ledger.stop(&text);
                    }
                    Outcome::Failed { error: text }
                }
                Answer::Stored(record) => {
                    ledger.report(stored_otherwise(plan, task, &record));
                    current.store(record);
                    Outcome::done(task.operation)
                }
                Answer::Deleted => {
                    current.delete(task.model, plan.diff().tables()[task.model].deletes[task.place]);
                    Outcome::done(task.operation)
                }
            };
            in_flight.end(task);
            ledger.settle(task, outcome);
        }
    }
    current.take_over();
}

/// A target that does not keep what it was given, and says so in what it returns: nothing failed, but the next run will
/// find the same difference again.
fn stored_otherwise<D, M>(plan: &Plan<D>, task: Task, stored: &M) -> Option<Problem>
where
    D: Dataset + HasTable<M>,
    M: SyncModel,
{
    let table = &plan.diff().tables()[task.model];
    let row = task.record(table).row() as usize;
    let source: &Table<M> = plan.source().table();
    let mut attributes = Vec::new();
    source.rows()[row].differences(stored, &mut |attribute| {
        attributes.extend(M::SCHEMA.attributes.get(attribute).map(|attribute| attribute.name));
    });
    let record = || stored.id().to_string();
    let kind = |attributes| ProblemKind::StoredOtherwise { attributes };
    (!attributes.is_empty()).then(|| Problem {
        side: Side::Target,
        model: M::NAME,
        record: record(),
        kind: kind(attributes),
    })
}

/// Asks the target to do one task.
async fn ask<D, T, M>(target: &T, plan: &Plan<D>, cx: &WriteContext<'_, D>, task: Task) -> Answer<M>
where
    D: Dataset + HasTable<M>,
    T: Target<M, Data = D>,
    M: SyncModel,
{
    let table = &plan.diff().tables()[task.model];
    let (source, loaded): (&Table<M>, &Table<M>) = (plan.source().table(), plan.target().table());
    match task.operation {
        Operation::Create => {
            let new = &source.rows()[table.creates[task.place] as usize];
            stored(new, target.create(&new.handed_over(false), cx).await)
        }
        Operation::Update => {
            let (row, old) = table.updates[task.place];
            let old = &loaded.rows()[old as usize];
            let patch = source.rows()[row as usize].patch(old, &|attribute| table.is_changed(task.place, attribute));
            stored(old, target.update(old, &patch, cx).await)
        }
        Operation::Delete => {
            let old = &loaded.rows()[table.deletes[task.place] as usize];
            match target.delete(old, cx).await {
                Ok(()) => Answer::Deleted,
                Err(error) => Answer::Failed(error),
            }
        }
    }
}

/// A target that stores a record under another identifier than the one it was given would be asked again in every run.
fn stored<M: SyncModel>(asked: &M, answer: Result<M, TargetError>) -> Answer<M> {
    match answer {
        Ok(record) if record.is(asked.key()) => Answer::Stored(record),
        Ok(record) => Answer::Failed(TargetError::new(format!(
            "the target returned it as {:?} instead of {:?}; `create` and `update` must return the record they were given",
            record.id().to_string(),
            asked.id().to_string(),
        ))),
        Err(error) => Answer::Failed(error),
    }
}

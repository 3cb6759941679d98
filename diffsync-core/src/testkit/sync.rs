//! A run without a job: load, compare, execute.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use tokio_util::sync::CancellationToken;

use super::violation::Violation;
use crate::adapter::{Adapter, LoadContext, WrittenBy};
use crate::apply::loaded_sides::LoadedSides;
use crate::apply::save::write_plan;
use crate::apply::undo::inverse;
use crate::data::check::Checked;
use crate::data::dataset::Dataset;
use crate::data::problem::{Problem, ProblemKind};
use crate::data::side::Side;
use crate::error::JobError;
use crate::execute::{ExecuteOptions, Execution, RetryPolicy, WritePermit, abilities};
use crate::model::operation::Operation;
use crate::plan::diff::Withheld;
use crate::plan::outcome::{Outcome, Outcomes, Task};
use crate::plan::scope::Scope;
use crate::plan::{Plan, PlanView, RecordRef};
use crate::plan_file::{ApplyRequest, PlanHeader, PlanKey, PlanKind, UndoPlan};
use crate::report::event::Observers;

/// The result of a run.
pub(super) struct SyncResult {
    /// The number of operations that the target supports.
    pub(super) operations: usize,
    /// The diff, for people.
    pub(super) text: String,
    /// The first record that was not written, or not stored as given.
    pub(super) failure: Option<String>,
    /// A record that was deleted although another of its model could not be written.
    pub(super) deleted_beside: Option<String>,
    /// How many records the target stored under other identifiers.
    pub(super) renamed: usize,
}

fn broken(what: String) -> Violation {
    Violation { law: "a target can be loaded and completed", seed: 0, what }
}

pub(super) async fn load<T: Adapter>(target: &T) -> Result<T::Data, Violation> {
    let mut data = T::Data::default();
    let loaded = target.load(&mut data, &LoadContext::standalone(Side::Target)).await;
    loaded.map_err(|error| broken(format!("it cannot be loaded: {error}")))?;
    Ok(data)
}

pub(super) async fn plan<T>(
    source: T::Data,
    target: &T,
    request: Option<ApplyRequest>,
) -> Result<Plan<T::Data>, Violation>
where
    T: Adapter,
    T::Data: WrittenBy<T>,
{
    let data = load(target).await?;
    let operations = abilities::<T::Data, T>(target);
    let scope = Scope {
        operations,
        selection: request.map(crate::plan_file::selection::PlanSelection::new),
        ..Scope::default()
    };
    Ok(LoadedSides::of(Checked::new(Side::Source, source), Checked::new(Side::Target, data), scope).compare())
}

/// Makes a target match a source. Returns the undo plan if a plan file is applied.
pub(super) async fn sync<T>(
    source: T::Data,
    target: &T,
    concurrency: Option<NonZeroUsize>,
    request: Option<ApplyRequest>,
) -> Result<(SyncResult, Option<UndoPlan>), Violation>
where
    T: Adapter,
    T::Data: WrittenBy<T>,
{
    let key = request.as_ref().map(|request| request.key.clone());
    let plan = plan(source, target, request).await?;
    let text = plan.tree().to_string();

    let options = ExecuteOptions {
        max_failures: None,
        concurrency,
        writes_at_complete: target.writes_at_complete(),
        retry: RetryPolicy::default(),
        record_time_limit: None,
        deadline: None,
        cancellation: CancellationToken::new(),
        undo_log: None,
    };

    let observers = Observers::default();
    let mut execution = Execution::new(&plan, &options, &observers);
    WritePermit::new(&mut execution).execute(target).await;
    let completed = if execution.wrote() { target.sync_complete(&execution.synced()).await } else { Ok(()) };
    let completed = completed.map_err(JobError::from);
    execution.conclude(completed.as_ref().err());
    let results = execution.into_results();
    let undo = key.filter(|_| completed.is_ok()).map(|key| inverse(&results.current, &results.outcomes, &key));

    let because_of = by_record(&plan, &results.outcomes);
    let mut unwritten = results.outcomes.iter(plan.diff());
    let unwritten = unwritten.find(|(_, _, outcome)| !outcome.is_written() && !is_unsupported(outcome, &because_of));
    let unwritten = unwritten.map(|(record, operation, outcome)| {
        let model = plan.diff().tables()[record.model()].schema().name;
        format!("{operation} {model} {}: {outcome:?}", plan.record(record))
    });

    let stored_otherwise = || results.problems.first().map(ToString::to_string);
    let failure = completed.err().map(|error| error.to_string()).or(unwritten).or_else(stored_otherwise);
    let deleted_beside = deleted_beside(&plan, &results.outcomes);

    let is_renamed = |problem: &&Problem| matches!(problem.kind, ProblemKind::StoredAs { .. });
    let renamed = results.problems.iter().filter(is_renamed).count();
    let operations = plan.diff().operations() - unsupported(&plan);
    Ok((SyncResult { operations, text, failure, deleted_beside, renamed }, undo))
}

/// A record that was deleted although another of its model could not be written, unless the model's deletes come first.
fn deleted_beside<D: Dataset>(plan: &Plan<D>, outcomes: &Outcomes) -> Option<String> {
    let of = |model: usize, wanted: &dyn Fn(Operation, &Outcome) -> bool| {
        let mut all = outcomes.iter(plan.diff());
        all.find(|(record, operation, outcome)| record.model() == model && wanted(*operation, outcome))
    };
    plan.diff().tables().iter().enumerate().filter(|(_, table)| !table.schema().deletes_first).find_map(
        |(model, table)| {
            let failed = |operation, outcome: &Outcome| {
                operation != Operation::Delete && matches!(outcome, Outcome::Failed { .. })
            };
            let (failed, operation, _) = of(model, &failed)?;
            let (deleted, ..) = of(model, &|_, outcome| *outcome == Outcome::Deleted)?;
            let (name, failed, deleted) = (table.schema().name, plan.record(failed), plan.record(deleted));
            Some(format!("{name} {failed:?} could not be {operation}d, and {name} {deleted:?} was deleted"))
        },
    )
}

/// The number of operations that the target does not support.
pub(super) fn unsupported<D: Dataset>(plan: &Plan<D>) -> usize {
    let tables = plan.diff().tables().iter().enumerate();
    let tasks = tables.flat_map(|(model, table)| {
        let of = move |operation| Task::all(model, operation, table).map(move |task| (table, task));
        Operation::ALL.into_iter().flat_map(of)
    });
    tasks.filter(|(table, task)| table.withheld(task.operation, task.place) == Some(Withheld::Unsupported)).count()
}

/// The outcome of each record, by its position on either side.
fn by_record<'a, D: Dataset>(plan: &'a Plan<D>, outcomes: &'a Outcomes) -> HashMap<RecordRef, &'a Outcome> {
    let of = |(record, operation, outcome): (RecordRef, Operation, &'a Outcome)| {
        let other = plan.counterpart(record).filter(|_| operation == Operation::Update);
        [record].into_iter().chain(other).map(move |record| (record, outcome))
    };
    outcomes.iter(plan.diff()).flat_map(of).collect()
}

/// Whether a record was not written because the target does not support its operation, or one that it waits for.
fn is_unsupported(outcome: &Outcome, because_of: &HashMap<RecordRef, &Outcome>) -> bool {
    let mut outcome = outcome;
    // Each record blocks the next, so there are at most as many steps as records.
    for _ in 0..=because_of.len() {
        match outcome {
            Outcome::Unsupported => return true,
            Outcome::Blocked { by } => match because_of.get(by) {
                Some(cause) => outcome = cause,
                None => return false,
            },
            _ => return false,
        }
    }
    false
}

/// A plan as a file.
pub(super) fn saved<D: Dataset>(plan: &Plan<D>, key: &PlanKey) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    write_plan(plan, &PlanHeader::anonymous(PlanKind::Sync), key, &mut file).map_err(|error| error.to_string())?;
    Ok(file)
}

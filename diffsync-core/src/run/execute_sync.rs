//! The last step of a run: applying the plan, or rehearsing it.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::measure::{caught, measure, on_heap};
use super::{Run, Stage};
use crate::adapter::Adapter;
use crate::apply::undo::inverse;
use crate::data::problem::Problem;
use crate::data::side::Side;
use crate::error::panicked;
use crate::execute::{ExecuteOptions, Execution, Results, Stopped, WritePermit};
use crate::job::{Job, RecordLookup};
use crate::model::operation::Operation;
use crate::plan::outcome::{Outcome, Outcomes};
use crate::plan::{Plan, PlanView, RecordRef};
use crate::report::RunError;
use crate::report::event::Observers;
use crate::report::step::Step;

impl<J: Job> Run<J> {
    /// The last step: applies the plan, unless this is a dry run.
    ///
    /// # Errors
    ///
    /// If the hook fails, a failure ended the run early, or the target could not complete it.
    pub async fn execute_sync(&mut self) -> Result<(), RunError> {
        on_heap(self.write()).await
    }

    async fn write(&mut self) -> Result<(), RunError> {
        self.not_yet(Step::ExecuteSync, "execute_sync")?;
        let Stage::Planned { source, target, plan } = &self.stage else {
            return Err(RunError::Order { called: "execute_sync", missing: "calculate_diff" });
        };

        // Again, since a hook may have ignored the error of `calculate_diff`.
        if let Some(refusal) = self.refusal(plan, target) {
            return Err(refusal.into());
        }

        if self.options.dry_run {
            let (outcomes, problems, rehearsed) = self.rehearse(target, plan).await;
            (self.outcomes, self.problems) = (outcomes, problems);
            return rehearsed;
        }

        let options = self.execute_options(target);
        let job = &*self.job;
        let record_url = |record: RecordRef, operation: Operation, outcome: &Outcome| {
            let absent_after = if outcome.is_written() { Operation::Delete } else { Operation::Create };
            let lookup = RecordLookup {
                model: plan.diff().tables()[record.model()].schema().name,
                id: &plan.record(record),
                in_source: record.side() == Side::Source,
                in_target: operation != absent_after,
                source,
                target,
            };
            job.lookup_object(&lookup)
        };
        let mut execution = Execution::new(plan, &options, &self.observers).with_record_urls(&record_url);
        let work = async {
            let executed = caught("execute_sync", job.execute_sync(target, WritePermit::new(&mut execution))).await;

            // Even if the hook failed: what was written has to be completed.
            let completed = if execution.wrote() {
                caught("sync_complete", job.sync_complete(source, target, &execution.synced())).await
            } else {
                Ok(())
            };
            execution.conclude(completed.as_ref().err());
            (executed, completed)
        };
        let ((executed, completed), report) =
            measure(Step::ExecuteSync, self.options.memory_profiling, &self.observers, work).await;
        self.steps.push(report);

        let Results { current, outcomes, problems, stopped } = execution.into_results();
        self.problems = problems;
        // Stored before any more of the job's hooks are called, so that a panic in one cannot lose the outcomes.
        let outcomes = &*self.outcomes.insert(outcomes);

        // A target that writes at complete wrote nothing if that failed, unless it reported that some models were written.
        let wrote_nothing = completed.is_err() && options.writes_at_complete && !outcomes.may_have_written();
        self.undo = self.options.undo.as_ref().filter(|_| !wrote_nothing).map(|key| inverse(&current, outcomes, key));

        for (record, operation, outcome) in outcomes.iter(plan.diff()) {
            if let Outcome::Failed { .. } | Outcome::Blocked { .. } = outcome {
                self.links.extend(record_url(record, operation, outcome).map(|url| (record, url)));
            }
        }

        let counts = outcomes.counts(plan.diff());
        let operations = plan.diff().operations();
        executed.map_err(|error| RunError::Execute(error.into_cause()))?;
        completed.map_err(|error| RunError::Complete(error.into_cause()))?;

        match stopped {
            None => Ok(()),
            Some(Stopped::Failure(last)) => {
                Err(RunError::Stopped { failed: counts.failed, unknown: counts.unknown, operations, last })
            }
            Some(Stopped::Cancelled) => Err(RunError::Cancelled),
            Some(Stopped::TimeLimit) => Err(RunError::TimeLimit(self.options.time_limit.unwrap_or_default())),
        }
    }

    /// Tries the plan on the target, if the target supports it, so that a dry run shows the errors of a real one.
    async fn rehearse(
        &self,
        target: &J::Target,
        plan: &Plan<J::Data>,
    ) -> (Option<Outcomes>, Vec<Problem>, Result<(), RunError>) {
        // A target that writes at once would really write.
        if !target.rehearses() || !target.writes_at_complete() || plan.diff().is_empty() {
            return (None, Vec::new(), Ok(()));
        }

        // Show all failures at once. Nothing is written, so there is nothing to undo.
        let options = ExecuteOptions { max_failures: None, undo_log: None, ..self.execute_options(target) };
        // No record is really written, so no observer is notified.
        let no_observers = Observers::default();
        let mut execution = Execution::new(plan, &options, &no_observers);
        let rehearsed = match AssertUnwindSafe(execution.rehearse(target)).catch_unwind().await {
            Ok(rehearsed) => rehearsed.map_err(|error| RunError::Rehearsal(error.into_cause())),
            Err(panic) => return (None, Vec::new(), Err(RunError::Panicked(panicked("target", &*panic)))),
        };

        let Results { outcomes, problems, stopped, .. } = execution.into_results();
        let rehearsed = match stopped {
            Some(Stopped::Cancelled) => Err(RunError::Cancelled),
            Some(Stopped::TimeLimit) => Err(RunError::TimeLimit(self.options.time_limit.unwrap_or_default())),
            Some(Stopped::Failure(last)) => {
                let (counts, operations) = (outcomes.counts(plan.diff()), plan.diff().operations());
                Err(RunError::Stopped { failed: counts.failed, unknown: counts.unknown, operations, last })
            }
            None => rehearsed,
        };

        (Some(outcomes), problems, rehearsed)
    }

    /// How the plan is to be executed on the target.
    fn execute_options(&self, target: &J::Target) -> ExecuteOptions {
        let options = &self.options;
        let max_failures = options.max_failures.map(|max| max.max(1));
        // A target that writes at complete has written nothing to undo before that.
        let undo_log = options.undo_log.clone().zip(options.undo.clone()).filter(|_| !target.writes_at_complete());

        ExecuteOptions {
            max_failures: if options.continue_on_failure { max_failures } else { Some(1) },
            concurrency: options.concurrency,
            writes_at_complete: target.writes_at_complete(),
            retry: options.retry,
            record_time_limit: options.record_time_limit,
            deadline: self.deadline,
            cancellation: options.cancellation.clone(),
            undo_log,
        }
    }
}

//! A run of a job: the four steps, each measured.
//!
//! [`Run::execute`] runs a job with [`RunOptions`], which by default write nothing.

mod filtered;
mod loading;
mod lock;
mod options;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use self::filtered::filtered;
use self::loading::Loading;
pub use self::lock::{LockError, LockFuture, TargetLock};
pub use self::options::{AbortReason, RunOptions, UnknownFlags};
use crate::adapter::Adapter;
use crate::apply::compare::Loaded;
use crate::apply::undo::inverse;
use crate::data::check::{half_loaded, untouched};
use crate::data::dataset::Dataset;
use crate::data::problem::{Problem, SkippedModel};
use crate::data::refusal::{Breach, Refusal};
use crate::data::side::Side;
use crate::error::{JobError, panicked};
pub use crate::execute::{Approved, RetryPolicy};
use crate::execute::{ExecuteOptions, Execution, Results, Stopped, abilities};
use crate::job::{Job, Object};
use crate::model::limit::OnGuard;
use crate::model::operation::Operation;
use crate::plan::guard::Guards;
use crate::plan::outcome::{Outcome, Outcomes};
use crate::plan::scope::Scope;
use crate::plan::{Plan, PlanView, RecordRef};
use crate::plan_file::selection::PlanSelection;
use crate::plan_file::{PlanKind, StalePolicy, UndoPlan};
use crate::report::event::{Event, Observer, Observers};
use crate::report::filtered::Filtered;
use crate::report::retry::reporting_retries;
use crate::report::step::{Step, StepReport};
use crate::report::{RunError, RunReport, Status};
use diffsync_memory::profile;
pub use tokio_util::sync::CancellationToken;

/// A run in progress. It owns the four steps, so that they are measured even when a hook calls them.
pub struct Run<J: Job> {
    job: Arc<J>,
    options: RunOptions,
    /// The end of the time limit.
    deadline: Option<Instant>,
    observers: Observers,
    stage: Stage<J>,
    breaches: Vec<Breach>,
    skipped: Vec<SkippedModel>,
    filtered: Vec<Filtered>,
    steps: Vec<StepReport>,
    outcomes: Option<Outcomes>,
    /// Records that the target accepted but did not store as given.
    problems: Vec<Problem>,
    links: HashMap<RecordRef, Url>,
    /// The undo plan of the run.
    undo: Option<UndoPlan>,
}

/// How far a run has come.
enum Stage<J: Job> {
    Begun,
    Loaded {
        source: J::Source,
        target: J::Target,
        data: Box<Loaded<J::Data>>,
    },
    Planned {
        source: J::Source,
        target: J::Target,
        plan: Arc<Plan<J::Data>>,
    },
    /// A step failed; its state was consumed.
    Ended,
}

impl<J: Job> Run<J> {
    /// Runs a job to its end.
    pub async fn execute(job: Arc<J>, options: RunOptions, observers: Vec<Arc<dyn Observer>>) -> RunReport {
        let begun = Instant::now();
        let request_retries = options.request_retries;
        let mut run = Self {
            job: Arc::clone(&job),
            // A limit beyond the range of the clock never ends the run.
            deadline: options.time_limit.and_then(|limit| begun.checked_add(limit)),
            options,
            breaches: Vec::new(),
            skipped: Vec::new(),
            filtered: Vec::new(),
            observers: Observers::new(&observers, request_retries),
            stage: Stage::Begun,
            steps: Vec::new(),
            outcomes: None,
            problems: Vec::new(),
            links: HashMap::new(),
            undo: None,
        };

        run.observers.emit(&Event::RunStarted { job: J::INFO.id, dry_run: run.options.dry_run });

        let may_begin = run.options.refusal.take().map_or(Ok(()), |refusal| Err(RunError::from(refusal)));
        let valid = may_begin.and_then(|()| job.validate().map_err(|error| RunError::Invalid(error.into_cause())));

        let ended = match valid.and_then(|()| run.options.unknown_model::<J::Data>().map_or(Ok(()), Err)) {
            Ok(()) => {
                // The job's hooks are the user's code. A panic in them must not lose the report of what was written.
                let done = AssertUnwindSafe(job.sync_data(&mut run)).catch_unwind().await;
                let done = done.unwrap_or_else(|panic| Err(RunError::Panicked(panicked("hook `sync_data`", &*panic))));
                done.and_then(|()| run.finished())
            }
            Err(error) => Err(error),
        };

        let observers = run.observers.clone();
        let report = run.into_report(ended.err(), begun.elapsed());
        observers.emit(&Event::RunFinished(&report));
        report
    }

    /// How the run is to be done.
    #[must_use]
    pub fn options(&self) -> &RunOptions {
        &self.options
    }

    /// The plan, once the diff is calculated.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan<J::Data>> {
        match &self.stage {
            Stage::Planned { plan, .. } => Some(plan),
            _ => None,
        }
    }

    /// The first two steps: loads both sides, in parallel if the options say so.
    ///
    /// # Errors
    ///
    /// If a side cannot be loaded, or did not load a model that the other side loaded.
    pub async fn load(&mut self) -> Result<(), RunError> {
        on_heap(self.load_sides()).await
    }

    async fn load_sides(&mut self) -> Result<(), RunError> {
        self.not_yet(Step::LoadSource, "load")?;
        if self.options.apply_request.as_ref().is_some_and(|its| its.plan.head.kind == PlanKind::Undo) {
            return self.load_target_only().await;
        }

        let loading = self.loading();
        let (source, target) = if self.options.parallel_loading {
            // Each on its own task, so that two loaders that compute do not wait for each other. The handle aborts the task,
            // so loading the target ends when the source has failed.
            let other = loading.clone();
            let target = AbortOnDropHandle::new(tokio::spawn(async move { Box::pin(other.target()).await }));
            let source = Box::pin(loading.source()).await;
            if let (Err(error), report) = source {
                self.steps.push(report);
                return Err(error);
            }

            let target = match target.await {
                Ok(target) => target,
                // The loader's own panics are caught; the only other cause is a runtime that is shutting down.
                Err(error) => {
                    let cause = Box::new(error);
                    return Err(RunError::Load { side: Side::Target, cause });
                }
            };
            (source, target)
        } else {
            // One after the other: if the source cannot be loaded, the target is not called.
            let source = Box::pin(loading.source()).await;
            if let (Err(error), report) = source {
                self.steps.push(report);
                return Err(error);
            }
            (source, Box::pin(loading.target()).await)
        };

        self.steps.push(source.1);
        self.steps.push(target.1);
        let (source, source_data) = source.0?;
        let (target, target_data) = target.0?;

        self.skipped = source_data.skipped_models().chain(target_data.skipped_models()).collect();
        let scope = self.scope(&target);
        let data = Box::new(Loaded::of(source_data, target_data, scope));

        // A loader that returned nothing is more likely broken than its system is empty: everything would be deleted.
        let half_loaded = half_loaded(data.source(), data.target());

        // First, since a side that loaded nothing would be reported as half loaded too, which says less.
        for (side, loaded) in [(Side::Source, data.source()), (Side::Target, data.target())] {
            if untouched(loaded) {
                return Err(Refusal::NothingLoaded(side).into());
            }
        }
        if !half_loaded.is_empty() {
            return Err(Refusal::HalfLoaded(half_loaded).into());
        }

        self.stage = Stage::Loaded { source, target, data };
        Ok(())
    }

    /// Loads only the target, for an undo plan: its file holds the rest. The source's adapter is created because hooks
    /// receive it, but it is not called, so the source itself may be unreachable.
    async fn load_target_only(&mut self) -> Result<(), RunError> {
        let loading = self.loading();
        let (source, report) = loading.unloaded_source().await;
        self.steps.push(report);
        let (source, nothing) = source?;

        let (target, report) = loading.target().await;
        self.steps.push(report);
        let (target, data) = target?;

        self.skipped = data.skipped_models().collect();
        let scope = self.scope(&target);
        let data = Box::new(Loaded::of(nothing, data, scope));
        self.stage = Stage::Loaded { source, target, data };
        Ok(())
    }

    fn loading(&self) -> Loading<J> {
        Loading {
            job: Arc::clone(&self.job),
            dry_run: self.options.dry_run,
            lock: self.options.lock.clone(),
            memory_profiling: self.options.memory_profiling,
            cancellation: self.options.cancellation.clone(),
            time_limit: self.deadline.zip(self.options.time_limit),
            observers: self.observers.clone(),
        }
    }

    fn scope(&self, target: &J::Target) -> Scope {
        Scope {
            flags: self.options.flags,
            filters: vec![self.options.filter.clone()],
            ignore: J::INFO.ignore,
            can: abilities::<J::Data, J::Target>(target),
            selection: self.options.apply_request.clone().map(PlanSelection::new),
        }
    }

    /// The third step: compares both sides.
    ///
    /// # Errors
    ///
    /// If the hook fails or returns a plan of another comparison, or the plan is refused.
    pub async fn calculate_diff(&mut self) -> Result<(), RunError> {
        on_heap(self.compare()).await
    }

    async fn compare(&mut self) -> Result<(), RunError> {
        self.not_yet(Step::CalculateDiff, "calculate_diff")?;
        let Stage::Loaded { source, target, data } = std::mem::replace(&mut self.stage, Stage::Ended) else {
            return Err(RunError::Order { called: "calculate_diff", missing: "load" });
        };

        let comparison = data.comparison();
        let hook = caught("calculate_diff", self.job.calculate_diff(*data));
        let (plan, report) = measure(Step::CalculateDiff, self.options.memory_profiling, &self.observers, hook).await;
        self.steps.push(report);

        // Only the plan of this comparison respects the run's filter, its flags and the plan file that is applied.
        let mut plan = plan.map_err(|error| RunError::Diff(error.into_cause()))?;
        if plan.comparison() != comparison {
            return Err(RunError::ForeignPlan);
        }

        let guards = Guards { job: J::INFO.limits, limit_overrides: &self.options.limit_overrides };
        let breaches = guards.breaches(&plan);

        // Before the diff is announced, so that it shows what will be held.
        if self.options.on_guard == OnGuard::Hold {
            for (model, breach) in &breaches {
                plan.hold(*model, breach.operation);
            }
        }
        self.breaches = breaches.into_iter().map(|(_, breach)| breach).collect();

        self.filtered = filtered(&plan, &self.options.filter);
        let plan = Arc::new(plan);

        self.observers.emit(&Event::DiffReady(&(Arc::clone(&plan) as Arc<dyn PlanView>)));
        if self.options.log_unchanged_records {
            plan.unchanged(|record| self.observers.emit(&Event::RecordUnchanged(record)));
        }

        let refusal = self.refusal(&plan, &target);

        // Kept even if the plan is refused, so that the report can show it.
        self.stage = Stage::Planned { source, target, plan };
        refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
    }

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
            let object = Object {
                model: plan.diff().tables()[record.model()].schema().name,
                id: &plan.record(record),
                in_source: record.side() == Side::Source,
                in_target: operation != absent_after,
                source,
                target,
            };
            job.lookup_object(&object)
        };
        let mut execution = Execution::new(plan, &options, &self.observers).with_record_urls(&record_url);
        let work = async {
            let executed = caught("execute_sync", job.execute_sync(target, Approved::new(&mut execution))).await;

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

    /// Why the plan must not be applied.
    fn refusal(&self, plan: &Plan<J::Data>, target: &J::Target) -> Option<Refusal> {
        let drift = || {
            let fit = plan.fit()?;
            let policy = self.options.apply_request.as_ref().map(|request| request.policy).unwrap_or_default();
            if policy == StalePolicy::Refuse && !fit.moved.is_empty() {
                return Some(Refusal::Drift(fit.moved.clone()));
            }
            let nothing_else = fit.moved.is_empty() && fit.left_out == 0 && plan.diff().is_empty();
            let all_done = fit.done > 0 && nothing_else;
            all_done.then_some(Refusal::Done)
        };

        let lost = || plan.unwritable().filter(|_| target.rewrites());
        let stops = self.options.on_guard == OnGuard::Stop && !self.breaches.is_empty();
        let guards = || stops.then(|| Refusal::Guards(self.breaches.clone()));

        too_many_rejected(plan, self.options.max_rejected).or_else(lost).or_else(drift).or_else(guards)
    }

    /// A run without a diff has not done its work, even if `sync_data` dropped the error and returned `Ok`.
    fn finished(&self) -> Result<(), RunError> {
        self.plan().map(|_| ()).ok_or(RunError::Unfinished)
    }

    /// No step is taken twice, so that exactly the plan that was shown is applied, and only once.
    fn not_yet(&self, step: Step, called: &'static str) -> Result<(), RunError> {
        if self.steps.iter().any(|taken| taken.step == step) {
            return Err(RunError::Again { called });
        }
        Ok(())
    }

    fn into_report(self, error: Option<RunError>, duration: Duration) -> RunReport {
        let (mut stale, mut already_done) = (Vec::new(), 0);
        let plan: Option<Arc<dyn PlanView>> = match self.stage {
            Stage::Planned { plan, .. } => {
                if let Some(fit) = plan.fit() {
                    stale.clone_from(&fit.moved);
                    already_done = fit.done;
                }
                Some(plan)
            }
            _ => None,
        };

        let outcomes = match (&plan, self.outcomes) {
            (_, Some(outcomes)) => outcomes,
            (Some(plan), None) => Outcomes::none_of(plan.diff()),
            (None, None) => Outcomes::default(),
        };

        let counts = plan.as_ref().map(|plan| outcomes.counts(plan.diff())).unwrap_or_default();

        // A cancellation that nobody asked for is a failure.
        let error = match (error, self.options.abort_reason.get()) {
            (Some(RunError::Cancelled), Some(reason)) => {
                Some(RunError::Aborted { reason: reason.to_owned(), counts: Box::new(counts) })
            }
            (error, _) => error,
        };

        // A dry run attempts nothing, and is complete all the same.
        let left_undone = if self.options.dry_run { 0 } else { counts.not_attempted };
        let status = match &error {
            Some(RunError::Refused(_)) => Status::Refused,
            Some(RunError::Cancelled) => Status::Cancelled,
            Some(_) => Status::Failed,
            None if counts.failed + counts.blocked + counts.held + counts.rejected + counts.unknown + left_undone
                > 0 =>
            {
                Status::Partial
            }
            None if !self.problems.is_empty() || !stale.is_empty() => Status::Partial,
            None => Status::Completed,
        };

        let in_data = plan.as_ref().map_or(&[][..], |plan| plan.problems());
        RunReport {
            job: J::INFO.id,
            problems: in_data.iter().cloned().chain(self.problems).collect(),
            dry_run: self.options.dry_run,
            status,
            error,
            duration,
            steps: self.steps,
            config: self.job.config_information(),
            counts,
            breaches: self.breaches,
            limit_overrides: self.options.limit_overrides,
            skipped: self.skipped,
            filtered: self.filtered,
            stale,
            already_done,
            retries: self.observers.retries(),
            undo: self.undo,
            plan,
            outcomes,
            links: self.links,
        }
    }
}

impl<J: Job> fmt::Debug for Run<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("job", &J::INFO.id).field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// Puts a step on the heap, so that the future of a hook that calls it stays small.
fn on_heap<'a, R>(step: impl Future<Output = R> + Send + 'a) -> Pin<Box<dyn Future<Output = R> + Send + 'a>> {
    Box::pin(step)
}

/// Turns a panic in a hook into its error, so that the run still reports what it did.
async fn caught<R>(hook: &str, work: impl Future<Output = Result<R, JobError>>) -> Result<R, JobError> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|panic| Err(JobError::new(panicked(&format!("hook `{hook}`"), &*panic))))
}

/// Takes a step: measures its time, and its memory if wanted, and notifies the observers.
async fn measure<F: Future>(
    step: Step,
    memory_profiling: bool,
    observers: &Observers,
    work: F,
) -> (F::Output, StepReport) {
    observers.emit(&Event::StepStarted(step));
    let begun = Instant::now();

    // The future of a step holds both data sets. Each layer around it would hold them again, which an unoptimised build
    // keeps on the stack.
    let work = reporting_retries(step, observers.clone(), Box::pin(work));
    let (output, memory) = if memory_profiling {
        let (output, memory) = profile(work).await;
        (output, Some(memory))
    } else {
        (work.await, None)
    };

    let report = StepReport { step, duration: begun.elapsed(), memory };
    observers.emit(&Event::StepFinished(&report));
    (output, report)
}

/// The first model with too many unusable records.
fn too_many_rejected<D: Dataset>(plan: &Plan<D>, max_rejected: f64) -> Option<Refusal> {
    plan.rejections().iter().find_map(|rejection| {
        #[allow(clippy::cast_precision_loss, reason = "a share of records needs no more than 53 bits")]
        let share = rejection.rejected as f64 / rejection.records.max(1) as f64;
        (share > max_rejected).then(|| Refusal::TooManyRejected {
            side: rejection.side,
            model: rejection.model,
            rejected: rejection.rejected,
            records: rejection.records,
            limit: (max_rejected * 10_000.0).round() / 100.0,
        })
    })
}

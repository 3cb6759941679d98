//! A run of a job: the four steps, each measured.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::adapter::{Adapter, LoadContext};
use crate::check::{Checked, half_loaded, untouched};
use crate::dataset::{Dataset, HasTable, LinksIn, ModelVisitor};
use crate::error::{AdapterError, panicked};
use crate::event::{Event, Observer, Observers};
use crate::execute::{Approved, ExecuteOptions, Execution, Results, Retry, Stopped, abilities};
use crate::filter::{Filter, RecordFilter};
use crate::flags::Flags;
use crate::guard::{Breach, Guards, Lift};
use crate::job::{Job, JobContext, JobInfo, Object};
use crate::limit::{Limit, OnGuard};
use crate::memory::profile;
use crate::ops::Operation;
use crate::outcome::{Outcome, Outcomes};
use crate::plan::{Loaded, Plan, PlanView, RecordRef};
use crate::problem::{Problem, SkippedModel};
use crate::refusal::Refusal;
use crate::report::{RunError, RunReport, Status};
use crate::scope::Scope;
use crate::step::{Side, Step, StepReport};

/// How a job is to be run.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own, as on the command line")]
pub struct RunOptions {
    /// Write nothing.
    pub dry_run: bool,
    /// Measure the memory that each step takes.
    pub memory_profiling: bool,
    /// Load both sides at the same time.
    pub parallel_loading: bool,
    /// Go on with the other records when one fails.
    pub continue_on_failure: bool,
    /// End the run when so many records have failed.
    pub max_failures: Option<usize>,
    /// Tell the observers also of each record that is the same on both sides.
    pub log_unchanged_records: bool,
    /// What is left alone of all records.
    pub flags: Flags,
    /// Which part of the diff the run is about.
    pub filter: Filter,
    /// The limits that are lifted for this run.
    pub lifts: Vec<Lift>,
    /// What happens if the run would go beyond a limit.
    pub on_guard: OnGuard,
    /// How many records may be written at the same time, instead of what the job and the target say.
    pub concurrency: Option<NonZeroUsize>,
    /// The largest part of a model's records on one side that may be unusable, from 0 to 1; beyond it the run is refused.
    pub max_rejected: f64,
    /// How often and after which pauses a target is asked again after a transient error.
    pub retry: Retry,
    /// How long the target may take for one record, or one batch; after it the outcome is unknown.
    pub record_time_limit: Option<Duration>,
    /// How long the run may take. What is in flight then still ends; the rest is not attempted.
    pub time_limit: Option<Duration>,
    /// Cancel it to end the run: what is in flight still ends, the rest is not attempted.
    pub cancellation: CancellationToken,
}

impl RunOptions {
    /// What a job is run with unless something else is asked for: a dry run unless the job says otherwise, the sides
    /// loaded one after the other, going on after failures, with at most 1 % of a model's records unusable and at most
    /// five minutes for a record.
    #[must_use]
    pub fn of(job: &JobInfo) -> Self {
        Self {
            dry_run: job.dryrun_default,
            memory_profiling: false,
            parallel_loading: false,
            continue_on_failure: true,
            max_failures: None,
            log_unchanged_records: false,
            flags: Flags::empty(),
            filter: Filter::default(),
            lifts: Vec::new(),
            on_guard: job.on_guard,
            concurrency: job.concurrency.and_then(NonZeroUsize::new),
            max_rejected: 0.01,
            retry: Retry::default(),
            record_time_limit: Some(Duration::from_mins(5)),
            time_limit: job.time_limit,
            cancellation: CancellationToken::new(),
        }
    }

    /// Writes what the diff says.
    #[must_use]
    pub fn apply(mut self) -> Self {
        self.dry_run = false;
        self
    }

    /// Lifts a limit of a model for this run.
    #[must_use]
    pub fn allow(mut self, model: impl Into<String>, operation: Operation, limit: Limit) -> Self {
        self.lifts.push(Lift { model: model.into(), operation, limit });
        self
    }

    /// The first model that a lift or the filter names and the data set does not have.
    fn unknown_model<D: Dataset>(&self) -> Option<RunError> {
        let asked_for =
            self.lifts.iter().map(|lift| &*lift.model).chain(self.filter.records.iter().map(RecordFilter::model));
        let mut unknown = asked_for.filter(|model| !D::SCHEMAS.iter().any(|schema| schema.name == *model));
        let names = || D::SCHEMAS.iter().map(|schema| format!("`{}`", schema.name)).collect::<Vec<_>>().join(", ");
        unknown.next().map(|model| RunError::UnknownModel { model: model.to_owned(), known: names() })
    }
}

/// A run in progress. It owns the four steps, so they are measured whoever calls them.
pub struct Run<J: Job> {
    job: Arc<J>,
    options: RunOptions,
    /// When the run must have ended.
    deadline: Option<Instant>,
    observers: Observers,
    stage: Stage<J>,
    breaches: Vec<Breach>,
    skipped: Vec<SkippedModel>,
    steps: Vec<StepReport>,
    outcomes: Option<Outcomes>,
    /// What the target made of records that it did not refuse.
    problems: Vec<Problem>,
    links: HashMap<RecordRef, Url>,
}

/// How far a run has come.
enum Stage<J: Job> {
    Begun,
    Loaded {
        source: J::Source,
        target: J::Target,
        data: Loaded<J::Data>,
    },
    Planned {
        source: J::Source,
        target: J::Target,
        plan: Arc<Plan<J::Data>>,
    },
    /// A step failed and took what it worked on along.
    Ended,
}

impl<J: Job> Run<J> {
    /// Runs a job to its end.
    pub async fn execute(job: Arc<J>, options: RunOptions, observers: Vec<Arc<dyn Observer>>) -> RunReport {
        let begun = Instant::now();
        let mut run = Self {
            job: Arc::clone(&job),
            deadline: options.time_limit.map(|limit| begun + limit),
            options,
            breaches: Vec::new(),
            skipped: Vec::new(),
            observers: Observers::new(&observers),
            stage: Stage::Begun,
            steps: Vec::new(),
            outcomes: None,
            problems: Vec::new(),
            links: HashMap::new(),
        };
        run.observers.emit(&Event::RunStarted { job: J::INFO.id, dry_run: run.options.dry_run });
        let valid = job.validate().map_err(|error| RunError::Invalid(error.into_cause()));
        let ended = match valid.and_then(|()| run.options.unknown_model::<J::Data>().map_or(Ok(()), Err)) {
            Ok(()) => job.sync_data(&mut run).await.and_then(|()| run.finished()),
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

    /// The first two steps: loads both sides, at the same time if the run is asked to.
    ///
    /// # Errors
    ///
    /// If a side cannot be loaded, or one side says nothing of a model that the other loaded.
    pub async fn load(&mut self) -> Result<(), RunError> {
        self.not_yet(Step::LoadSource, "load")?;
        let loading = Loading {
            job: Arc::clone(&self.job),
            dry_run: self.options.dry_run,
            memory_profiling: self.options.memory_profiling,
            cancellation: self.options.cancellation.clone(),
            time_limit: self.deadline.zip(self.options.time_limit),
            observers: self.observers.clone(),
        };
        let (source, target) = if self.options.parallel_loading {
            // Each on a task of its own, so that two loaders that compute do not wait for each other. The task ends with
            // the handle: once the source has failed nobody waits for the target.
            let other = loading.clone();
            let target = AbortOnDropHandle::new(tokio::spawn(async move { other.target().await }));
            let source = loading.source().await;
            if let (Err(error), report) = source {
                self.steps.push(report);
                return Err(error);
            }
            let target = match target.await {
                Ok(target) => target,
                // The loader's own panics are caught; what remains is a runtime that is shutting down.
                Err(error) => {
                    let cause = Box::new(error);
                    return Err(RunError::Load { side: Side::Target, cause });
                }
            };
            (source, target)
        } else {
            let source = loading.source().await;
            if let (Err(error), report) = source {
                self.steps.push(report);
                return Err(error);
            }
            (source, loading.target().await)
        };
        self.steps.push(source.1);
        self.steps.push(target.1);
        let (source, source_data) = source.0?;
        let (target, target_data) = target.0?;
        self.skipped = source_data.skipped_models().chain(target_data.skipped_models()).collect();
        let scope = Scope {
            flags: self.options.flags,
            filter: self.options.filter.clone(),
            ignore: J::INFO.ignore,
            can: abilities::<J::Data, J::Target>(&target),
        };
        let data = Loaded::of(source_data, target_data, scope);
        let half_loaded = half_loaded(data.source(), data.target());
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

    /// The third step: compares both sides.
    ///
    /// # Errors
    ///
    /// If the hook fails, or more records than allowed cannot be used.
    pub async fn calculate_diff(&mut self) -> Result<(), RunError> {
        self.not_yet(Step::CalculateDiff, "calculate_diff")?;
        let Stage::Loaded { source, target, data } = std::mem::replace(&mut self.stage, Stage::Ended) else {
            return Err(RunError::Order { called: "calculate_diff", missing: "load" });
        };
        let hook = self.job.calculate_diff(data);
        let (plan, report) = measure(Step::CalculateDiff, self.options.memory_profiling, &self.observers, hook).await;
        self.steps.push(report);
        let mut plan = plan.map_err(|error| RunError::Diff(error.into_cause()))?;
        let guards = Guards { job: J::INFO.limits, lifts: &self.options.lifts };
        let breaches = guards.breaches(&plan);
        if self.options.on_guard == OnGuard::Hold {
            for (model, breach) in &breaches {
                plan.hold(*model, breach.operation);
            }
        }
        self.breaches = breaches.into_iter().map(|(_, breach)| breach).collect();
        let plan = Arc::new(plan);
        self.observers.emit(&Event::DiffReady(&(Arc::clone(&plan) as Arc<dyn PlanView>)));
        if self.options.log_unchanged_records {
            plan.unchanged(|record| self.observers.emit(&Event::RecordUnchanged(record)));
        }
        let refusal = self.refusal(&plan, &target);
        self.stage = Stage::Planned { source, target, plan };
        refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// The last step: writes what the diff says, unless this is a dry run.
    ///
    /// # Errors
    ///
    /// If the hook fails, a failure ended the run early, or the target could not complete it.
    pub async fn execute_sync(&mut self) -> Result<(), RunError> {
        self.not_yet(Step::ExecuteSync, "execute_sync")?;
        let Stage::Planned { source, target, plan } = &self.stage else {
            return Err(RunError::Order { called: "execute_sync", missing: "calculate_diff" });
        };
        if let Some(refusal) = self.refusal(plan, target) {
            return Err(refusal.into());
        }
        if self.options.dry_run {
            return Ok(());
        }
        let max_failures = self.options.max_failures.map(|max| max.max(1));
        let options = ExecuteOptions {
            max_failures: if self.options.continue_on_failure { max_failures } else { Some(1) },
            concurrency: self.options.concurrency,
            writes_at_complete: target.writes_at_complete(),
            retry: self.options.retry,
            call_limit: self.options.record_time_limit,
            deadline: self.deadline,
            cancellation: self.options.cancellation.clone(),
        };
        let job = &*self.job;
        let mut execution = Execution::new(plan, &options, &self.observers);
        let work = async {
            let executed = job.execute_sync(target, Approved::new(&mut execution)).await;
            let completed =
                if execution.wrote() { job.sync_complete(source, target, &execution.synced()).await } else { Ok(()) };
            execution.conclude(completed.as_ref().err());
            (executed, completed)
        };
        let ((executed, completed), report) =
            measure(Step::ExecuteSync, self.options.memory_profiling, &self.observers, work).await;
        self.steps.push(report);
        let Results { outcomes, problems, stopped } = execution.into_results();
        self.problems = problems;
        for (record, operation, outcome) in outcomes.iter(plan.diff()) {
            if let Outcome::Failed { .. } | Outcome::Blocked { .. } = outcome {
                let object = Object {
                    model: plan.diff().tables()[record.model()].schema().name,
                    id: &plan.record(record),
                    in_source: record.side() == Side::Source,
                    in_target: operation != Operation::Create,
                    source,
                    target,
                };
                self.links.extend(job.lookup_object(&object).map(|url| (record, url)));
            }
        }
        let counts = outcomes.counts(plan.diff());
        let operations = plan.diff().operations();
        self.outcomes = Some(outcomes);
        executed.map_err(|error| RunError::Execute(error.into_cause()))?;
        completed.map_err(|error| RunError::Complete(error.into_cause()))?;
        match stopped {
            None => Ok(()),
            Some(Stopped::Failure(last)) => Err(RunError::Stopped { failed: counts.failed, operations, last }),
            Some(Stopped::Cancelled) => Err(RunError::Cancelled),
            Some(Stopped::TimeLimit) => Err(RunError::TimeLimit(self.options.time_limit.unwrap_or_default())),
        }
    }

    /// Why the plan must not be carried out.
    fn refusal(&self, plan: &Plan<J::Data>, target: &J::Target) -> Option<Refusal> {
        let lost = || plan.unwritable().filter(|_| target.writes_at_complete());
        let stops = self.options.on_guard == OnGuard::Stop && !self.breaches.is_empty();
        let guards = || stops.then(|| Refusal::Guards(self.breaches.clone()));
        too_many_rejected(plan, self.options.max_rejected).or_else(lost).or_else(guards)
    }

    /// A run that compared nothing has not done its work, whatever `sync_data` made of the errors it got.
    fn finished(&self) -> Result<(), RunError> {
        self.plan().map(|_| ()).ok_or(RunError::Unfinished)
    }

    /// What was shown is what is executed, and that once: no step is taken again.
    fn not_yet(&self, step: Step, called: &'static str) -> Result<(), RunError> {
        if self.steps.iter().any(|taken| taken.step == step) {
            return Err(RunError::Again { called });
        }
        Ok(())
    }

    fn into_report(self, error: Option<RunError>, duration: Duration) -> RunReport {
        let plan: Option<Arc<dyn PlanView>> = match self.stage {
            Stage::Planned { plan, .. } => Some(plan),
            _ => None,
        };
        let outcomes = match (&plan, self.outcomes) {
            (_, Some(outcomes)) => outcomes,
            (Some(plan), None) => Outcomes::none_of(plan.diff()),
            (None, None) => Outcomes::default(),
        };
        let counts = plan.as_ref().map(|plan| outcomes.counts(plan.diff())).unwrap_or_default();
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
            None if !self.problems.is_empty() => Status::Partial,
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
            lifts: self.options.lifts,
            skipped: self.skipped,
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

/// What loading one side gives: the adapter and the data, and what it took.
type LoadedSide<A, D> = (Result<(A, Checked<D>), RunError>, StepReport);

/// What loading a side needs.
struct Loading<J> {
    job: Arc<J>,
    dry_run: bool,
    memory_profiling: bool,
    cancellation: CancellationToken,
    /// When the run must have ended, and how long it may take.
    time_limit: Option<(Instant, Duration)>,
    observers: Observers,
}

impl<J> Clone for Loading<J> {
    fn clone(&self) -> Self {
        Self {
            job: Arc::clone(&self.job),
            dry_run: self.dry_run,
            memory_profiling: self.memory_profiling,
            cancellation: self.cancellation.clone(),
            time_limit: self.time_limit,
            observers: self.observers.clone(),
        }
    }
}

impl<J: Job> Loading<J> {
    async fn source(&self) -> LoadedSide<J::Source, J::Data> {
        let work = async {
            let adapter = self.job.source_adapter(&self.job_context()).await?;
            let mut data = J::Data::default();
            self.job.load_source_adapter(&adapter, &mut data, &self.load_context(Side::Source)).await?;
            Ok((adapter, data))
        };
        self.side(Side::Source, work).await
    }

    async fn target(&self) -> LoadedSide<J::Target, J::Data> {
        let work = async {
            let adapter = self.job.target_adapter(&self.job_context()).await?;
            let mut data = J::Data::default();
            self.job.load_target_adapter(&adapter, &mut data, &self.load_context(Side::Target)).await?;
            Ok((adapter, data))
        };
        self.side(Side::Target, work).await
    }

    fn job_context(&self) -> JobContext {
        JobContext { dry_run: self.dry_run }
    }

    fn load_context(&self, side: Side) -> LoadContext<'_> {
        LoadContext::new(side, &self.observers)
    }

    async fn side<A>(
        &self,
        side: Side,
        work: impl Future<Output = Result<(A, J::Data), AdapterError>> + Send,
    ) -> LoadedSide<A, J::Data> {
        let checked = async {
            let loaded = AssertUnwindSafe(work).catch_unwind();
            let loaded = match self.time_limit {
                None => self.cancellation.run_until_cancelled(loaded).await.ok_or(RunError::Cancelled)?,
                Some((deadline, limit)) => {
                    let loaded = timeout_at(deadline, self.cancellation.run_until_cancelled(loaded)).await;
                    loaded.map_err(|_| RunError::TimeLimit(limit))?.ok_or(RunError::Cancelled)?
                }
            };
            let loaded = loaded.unwrap_or_else(|panic| Err(AdapterError::new(panicked("loader", &*panic))));
            let (adapter, mut data) = loaded.map_err(|error| RunError::Load { side, cause: error.into_cause() })?;
            skip(&mut data, J::INFO.skip);
            Ok((adapter, Checked::new(side, data)))
        };
        measure(side.into(), self.memory_profiling, &self.observers, checked).await
    }
}

/// Leaves the models out that the job leaves out, whatever was loaded of them.
fn skip<D: Dataset>(data: &mut D, models: &[&str]) {
    struct Skip<'a, D> {
        data: &'a mut D,
        models: &'a [&'a str],
    }
    impl<D> ModelVisitor<D> for Skip<'_, D> {
        fn visit<M: LinksIn<D>>(&mut self)
        where
            D: HasTable<M>,
        {
            if self.models.contains(&M::NAME) {
                self.data.table_mut().skip("the job leaves it out");
            }
        }
    }
    D::visit_models(&mut Skip { data, models });
}

/// Takes a step: times it, profiles its memory if asked to, and tells the observers.
async fn measure<F: Future>(
    step: Step,
    memory_profiling: bool,
    observers: &Observers,
    work: F,
) -> (F::Output, StepReport) {
    observers.emit(&Event::StepStarted(step));
    let begun = Instant::now();
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

/// The first model of which too many records cannot be used.
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

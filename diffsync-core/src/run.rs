//! A run of a job: the four steps, each measured.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use url::Url;

use crate::adapter::{Adapter, LoadContext};
use crate::check::{Checked, half_loaded, untouched};
use crate::dataset::Dataset;
use crate::error::{AdapterError, panicked};
use crate::event::{Event, Observer, Observers};
use crate::execute::{Approved, ExecuteOptions, Execution, Results};
use crate::job::{Job, JobContext, JobInfo, Object};
use crate::memory::profile;
use crate::outcome::{Operation, Outcome, Outcomes};
use crate::plan::{Loaded, Plan, PlanView, RecordRef};
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::report::{RunError, RunReport, Status};
use crate::step::{Side, Step, StepReport};

/// How a job is to be run.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// How many records may be written at the same time, instead of what the job and the target say.
    pub concurrency: Option<NonZeroUsize>,
    /// The largest part of a model's records on one side that may be unusable, from 0 to 1; beyond it the run is refused.
    pub max_rejected: f64,
}

impl RunOptions {
    /// What a job is run with unless something else is asked for: a dry run unless the job says otherwise, the sides
    /// loaded one after the other, going on after failures, with at most 1 % of a model's records unusable.
    #[must_use]
    pub fn of(job: &JobInfo) -> Self {
        Self {
            dry_run: job.dryrun_default,
            memory_profiling: false,
            parallel_loading: false,
            continue_on_failure: true,
            concurrency: job.concurrency.and_then(NonZeroUsize::new),
            max_rejected: 0.01,
        }
    }

    /// Writes what the diff says.
    #[must_use]
    pub fn apply(mut self) -> Self {
        self.dry_run = false;
        self
    }
}

/// A run in progress. It owns the four steps, so they are measured whoever calls them.
pub struct Run<J: Job> {
    job: Arc<J>,
    options: RunOptions,
    observers: Observers,
    stage: Stage<J>,
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
            options,
            observers: Observers::new(&observers),
            stage: Stage::Begun,
            steps: Vec::new(),
            outcomes: None,
            problems: Vec::new(),
            links: HashMap::new(),
        };
        run.observers.emit(&Event::RunStarted { job: J::INFO.id, dry_run: options.dry_run });
        let ended = match job.validate() {
            Ok(()) => job.sync_data(&mut run).await.and_then(|()| run.finished()),
            Err(error) => Err(RunError::Invalid(error.into_cause())),
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
        let (source, target) = if self.options.parallel_loading {
            // Each on a task of its own, so that two loaders that compute do not wait for each other.
            let target = tokio::spawn(load_target(Arc::clone(&self.job), self.options, self.observers.clone()));
            let source = load_source(Arc::clone(&self.job), self.options, self.observers.clone()).await;
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
            let source = load_source(Arc::clone(&self.job), self.options, self.observers.clone()).await;
            if let (Err(error), report) = source {
                self.steps.push(report);
                return Err(error);
            }
            let target = load_target(Arc::clone(&self.job), self.options, self.observers.clone()).await;
            (source, target)
        };
        self.steps.push(source.1);
        self.steps.push(target.1);
        let (source, source_data) = source.0?;
        let (target, target_data) = target.0?;
        let data = Loaded::of(source_data, target_data);
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
        let (plan, report) = measure(Step::CalculateDiff, self.options, &self.observers, hook).await;
        self.steps.push(report);
        let plan = Arc::new(plan.map_err(|error| RunError::Diff(error.into_cause()))?);
        self.observers.emit(&Event::DiffReady(&(Arc::clone(&plan) as Arc<dyn PlanView>)));
        let refusal = self.refusal(&plan);
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
        if let Some(refusal) = self.refusal(plan) {
            return Err(refusal.into());
        }
        if self.options.dry_run {
            return Ok(());
        }
        let options = ExecuteOptions {
            continue_on_failure: self.options.continue_on_failure,
            concurrency: self.options.concurrency,
            writes_at_complete: J::Target::WRITES_AT_COMPLETE,
        };
        let job = &*self.job;
        let mut execution = Execution::new(plan, options, &self.observers);
        let work = async {
            let executed = job.execute_sync(target, Approved::new(&mut execution)).await;
            let wrote = execution.outcomes().counts(plan.diff()).written() > 0;
            let completed = if wrote { job.sync_complete(source, target, &execution.synced()).await } else { Ok(()) };
            execution.conclude(completed.as_ref().err());
            (executed, completed)
        };
        let ((executed, completed), report) = measure(Step::ExecuteSync, self.options, &self.observers, work).await;
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
        if let Some(last) = stopped {
            return Err(RunError::Stopped { failed: counts.failed, operations, last });
        }
        Ok(())
    }

    /// Why the plan must not be carried out.
    fn refusal(&self, plan: &Plan<J::Data>) -> Option<Refusal> {
        let lost = || plan.unwritable().filter(|_| J::Target::WRITES_AT_COMPLETE);
        too_many_rejected(plan, self.options.max_rejected).or_else(lost)
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
            Some(_) => Status::Failed,
            None if counts.failed + counts.blocked + counts.rejected + counts.unknown + left_undone > 0 => {
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

async fn load_source<J: Job>(job: Arc<J>, options: RunOptions, observers: Observers) -> LoadedSide<J::Source, J::Data> {
    let work = async {
        let adapter = job.source_adapter(&JobContext { dry_run: options.dry_run }).await?;
        let mut data = J::Data::default();
        job.load_source_adapter(&adapter, &mut data, &LoadContext::new(Side::Source, &observers)).await?;
        Ok((adapter, data))
    };
    load_side(Side::Source, options, &observers, work).await
}

async fn load_target<J: Job>(job: Arc<J>, options: RunOptions, observers: Observers) -> LoadedSide<J::Target, J::Data> {
    let work = async {
        let adapter = job.target_adapter(&JobContext { dry_run: options.dry_run }).await?;
        let mut data = J::Data::default();
        job.load_target_adapter(&adapter, &mut data, &LoadContext::new(Side::Target, &observers)).await?;
        Ok((adapter, data))
    };
    load_side(Side::Target, options, &observers, work).await
}

async fn load_side<A, D: Dataset>(
    side: Side,
    options: RunOptions,
    observers: &Observers,
    work: impl Future<Output = Result<(A, D), AdapterError>> + Send,
) -> LoadedSide<A, D> {
    let checked = async {
        let loaded = AssertUnwindSafe(work).catch_unwind().await;
        let (adapter, data) = loaded.unwrap_or_else(|panic| Err(AdapterError::new(panicked("loader", &*panic))))?;
        Ok((adapter, Checked::new(side, data)))
    };
    let (loaded, report): (Result<_, AdapterError>, _) = measure(side.into(), options, observers, checked).await;
    (loaded.map_err(|error| RunError::Load { side, cause: error.into_cause() }), report)
}

/// Takes a step: times it, profiles its memory if asked to, and tells the observers.
async fn measure<F: Future>(
    step: Step,
    options: RunOptions,
    observers: &Observers,
    work: F,
) -> (F::Output, StepReport) {
    observers.emit(&Event::StepStarted(step));
    let begun = Instant::now();
    let (output, memory) = if options.memory_profiling {
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

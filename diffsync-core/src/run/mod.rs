//! A run of a job: the four steps, each measured.
//!
//! [`Run::execute`] runs a job with [`RunOptions`], which by default write nothing.

mod calculate_diff;
mod execute_sync;
mod filtered;
mod load;
mod load_side;
mod lock;
mod measure;
mod options;
mod refusal;
mod report;

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::time::Instant;
pub use tokio_util::sync::CancellationToken;
use url::Url;

pub use self::lock::{LockError, LockFuture, TargetLock};
pub use self::options::{AbortReason, RunOptions, UnknownFlags};
use crate::apply::loaded_sides::LoadedSides;
use crate::data::problem::{Problem, SkippedModel};
use crate::data::refusal::Breach;
use crate::error::panicked;
pub use crate::execute::{RetryPolicy, WritePermit};
use crate::job::Job;
use crate::plan::outcome::Outcomes;
use crate::plan::{Plan, RecordRef};
use crate::plan_file::UndoPlan;
use crate::report::event::{Event, Observer, Observers};
use crate::report::filtered::Filtered;
use crate::report::step::{Step, StepReport};
use crate::report::{RunError, RunReport};

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
        data: Box<LoadedSides<J::Data>>,
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
}

impl<J: Job> fmt::Debug for Run<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("job", &J::INFO.id).field("steps", &self.steps).finish_non_exhaustive()
    }
}

//! The events of a run: one typed stream, observed by the terminal, the log and the history.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use crate::error::panicked;
use crate::model::operation::Operation;
use crate::plan::outcome::Outcome;
use crate::plan::{PlanView, RecordRef};
use crate::report::RunReport;
use crate::report::step::{Step, StepReport};

/// Something that happened in a run. Records are positions in the plan, never copies.
#[derive(Clone)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The run began.
    RunStarted {
        /// The job's id.
        job: &'a str,
        /// Whether it is a dry run.
        dry_run: bool,
    },
    /// A step began.
    StepStarted(Step),
    /// A step made progress.
    Progress {
        /// The step.
        step: Step,
        /// Records read or written so far.
        done: u64,
        /// The total, if it is known.
        total: Option<u64>,
    },
    /// A call to one of the systems failed and is retried after a pause.
    Retry {
        /// The step.
        step: Step,
        /// The number of the attempt that failed, from 1.
        attempt: usize,
        /// How long the run waits before the next one.
        pause: Duration,
        /// Why it failed.
        error: &'a str,
    },
    /// A step ended.
    StepFinished(&'a StepReport),
    /// The diff was calculated.
    DiffReady(&'a Arc<dyn PlanView>),
    /// An operation has its outcome.
    RecordDone {
        /// The record, in the plan of [`Event::DiffReady`].
        record: RecordRef,
        /// The planned operation.
        operation: Operation,
        /// Its outcome.
        outcome: &'a Outcome,
        /// The URL of the record's page.
        url: RecordUrl<'a>,
    },
    /// A record is the same on both sides. Emitted only if the options say so, after the diff is ready.
    RecordUnchanged(RecordRef),
    /// The run ended.
    RunFinished(&'a RunReport),
}

/// The URL of a record's page, which is looked up only for an observer that wants it.
#[derive(Clone, Copy)]
pub struct RecordUrl<'a>(&'a (dyn Fn() -> Option<Url> + 'a));

impl<'a> RecordUrl<'a> {
    pub(crate) fn new(look_up: &'a (dyn Fn() -> Option<Url> + 'a)) -> Self {
        Self(look_up)
    }

    /// Looks it up, with the job's [`lookup_object`](crate::Job::lookup_object).
    #[must_use]
    pub fn look_up(self) -> Option<Url> {
        // The hook is the job's own. A panic in it must not cost the record its entry in an observer.
        catch_unwind(AssertUnwindSafe(self.0)).unwrap_or_else(|panic| {
            let text = panicked("hook `lookup_object`", &*panic);
            let _ = catch_unwind(AssertUnwindSafe(|| tracing::error!("{text}")));
            None
        })
    }
}

/// Receives the events of a run. It is called on the run's own thread and must not block for long.
pub trait Observer: Send + Sync {
    /// Receives an event.
    fn observe(&self, event: &Event<'_>);
}

/// The observers of one run.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    all: Arc<[Arc<dyn Observer>]>,
    /// How many calls were retried so far.
    retries: Arc<AtomicU64>,
    /// How often an adapter's client is to retry a request, if the run says so. It takes the way of the retries, back.
    request_retries: Option<usize>,
}

impl Observers {
    pub(crate) fn new(observers: &[Arc<dyn Observer>], request_retries: Option<usize>) -> Self {
        Self { all: observers.into(), retries: Arc::default(), request_retries }
    }

    /// How often an adapter's client is to retry a request.
    pub(crate) fn request_retries(&self) -> Option<usize> {
        self.request_retries
    }

    /// Counts a retry.
    pub(crate) fn count_retry(&self) {
        // Only a count: nothing else in memory depends on its order.
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// How many calls were retried so far.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(crate) fn emit(&self, event: &Event<'_>) {
        for observer in self.all.iter() {
            // A panicking observer must not abort the run, and neither must the subscriber that logs the panic.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| observer.observe(event))) {
                let text = panicked("observer", &*panic);
                let _ = catch_unwind(AssertUnwindSafe(|| tracing::error!("{text}")));
            }
        }
    }
}

/// Writes a run's events to the program's [`tracing`] subscriber: steps at `info`, records that failed at `warn`, others
/// at `debug`.
#[derive(Default)]
pub struct TracingObserver {
    /// The plan, to look up the names of records, which events give by position.
    plan: Mutex<Option<Arc<dyn PlanView>>>,
}

impl TracingObserver {
    fn record_done(&self, record: RecordRef, operation: Operation, outcome: &Outcome) {
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(plan) = plan else { return };
        let model = plan.diff().tables()[record.model()].schema().name;

        match outcome {
            Outcome::Failed { error, .. } => {
                tracing::warn!(%operation, model, record = plan.record(record), %error, "record failed");
            }
            Outcome::Unknown { reason } => {
                tracing::warn!(%operation, model, record = plan.record(record), %reason, "record may have been written");
            }
            _ if tracing::enabled!(tracing::Level::DEBUG) => {
                tracing::debug!(%operation, model, record = plan.record(record), ?outcome, "record done");
            }
            _ => {}
        }
    }
}

impl std::fmt::Debug for TracingObserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TracingObserver").finish_non_exhaustive()
    }
}

impl Observer for TracingObserver {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::RunStarted { job, dry_run } => tracing::info!(job, dry_run, "run started"),
            Event::StepStarted(step) => tracing::info!(%step, "step started"),
            Event::Progress { step, done, total } => tracing::trace!(%step, done, total, "progress"),
            Event::Retry { step, attempt, pause, error } => {
                tracing::warn!(%step, attempt, pause = ?pause, error, "a call failed and is retried");
            }
            Event::StepFinished(report) => {
                tracing::info!(step = %report.step, seconds = report.duration.as_secs_f64(), "step finished");
            }
            Event::DiffReady(plan) => {
                *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(plan));
                let total = plan.diff().summary().total;
                tracing::info!(total.create, total.update, total.delete, total.no_change, total.rejected, "diff ready");
                for problem in plan.problems() {
                    tracing::warn!(%problem, "problem in the loaded data");
                }
            }
            Event::RecordDone { record, operation, outcome, .. } => self.record_done(*record, *operation, outcome),
            Event::RecordUnchanged(record) => {
                let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(plan) = plan.filter(|_| tracing::enabled!(tracing::Level::DEBUG)) {
                    let model = plan.diff().tables()[record.model()].schema().name;
                    tracing::debug!(model, record = plan.record(*record), "record unchanged");
                }
            }
            Event::RunFinished(report) => {
                tracing::info!(job = report.job, status = %report.status, "run finished");
            }
        }
    }
}

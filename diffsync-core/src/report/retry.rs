//! Retries: each is reported as an event of its step, and counted.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use crate::report::event::{Event, Observers};
use crate::report::step::Step;

tokio::task_local! {
    /// The current step and its observers.
    // A task-local, so that adapters need not pass a context down to the client that retries.
    static STEP: (Step, Observers);
}

/// Runs a step in which [`report_retry`] can be called.
pub(crate) async fn reporting_retries<F: Future>(step: Step, observers: Observers, work: F) -> F::Output {
    STEP.scope((step, observers), work).await
}

/// Reports that a call failed and is about to be retried: as an event, which the log shows as a warning, and in the count of
/// the run's report. Only adapters with retries of their own need it; the run itself reports the retries of
/// [transient](crate::adapter::TargetError::transient) errors.
///
/// `attempt` is the number of the attempt that failed, from 1. Outside a run, or on a task that the adapter spawned, this
/// does nothing.
pub fn report_retry(attempt: usize, pause: Duration, error: &dyn Display) {
    let _ = STEP.try_with(|(step, observers)| {
        observers.count_retry();
        observers.emit(&Event::Retry { step: *step, attempt, pause, error: &error.to_string() });
    });
}

/// How often an adapter's own client is to retry a request, if the [options](crate::run::RunOptions::request_retries) of the
/// run say so; the client's own number counts otherwise. Outside a run, and on a task that the adapter spawned, it is not known.
#[must_use]
pub fn request_retries() -> Option<usize> {
    STEP.try_with(|(_, observers)| observers.request_retries()).ok().flatten()
}

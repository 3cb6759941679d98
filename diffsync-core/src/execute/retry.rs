//! One call to a target, with its time limit, panics and retries.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout};

use super::options::ExecuteOptions;
use crate::error::{TargetError, TargetErrorKind, panicked};
use crate::report::retry::report_retry;

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum CallError {
    Failed(TargetError),
    /// The target has a bug.
    Panicked(String),
    /// The call did not end in time, or reported it itself: its outcome is unknown.
    Unknown(Arc<str>),
}

/// When to retry, and when to give up.
impl ExecuteOptions {
    /// Whether no new call may begin.
    pub(super) fn is_over(&self) -> bool {
        self.cancellation.is_cancelled() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Calls, and retries after transient errors.
    pub(super) async fn attempt<R, F>(&self, call: impl Fn() -> F + Send + Sync) -> Result<R, CallError>
    where
        F: Future<Output = Result<R, TargetError>> + Send,
        R: Send,
    {
        let mut pauses = None;
        let mut lost = false;
        let mut attempt = 0;

        loop {
            attempt += 1;

            // A target is the user's code: a panic in it concerns its record, not the run.
            let answer = AssertUnwindSafe(async { call().await }).catch_unwind();
            let answer = match self.record_time_limit {
                None => answer.await,
                Some(limit) => match timeout(limit, answer).await {
                    Ok(answer) => answer,
                    Err(_) => {
                        // Not retried, since the target may still carry it out.
                        return Err(CallError::Unknown(format!("the target did not answer within {limit:?}").into()));
                    }
                },
            };

            let error = match answer {
                Ok(Ok(result)) => return Ok(result),
                Ok(Err(error)) if error.kind() == TargetErrorKind::Unknown => {
                    // Not retried, since the record may have been written.
                    return Err(CallError::Unknown(error.to_string().into()));
                }
                // After a lost answer, only an error about the record tells that it was not written.
                Ok(Err(error)) => error.after_lost(lost),
                Err(panic) => return Err(CallError::Panicked(panicked("target", &*panic))),
            };

            lost = error.is_outcome_unknown();
            let pauses = pauses.get_or_insert_with(|| self.retry.pauses());
            let Some(pause) = self.pause_after(&error, pauses) else { return Err(CallError::Failed(error)) };

            // A run that ends before the pause is over makes no further call, so there is nothing to report then.
            if self.ends_within(pause) {
                return Err(CallError::Failed(error));
            }
            report_retry(attempt, pause, &error);
            if !self.waits(pause).await {
                return Err(CallError::Failed(error));
            }
        }
    }

    /// The pause before a retry, if there is one.
    fn pause_after(&self, error: &TargetError, pauses: &mut impl Iterator<Item = Duration>) -> Option<Duration> {
        if error.kind() != TargetErrorKind::Transient {
            return None;
        }
        self.pause_of(error, pauses.next()?)
    }

    /// The pause after a transient error: at least the one that the server asked for, and none (no retry) if that is too
    /// long.
    pub(super) fn pause_of(&self, error: &TargetError, pause: Duration) -> Option<Duration> {
        match error.wanted_pause() {
            None => Some(pause),
            Some(wanted) if wanted <= self.retry.longest_wait => Some(pause.max(wanted)),
            Some(_) => None,
        }
    }

    /// Whether the run ends before a pause is over.
    pub(super) fn ends_within(&self, pause: Duration) -> bool {
        let at_deadline =
            self.deadline.is_some_and(|deadline| deadline.saturating_duration_since(Instant::now()) <= pause);
        at_deadline || self.cancellation.is_cancelled()
    }

    /// Waits, unless the run ends before.
    pub(super) async fn waits(&self, pause: Duration) -> bool {
        !self.ends_within(pause) && self.cancellation.run_until_cancelled(sleep(pause)).await.is_some()
    }
}

//! The options of an execution.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::retry_policy::RetryPolicy;
use crate::plan_file::{PlanKey, UndoLog};

/// The options of an execution.
#[derive(Debug, Clone)]
pub(crate) struct ExecuteOptions {
    /// End the execution once this many records have failed.
    pub(crate) max_failures: Option<usize>,
    /// How many records may be written at a time, in place of the target's number.
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// Whether the target writes only when it completes the run. No outcome is final before that, so none is announced.
    pub(crate) writes_at_complete: bool,
    pub(crate) retry: RetryPolicy,
    /// How long the target may take for one call.
    pub(crate) record_time_limit: Option<Duration>,
    /// The end of the run's time limit.
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancellation: CancellationToken,
    /// Where the undo plan is written as the execution goes on, and the key for its secrets.
    pub(crate) undo_log: Option<(UndoLog, PlanKey)>,
}

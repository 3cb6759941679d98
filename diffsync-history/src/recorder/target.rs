//! The lease of a run's target.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diffsync_core::run::{LockError, LockFuture, TargetLock};

use super::HistoryPolicy;
use super::writer::RETRY_LIMIT;
use crate::error::HistoryError;
use crate::lease::{Lease, LeaseError, LeaseName};
use crate::store::History;

/// Takes the lease of a target once the run knows it.
pub(super) struct TargetLease {
    history: History,
    lease: Lease,
    host: String,
    policy: HistoryPolicy,
    /// Why the lease could not be taken, if the run went on without it.
    error: Mutex<Option<HistoryError>>,
}

impl TargetLease {
    pub(super) fn new(history: &History, lease: Lease, host: &str, policy: HistoryPolicy) -> Self {
        Self { history: history.clone(), lease, host: host.to_owned(), policy, error: Mutex::default() }
    }

    /// Keeps the leases for as long as a child works.
    pub(super) async fn keep_for(&self, child: u32) -> Result<(), HistoryError> {
        self.history.keep_for(&self.lease, child).await
    }

    /// Why the lease could not be taken, if the run went on without it.
    pub(super) fn take_error(&self) -> Option<HistoryError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Whether a resource is one of this host alone.
fn is_local(resource: &str) -> bool {
    let host = resource.split_once("://").map_or("", |(_, rest)| rest);
    host.starts_with('/') || ["localhost:", "127.", "[::1]", "::1:"].iter().any(|local| host.starts_with(local))
}

impl TargetLock for TargetLease {
    fn lock<'a>(&'a self, resource: Option<&'a str>) -> LockFuture<'a> {
        Box::pin(async move {
            // Two targets without a name cannot be told apart. The lease of the job keeps its own runs apart.
            let Some(resource) = resource else { return Ok(()) };

            // A file, or a database on this host, is another one on other hosts.
            let name = if is_local(resource) { format!("{resource} on {}", self.host) } else { resource.to_owned() };
            let name = LeaseName::target(&name);

            let begun = Instant::now();
            let taken = loop {
                match self.history.take_also(&self.lease, &self.host, &name).await {
                    Err(LeaseError::History(error)) if error.is_transient() && begun.elapsed() < RETRY_LIMIT => {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    taken => break taken,
                }
            };
            match taken {
                Ok(()) => Ok(()),
                Err(error @ LeaseError::Held { .. }) => Err(LockError::Held(error.to_string())),
                Err(LeaseError::History(error)) if self.policy == HistoryPolicy::BestEffort => {
                    tracing::warn!(%error, "it is not known whether another run writes to the target");
                    self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    Ok(())
                }
                Err(LeaseError::History(error)) => Err(LockError::Unavailable(Box::new(error))),
            }
        })
    }
}

impl fmt::Debug for TargetLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetLease").field("history", &self.history).finish_non_exhaustive()
    }
}

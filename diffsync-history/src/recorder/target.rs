//! The lease of a run's target.

use std::fmt;

use diffsync_core::run::{LockError, LockFuture, TargetLock};

use super::HistoryPolicy;
use crate::lease::{Lease, LeaseError, LeaseName};
use crate::store::History;

/// Takes the lease of a target once the run knows it.
pub(super) struct TargetLease {
    history: History,
    lease: Lease,
    host: String,
    policy: HistoryPolicy,
}

impl TargetLease {
    pub(super) fn new(history: &History, lease: Lease, host: &str, policy: HistoryPolicy) -> Self {
        Self { history: history.clone(), lease, host: host.to_owned(), policy }
    }
}

impl TargetLock for TargetLease {
    fn lock<'a>(&'a self, resource: Option<&'a str>) -> LockFuture<'a> {
        Box::pin(async move {
            // Two targets without a name cannot be told apart. The lease of the job keeps its own runs apart.
            let Some(resource) = resource else { return Ok(()) };

            match self.history.take_also(&self.lease, &self.host, &LeaseName::target(resource)).await {
                Ok(()) => Ok(()),
                Err(error @ LeaseError::Held { .. }) => Err(LockError::Held(error.to_string())),
                Err(LeaseError::History(error)) if self.policy == HistoryPolicy::BestEffort => {
                    tracing::warn!(%error, "it is not known whether another run writes to the target");
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

//! Keeps two runs from writing to one system at the same time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;

use crate::adapter::Adapter;
use crate::data::refusal::Refusal;
use crate::report::RunError;

/// Decides whether a run may write to a system now.
///
/// A run that writes calls it once, before its target is loaded, because changes that another run makes later would not be
/// part of the diff. The lock is held until the program releases it after the run.
pub trait TargetLock: fmt::Debug + Send + Sync {
    /// Locks the [resource](Adapter::resource) of a target, or all of the run's resources if the target does not name its own.
    /// It may wait; the run's cancellation and its time limit end the wait.
    fn lock<'a>(&'a self, resource: Option<&'a str>) -> LockFuture<'a>;
}

/// The result of [`TargetLock::lock`], when it is there.
pub type LockFuture<'a> = Pin<Box<dyn Future<Output = Result<(), LockError>> + Send + 'a>>;

/// Why a run may not write to its target now.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another run writes to it. The text names that run.
    #[error("{0}")]
    Held(String),
    /// Whether another run writes to it cannot be found out.
    #[error("it cannot be found out whether another run writes to the target")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Locks the target of a run that writes.
pub(super) async fn lock_target(lock: Option<&Arc<dyn TargetLock>>, target: &impl Adapter) -> Result<(), RunError> {
    let Some(lock) = lock else { return Ok(()) };
    let resource = target.resource();

    lock.lock(resource.as_deref()).await.map_err(|error| match error {
        LockError::Held(by) => Refusal::TargetInUse(by).into(),
        LockError::Unavailable(cause) => RunError::Lock(cause),
    })
}

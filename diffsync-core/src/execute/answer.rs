//! The answers of a target, and which part of a task they are about.

use std::sync::Arc;

use super::retry::CallError;
use crate::error::{TargetError, TargetErrorKind};

/// The part of a record's task that is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WritePhase {
    /// Everything except deferred references.
    Whole,
    /// Setting the deferred references of a record, now that all records exist.
    Deferred,
    /// Clearing the deferred references of a record before it is deleted.
    Clear,
}

/// The target's answer to a task.
pub(super) enum Answer<M> {
    Stored(M),
    Deleted,
    Failed(TargetError),
    Unknown(Arc<str>),
    /// The target stored the record under another identifier.
    Renamed(M),
    /// The execution was stopped before this call.
    NotAsked,
    /// Only deferred references change, and those are set later.
    NothingYet,
}

impl<M> Answer<M> {
    pub(super) fn ends_the_run(&self) -> bool {
        matches!(self, Self::Failed(error) if error.kind() == TargetErrorKind::Fatal)
    }
}

impl<M> Answer<M> {
    /// The answer for one record of a batch that failed.
    pub(super) fn of(error: TargetError) -> Self {
        if error.kind() == TargetErrorKind::Unknown {
            return Self::Unknown(error.to_string().into());
        }
        Self::Failed(error)
    }
}

impl<M> From<CallError> for Answer<M> {
    fn from(broken: CallError) -> Self {
        match broken {
            CallError::Failed(error) => Self::Failed(error),
            // The target may have panicked after it wrote the record.
            CallError::Panicked(text) => Self::Unknown(text.into()),
            CallError::Unknown(reason) => Self::Unknown(reason),
        }
    }
}

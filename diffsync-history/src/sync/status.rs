//! How a sync ended.

use std::fmt;

use diffsync_core::report::Status;
use serde::{Deserialize, Serialize};

/// How a sync ended, if it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SyncStatus {
    /// It has not ended.
    Running,
    /// Everything was done.
    Completed,
    /// The rest was done, but a record failed or was left in an unclear state.
    Partial,
    /// It did not reach its end.
    Failed,
    /// It was not allowed to write, and wrote nothing.
    Refused,
    /// It was cancelled.
    Cancelled,
    /// Its process ended before it did.
    Interrupted,
}

impl SyncStatus {
    /// All statuses, in the order of a filter.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Completed,
        Self::Partial,
        Self::Failed,
        Self::Refused,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// The status as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The status that is written like this.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for SyncStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Status> for SyncStatus {
    fn from(status: Status) -> Self {
        Self::named(&status.to_string()).unwrap_or(Self::Failed)
    }
}

//! How statuses, outcomes and actions are marked: a colour, and a sign for those who do not see it.

use diffsync_core::model::Operation;
use diffsync_history::{LogLevel, SyncStatus};

/// The statuses of entries that were not written as planned.
pub(super) const UNWRITTEN: [&str; 5] = ["failed", "unknown", "blocked", "held", "unsupported"];

/// A word with its colour and its sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) word: String,
    pub(crate) sign: &'static str,
    /// A class of the style sheet.
    pub(crate) class: &'static str,
}

impl Mark {
    fn new(word: impl Into<String>, sign: &'static str, class: &'static str) -> Self {
        Self { word: word.into(), sign, class }
    }

    pub(super) fn of_status(status: SyncStatus) -> Self {
        let (sign, class) = match status {
            SyncStatus::Running => ("●", "busy"),
            SyncStatus::Completed => ("✓", "good"),
            SyncStatus::Partial => ("◐", "doubtful"),
            SyncStatus::Cancelled => ("■", "doubtful"),
            SyncStatus::Interrupted => ("!", "bad"),
            _ => ("✕", "bad"),
        };
        Self::new(status.as_str(), sign, class)
    }

    /// The mark of a log entry's status.
    pub(super) fn of_outcome(outcome: &str) -> Self {
        let (sign, class) = match outcome {
            "created" => ("+", "create"),
            "updated" => ("~", "update"),
            "deleted" | "cascaded" => ("−", "delete"),
            "failed" => ("✕", "bad"),
            "unknown" => ("?", "bad"),
            "unchanged" => ("=", "plain"),
            _ => ("◐", "doubtful"),
        };
        Self::new(outcome.replace('_', " "), sign, class)
    }

    pub(super) fn of_level(level: LogLevel) -> Self {
        let (sign, class) = match level {
            LogLevel::Error => ("✕", "bad"),
            LogLevel::Warn => ("!", "doubtful"),
            _ => ("·", "plain"),
        };
        Self::new(level.as_str(), sign, class)
    }

    pub(super) fn of_action(action: Operation) -> Self {
        match action {
            Operation::Create => Self::new("create", "+", "create"),
            Operation::Update => Self::new("update", "~", "update"),
            Operation::Delete => Self::new("delete", "−", "delete"),
        }
    }
}

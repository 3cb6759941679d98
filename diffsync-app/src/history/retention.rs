//! How long the history keeps details.

use std::time::Duration;

use diffsync_history::Retention;

/// How long the diffs and logs of syncs are kept, as set in the file of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetentionSetting {
    /// How many of the newest syncs of each job keep them.
    pub(crate) keep_last: u32,
    /// Younger syncs keep them.
    pub(crate) older_than: Duration,
    /// Whether a run removes the others, once a day.
    pub(crate) automatic: bool,
}

impl Default for RetentionSetting {
    fn default() -> Self {
        Self { keep_last: 100, older_than: Duration::from_hours(90 * 24), automatic: true }
    }
}

impl RetentionSetting {
    pub(crate) fn retention(self) -> Retention {
        Retention::new(self.keep_last, self.older_than)
    }
}

//! How a recorded run ended.

use diffsync_core::plan::OutcomeCounts;
use diffsync_core::report::{RunReport, Status};
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::database::{Statement, clean};
use crate::sync::SyncStatus;
use crate::time::now;

/// How a run of another program ended.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncEnd {
    /// How it ended.
    pub status: Status,
    /// Why it did not reach its end.
    pub error: Option<String>,
    /// The limits that it would have exceeded, or for which operations were held, as a list.
    pub breaches: Option<Json>,
    /// How the records ended, if there was a diff.
    pub counts: Option<OutcomeCounts>,
    /// How many calls were retried.
    pub retries: u64,
}

/// How a sync ended, as it is written.
pub(super) struct EndRow {
    status: SyncStatus,
    error: Option<String>,
    breaches: Option<String>,
    counts: Option<String>,
    retries: u64,
    at: Timestamp,
}

impl From<SyncEnd> for EndRow {
    fn from(end: SyncEnd) -> Self {
        Self {
            status: end.status.into(),
            error: end.error.map(clean),
            breaches: end.breaches.map(|breaches| breaches.to_string()),
            counts: end.counts.and_then(|counts| serde_json::to_string(&counts).ok()),
            retries: end.retries,
            at: now(),
        }
    }
}

impl EndRow {
    pub(super) fn of(report: &RunReport) -> Self {
        let breaches = serde_json::to_value(&report.breaches).ok().filter(|_| !report.breaches.is_empty());
        let counts = report.plan().map(|_| report.counts);
        let (status, error, retries) = (report.status, report.error_text(), report.retries);
        SyncEnd { status, error, breaches, counts, retries }.into()
    }

    /// The end of a run that did not report it.
    pub(super) fn unreported() -> Self {
        let error = Some("the program ended the run without a report".to_owned());
        Self { status: SyncStatus::Failed, error, breaches: None, counts: None, retries: 0, at: now() }
    }

    pub(super) fn statement(&self, sync_no: i64) -> Statement {
        Statement::new(
            "UPDATE history_sync SET status = $1, ended_at = $2, error = $3, breaches = $4, counts = $5, retries = $6, \
             heartbeat_at = $2, last_record = NULL WHERE no = $7",
            vec![
                self.status.as_str().into(),
                self.at.as_microsecond().into(),
                self.error.clone().into(),
                self.breaches.clone().into(),
                self.counts.clone().into(),
                i64::try_from(self.retries).unwrap_or(i64::MAX).into(),
                sync_no.into(),
            ],
        )
    }
}

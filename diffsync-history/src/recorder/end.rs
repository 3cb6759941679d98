//! How a recorded run ended.

use diffsync_core::report::RunReport;
use jiff::Timestamp;

use crate::database::{Statement, clean};
use crate::sync::SyncStatus;
use crate::time::now;

/// How a sync ended.
pub(super) struct SyncEnd {
    status: SyncStatus,
    error: Option<String>,
    breaches: Option<String>,
    counts: Option<String>,
    retries: u64,
    at: Timestamp,
}

impl SyncEnd {
    pub(super) fn of(report: &RunReport) -> Self {
        Self {
            status: report.status.into(),
            error: report.error_text().map(clean),
            breaches: serde_json::to_string(&report.breaches).ok().filter(|_| !report.breaches.is_empty()),
            counts: report.plan().and_then(|_| serde_json::to_string(&report.counts).ok()),
            retries: report.retries,
            at: now(),
        }
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

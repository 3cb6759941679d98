//! A sync as a row of a list.

use std::time::Duration;

use diffsync_history::SavedSync;
use jiff::Timestamp;

use super::status::Mark;
use crate::figures::{Moment, count, duration, number};

/// A sync as a row of a list.
pub(crate) struct SyncRow {
    pub(crate) id: String,
    pub(crate) began: Moment,
    pub(crate) job: String,
    pub(crate) profile: Option<String>,
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) dry_run: bool,
    pub(crate) status: Mark,
    /// How many records were created, updated and deleted, or would have been by a dry run.
    pub(crate) done: Option<[String; 3]>,
    /// How many were not written as planned.
    pub(crate) unwritten: Option<String>,
    pub(crate) took: String,
    pub(crate) by: String,
}

impl SyncRow {
    pub(crate) fn new(sync: &SavedSync, now: Timestamp) -> Self {
        let shown = |counts: [usize; 3]| counts.map(|records| count(number(records)));
        let done = if sync.dry_run {
            sync.planned.as_ref().map(|planned| {
                let total = planned.total;
                shown([total.create, total.update, total.delete])
            })
        } else {
            sync.counts.map(|counts| shown([counts.created, counts.updated, counts.deleted + counts.cascaded]))
        };
        let unwritten = sync
            .counts
            .filter(|_| !sync.dry_run)
            .map(|counts| counts.failed + counts.unknown + counts.blocked + counts.held + counts.unsupported);

        Self {
            id: sync.id.to_string(),
            began: Moment::new(sync.started_at, now),
            job: sync.job.clone(),
            profile: sync.profile.clone(),
            source: sync.source.clone(),
            target: sync.target.clone(),
            dry_run: sync.dry_run,
            status: Mark::of_status(sync.status),
            done,
            unwritten: unwritten.map(|records| count(number(records))),
            took: duration(took(sync)),
            by: sync.started_by.clone(),
        }
    }
}

/// How long a sync took, or has taken so far.
pub(super) fn took(sync: &SavedSync) -> Duration {
    // It is negative only if a clock was set back.
    Duration::try_from(sync.duration()).unwrap_or_default()
}

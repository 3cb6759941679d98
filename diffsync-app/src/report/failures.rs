//! The records that were not written as planned.

use std::collections::HashSet;
use std::fmt::{self, Write};

use diffsync_core::plan::OutcomeKind;
use diffsync_core::report::{FailedRecord, Status};
use diffsync_history::SyncId;

use super::{Look, WORST, section_with};
use crate::history::short_id;
use crate::terminal::{self, one_line};

/// The records that were not written as planned, the worst first, so that many blocked ones do not push those that failed or were
/// held out of sight.
pub(crate) struct Failures {
    records: Vec<FailedRecord>,
    /// The sync whose log has them all.
    sync: Option<SyncId>,
}

impl Failures {
    /// The failures of a run that is recorded as a sync. A dry run records no outcomes, even if it rehearsed them.
    pub(crate) fn new(records: impl IntoIterator<Item = FailedRecord>, sync: Option<SyncId>, dry_run: bool) -> Self {
        let mut records: Vec<_> = records.into_iter().collect();
        records.sort_by_key(rank);
        Self { records, sync: sync.filter(|_| !dry_run) }
    }

    /// The section of the report.
    pub(crate) fn write(&self, out: &mut dyn Write, look: Look) -> fmt::Result {
        let never_cut = self.records.partition_point(|failure| rank(failure) < 3);
        section_with(out, "not written", never_cut + look.lines(), self.records.iter().map(failed_record))
    }

    /// Repeats the first records where they are many: at the end, where they are seen without scrolling.
    pub(crate) fn write_worst(&self, out: &mut dyn Write) -> fmt::Result {
        if self.records.len() <= WORST {
            return Ok(());
        }
        writeln!(out, "\nnot written, the first {WORST} of {}:", self.records.len())?;
        for failure in self.records.iter().take(WORST) {
            writeln!(out, "  {}", one_line(&failed_record(failure)))?;
        }
        writeln!(out, "  {}", self.how_to_see_all())
    }

    /// How to see all of them.
    fn how_to_see_all(&self) -> String {
        let Some(sync) = self.sync else { return "--full shows all".to_owned() };
        let mut named = HashSet::new();
        let outcomes = self.records.iter().map(|failure| failure.outcome).filter(|outcome| named.insert(*outcome));
        let status: Vec<_> = outcomes.map(|outcome| format!("--status {}", outcome.as_str())).collect();
        format!("`history logs {} {}` shows all", short_id(sync), status.join(" "))
    }

    /// Warns of what a run did not do, where its report is not printed.
    pub(crate) fn warn(&self, job: &str, status: Status, counted: &str) {
        if status != Status::Partial {
            return;
        }
        let mut text = format!("{job}: {status}: {counted}");
        if !self.records.is_empty() {
            // Writing to a string does not fail.
            let _ = write!(text, "; {}", self.how_to_see_all());
        }
        terminal::warn(&text);
    }
}

fn rank(failure: &FailedRecord) -> usize {
    match failure.outcome {
        OutcomeKind::Failed => 0,
        OutcomeKind::Unknown => 1,
        OutcomeKind::Held => 2,
        _ => 3,
    }
}

fn failed_record(failure: &FailedRecord) -> String {
    let FailedRecord { operation, model, record, outcome, reason, url } = failure;
    let url = url.as_ref().map(|url| format!(" <{url}>")).unwrap_or_default();
    format!("{operation} {model} {record:?}{url}: {outcome}: {reason}")
}

//! What the thread that writes is told.

use std::sync::{Arc, mpsc};

use diffsync_core::model::Operation;
use diffsync_core::plan::{Outcome, PlanView, RecordRef};
use diffsync_core::report::StepReport;
use jiff::Timestamp;
use tokio::sync::oneshot;
use url::Url;

use super::end::EndRow;
use crate::change::NewChange;
use crate::entry::NewEntry;
use crate::error::HistoryError;
use crate::line::LogLine;
use crate::sync::PlannedCounts;

/// Something that a run reports, or asks.
pub(super) enum Message {
    Step(StepReport),
    /// The diff, and a sender that is dropped once it is recorded.
    Plan(Arc<dyn PlanView>, mpsc::Sender<()>),
    Done {
        at: Timestamp,
        record: RecordRef,
        operation: Operation,
        outcome: Outcome,
        url: Option<Url>,
    },
    Unchanged {
        at: Timestamp,
        record: RecordRef,
    },
    /// A row of a diff that another program calculated.
    Change(NewChange),
    /// The end of such a diff, and a sender that is dropped once all of it is recorded.
    Planned(PlannedCounts, oneshot::Sender<()>),
    /// What happened to a record of another program's run.
    Entry(NewEntry),
    Line(LogLine),
    End(Box<EndRow>),
    /// Write everything, and report the first error.
    Finish(oneshot::Sender<Result<(), HistoryError>>),
}

impl Message {
    /// Whether the run may be waiting for it.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self, Self::Plan(..) | Self::Planned(..) | Self::End(_) | Self::Finish(_))
    }
}

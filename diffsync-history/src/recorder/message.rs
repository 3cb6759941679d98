//! What the thread that writes is told.

use std::sync::{Arc, mpsc};

use diffsync_core::model::Operation;
use diffsync_core::plan::{Outcome, PlanView, RecordRef};
use diffsync_core::report::StepReport;
use jiff::{SignedDuration, Timestamp};
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
        /// The records after it with the same operation and outcome, and without a URL.
        more: Vec<RecordRef>,
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

/// Within which time records share the time of the first.
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// How many records one message holds at most.
const MOST: usize = 1_000;

impl Message {
    /// Adds the record of the next message, or returns that if it has to stay one of its own.
    pub(super) fn join(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (
                Self::Done { at, operation, outcome, url: None, more, .. },
                Self::Done {
                    at: next_at,
                    record,
                    operation: next_operation,
                    outcome: next_outcome,
                    url: None,
                    more: rest,
                },
            ) if outcome.is_written()
                && (*operation, &*outcome) == (next_operation, &next_outcome)
                && rest.is_empty()
                && more.len() < MOST
                && (SignedDuration::ZERO..MOMENT).contains(&at.duration_until(next_at)) =>
            {
                more.push(record);
                None
            }
            (_, next) => Some(next),
        }
    }

    /// Whether the run may be waiting for it.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self, Self::Plan(..) | Self::Planned(..) | Self::End(_) | Self::Finish(_))
    }
}

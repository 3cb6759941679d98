//! What the thread that writes the stream is told.

use std::sync::Arc;

use diffsync_core::model::Operation;
use diffsync_core::plan::{Outcome, PlanView, RecordRef};
use diffsync_core::value::Url;
use jiff::Timestamp;

use super::event::StreamEvent;

/// Something that a run reports. Records are positions in the plan, which the thread looks up.
pub(super) enum Message {
    Event(Box<StreamEvent>),
    /// The diff, and what names the target.
    Plan {
        plan: Arc<dyn PlanView>,
        resource: Option<String>,
    },
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
    /// Nothing more follows.
    End,
}

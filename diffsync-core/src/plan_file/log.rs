//! The undo plan that is written while a run goes on, so that a run which is killed can be taken back too.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::{PlanHeader, SavedOperation, UndoPlan};
use crate::model::operation::Operation;

/// Where the undo plan of a run is written while it goes on.
///
/// What was written so far can be read as a plan at any time: [`UndoLog::head`] gives its first line, and the run appends
/// the others as records are written. When the run has ended, [`UndoPlan::write`](crate::UndoPlan::write) gives the same plan as a
/// whole, with a digest, to be put in its place.
pub trait UndoSink: Send + Sync {
    /// Appends whole lines. They must be in the file when this returns, since the target was changed already.
    ///
    /// # Errors
    ///
    /// If they cannot be written. The run then ends, since what it did from then on could not be taken back.
    fn append(&self, lines: &[u8]) -> io::Result<()>;
}

/// The undo plan of a run that is written while it goes on, as part of [`RunOptions`](crate::RunOptions).
#[derive(Clone)]
pub struct UndoLog(Arc<dyn UndoSink>);

impl UndoLog {
    /// A log that is written to this sink.
    pub fn new(sink: Arc<dyn UndoSink>) -> Self {
        Self(sink)
    }

    /// The first line of a log with this head.
    ///
    /// # Errors
    ///
    /// If the head cannot be serialised.
    pub fn head(head: &PlanHeader) -> io::Result<Vec<u8>> {
        let head = PlanHeader { unfinished: true, ..head.clone() };
        line(&head)
    }

    /// Appends what takes back some operations.
    pub(crate) fn append(&self, undo: &UndoPlan) -> io::Result<()> {
        let mut lines = Vec::new();
        for lost in &undo.unrestorable {
            lines.extend(line(lost)?);
        }
        for operation in &undo.operations {
            lines.extend(line(operation)?);
        }
        if lines.is_empty() { Ok(()) } else { self.0.append(&lines) }
    }
}

impl fmt::Debug for UndoLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UndoLog")
    }
}

fn line(document: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(document)?;
    line.push(b'\n');
    Ok(line)
}

/// What stands in a log for a record that is as it was before, after another line said otherwise.
pub(crate) fn nothing(model: &str, id: serde_json::Value) -> SavedOperation {
    let (before, after) = Default::default();
    SavedOperation { op: Operation::Update, model: model.to_owned(), id, cascaded: false, before, after }
}

/// The operations of a log: of several about one record the last one counts, since the record was written several times.
pub(crate) fn settled(operations: Vec<SavedOperation>) -> Vec<SavedOperation> {
    let mut seen = std::collections::HashSet::new();
    let mut last: Vec<_> = operations
        .into_iter()
        .rev()
        .filter(|operation| seen.insert((operation.model.clone(), operation.id.to_string())))
        .filter(|operation| operation.op != Operation::Update || !operation.after.is_empty())
        .collect();
    last.reverse();
    last
}

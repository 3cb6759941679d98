//! The undo plan that is written during a run, so that even a killed run can be undone.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::header::PlanHeader;
use super::operation::SavedOperation;
use super::undo::UndoPlan;
use crate::model::operation::Operation;

/// Receives the undo plan of a run while the run writes.
///
/// The lines so far can be read as a plan at any time: [`UndoLog::header`] returns the first line, and the run appends the
/// others as it writes records. After the run, [`UndoPlan::write`] writes the same plan as a whole, with a digest, to replace
/// them.
pub trait UndoSink: Send + Sync {
    /// Appends whole lines. They must be in the file when this returns, since the target has been changed already.
    ///
    /// # Errors
    ///
    /// If they cannot be written. The run then ends, since its further writes could not be undone.
    fn append(&self, lines: &[u8]) -> io::Result<()>;
}

/// The undo plan that is written during a run, as part of [`RunOptions`](crate::run::RunOptions).
#[derive(Clone)]
pub struct UndoLog(Arc<dyn UndoSink>);

impl UndoLog {
    /// A log that is written to this sink.
    pub fn new(sink: Arc<dyn UndoSink>) -> Self {
        Self(sink)
    }

    /// The first line of a log with this header.
    ///
    /// # Errors
    ///
    /// If the header cannot be serialised.
    pub fn header(header: &PlanHeader) -> io::Result<Vec<u8>> {
        let header = PlanHeader { unfinished: true, ..header.clone() };
        line(&header)
    }

    /// Appends the undo plan of some operations.
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

/// The entry of a record that needs no undo, although an earlier line says otherwise.
pub(crate) fn nothing(model: &str, id: serde_json::Value) -> SavedOperation {
    let (before, after) = Default::default();
    SavedOperation { op: Operation::Update, model: model.to_owned(), id, cascaded: false, before, after }
}

/// The operations of a log. A record that was written several times has several; the last one counts.
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

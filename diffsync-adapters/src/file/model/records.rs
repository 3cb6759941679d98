//! The records of one file on their way into their table.

use std::fmt;
use std::path::Path;

use diffsync_core::adapter::AdapterError;
use diffsync_core::data::Side;
use diffsync_core::{ModelExt, Table};
use tokio::sync::watch;
use tracing::warn;

use super::FileModel;
use super::row::{CellError, RowError};
use super::values::DatumRow;

/// Emit a progress event every this many records.
const PROGRESS: u64 = 10_000;

/// The advice for a file whose last line has no line end, and whose last record cannot be read.
pub(crate) const CUT_OFF: &str = "the last line of the file has no line end, so the file looks cut off: get the complete \
                                  file, or, if it is complete, correct the record and end the line";

/// The records of a file, as they are found.
pub(crate) struct Records<'a, M: FileModel> {
    pub(crate) table: &'a mut Table<M>,
    pub(crate) path: &'a Path,
    pub(crate) side: Side,
    pub(crate) progress: &'a watch::Sender<u64>,
    pub(crate) count: u64,
    /// Whether the last line of the file has a line end, or the format does not need one.
    pub(crate) ends_line: bool,
    /// The last record and its place, if it cannot be read and may be the rest of a truncated one.
    pub(crate) held: Option<(RowError<M::Id>, String)>,
}

impl<M: FileModel> Records<'_, M> {
    /// Adds a record, with the line where it begins if the file has lines. If only its identifier can be read, it is rejected.
    pub(crate) fn add(&mut self, read: Result<M, RowError<M::Id>>, line: Option<u64>) -> Result<(), AdapterError> {
        self.refuse_held()?;
        self.count += 1;
        let row = self.count;
        let place = || line.map_or_else(|| format!("row {row}"), |line| format!("line {line}"));
        match read {
            Ok(record) => self.table.insert(record),
            Err(unread) if self.ends_line => self.refuse(unread, &place())?,
            // The error depends on whether another record follows.
            Err(unread) => self.held = Some((unread, place())),
        }

        if self.count.is_multiple_of(PROGRESS) {
            if self.progress.is_closed() {
                return Err(self.error("loading was cancelled"));
            }
            self.progress.send_replace(self.count);
        }

        Ok(())
    }

    /// The same for a record that may have comments, which an undo plan cannot restore.
    pub(crate) fn add_commented(
        &mut self,
        read: Result<M, RowError<M::Id>>,
        line: Option<u64>,
        has_comments: bool,
    ) -> Result<(), AdapterError> {
        if let Ok(record) = &read
            && has_comments
        {
            self.table.note_beside(record.id(), "their comments");
        }
        self.add(read, line)
    }

    /// Ends the file. `is_open` is true if more text would belong to the last record.
    ///
    /// A file that was cut off in the middle of a record lacks all further records, which would otherwise be deleted on the
    /// other side.
    pub(crate) fn finish(&mut self, is_open: bool) -> Result<(), AdapterError> {
        if !is_open || self.ends_line {
            return self.refuse_held();
        }
        match self.held.take() {
            Some((RowError::Unidentified(error) | RowError::Rejected(_, error), place)) => {
                Err(self.error(format_args!("{place}: {error}; {CUT_OFF}")))
            }
            None if self.count == 0 => Ok(()),
            None => {
                let path = self.path.display();
                warn!(
                    "the last line of `{path}` has no line end; its last record may be cut off in the middle of a value"
                );
                Ok(())
            }
        }
    }

    /// Refuses the record that was held, since it is not the rest of one.
    fn refuse_held(&mut self) -> Result<(), AdapterError> {
        match self.held.take() {
            Some((unread, place)) => self.refuse(unread, &place),
            None => Ok(()),
        }
    }

    fn refuse(&mut self, unread: RowError<M::Id>, place: &str) -> Result<(), AdapterError> {
        match unread {
            RowError::Rejected(id, error) => {
                self.table.reject(id, format!("`{}`, {place}: {error}", self.path.display()));
                Ok(())
            }
            RowError::Unidentified(CellError(error)) => Err(self.error(format_args!(
                "{place}: {error}; it is part of the identifier, so it is unknown which record it is"
            ))),
        }
    }

    /// Notes the keys that the model does not know, and reports those that are probably misspelt: a field that is read from
    /// such a key would be empty in all records.
    ///
    /// In a target, where that field is only written, it is a warning in any case.
    pub(crate) fn note_keys(&mut self, cells: &DatumRow) -> Result<(), AdapterError> {
        self.note_unknown(cells.unknown());
        for misspelt in cells.misspelt() {
            if misspelt.is_certain && self.side == Side::Source {
                return Err(self.error(misspelt));
            }
            warn!("`{}`, {misspelt}", self.path.display());
        }
        Ok(())
    }

    /// Notes the keys or columns that the model does not know.
    pub(crate) fn note_unknown<'n>(&mut self, names: impl IntoIterator<Item = &'n String>) {
        names.into_iter().for_each(|name| self.table.note_unknown_field(name));
    }

    /// An error in this file.
    pub(crate) fn error(&self, what: impl fmt::Display) -> AdapterError {
        AdapterError::new(format!("`{}`, {what}", self.path.display()))
    }

    /// An error while the file was read.
    pub(crate) fn unreadable(&self, error: std::io::Error) -> AdapterError {
        AdapterError::context(format!("cannot read `{}`", self.path.display()), error)
    }

    /// Which side the file is read for.
    pub(crate) fn side(&self) -> Side {
        self.side
    }
}

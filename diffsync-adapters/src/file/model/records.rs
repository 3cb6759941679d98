//! The records of one file on their way into their table.

use std::fmt;
use std::path::Path;

use diffsync_core::Table;
use diffsync_core::adapter::AdapterError;
use diffsync_core::data::Side;
use tokio::sync::watch;

use super::FileModel;
use super::row::RowError;

/// Emit a progress event every this many records.
const PROGRESS: u64 = 10_000;

/// The records of a file, as they are found.
pub(crate) struct Records<'a, M: FileModel> {
    pub(crate) table: &'a mut Table<M>,
    pub(crate) path: &'a Path,
    pub(crate) side: Side,
    pub(crate) progress: &'a watch::Sender<u64>,
    pub(crate) count: u64,
}

impl<M: FileModel> Records<'_, M> {
    /// Adds what was read of a record, and the line in which that begins if the file has lines. One that can only be
    /// named is rejected.
    pub(crate) fn add(&mut self, read: Result<M, RowError<M::Id>>, line: Option<u64>) -> Result<(), AdapterError> {
        self.count += 1;
        let row = self.count;
        let place = || line.map_or_else(|| format!("row {row}"), |line| format!("line {line}"));
        match read {
            Ok(record) => self.table.insert(record),
            Err(RowError::Rejected(id, error)) => {
                self.table.reject(id, format!("`{}`, {}: {error}", self.path.display(), place()));
            }
            Err(RowError::Unidentified(error)) => {
                return Err(self.error(format_args!(
                    "{}: {error}; it is part of the identifier, so it is unknown which record it is",
                    place()
                )));
            }
        }

        if self.count.is_multiple_of(PROGRESS) {
            if self.progress.is_closed() {
                return Err(self.error("loading was cancelled"));
            }
            self.progress.send_replace(self.count);
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

//! Reading one file into its table.

use std::fmt;

use std::path::PathBuf;

use diffsync_core::{AdapterError, Side, Table};
use tokio::sync::watch;

use super::cells::Unread;
use super::model::FileModel;
use super::replace::{Found, Stamp, open};
use super::{Format, format};

/// How many records are read between two words about it.
const PROGRESS: u64 = 10_000;

/// A file that is to be read.
pub(super) struct Loading {
    pub(super) path: PathBuf,
    pub(super) side: Side,
    pub(super) progress: watch::Sender<u64>,
}

impl Loading {
    /// Reads all records of the file into the table, and says which state of the file that was.
    pub(super) fn run<M: FileModel>(self, table: &mut Table<M>) -> Result<Option<Stamp>, AdapterError> {
        let path = self.path.display();
        let found = open(&self.path).map_err(|error| AdapterError::context(format!("cannot read `{path}`"), error))?;
        let (file, stamp) = match (found, self.side) {
            (Found::File(file, stamp), _) => (file, stamp),
            // A source that is missing must not pass for one without records.
            (Found::Absent, Side::Source) => return Err(AdapterError::new(format!("`{path}` does not exist"))),
            (Found::Absent, Side::Target) => {
                table.mark_loaded();
                return Ok(None);
            }
        };
        let mut records = Records { table, loading: &self, count: 0 };
        format::read(file, &mut records)?;
        let count = records.count;
        table.mark_loaded();
        self.progress.send_replace(count);
        Ok(Some(stamp))
    }
}

/// The records of a file, as they are found.
pub(super) struct Records<'a, M: FileModel> {
    table: &'a mut Table<M>,
    loading: &'a Loading,
    count: u64,
}

impl<M: FileModel> Records<'_, M> {
    /// Adds what was read of a record, and the line in which that begins if the file has lines. One that can only be
    /// named is rejected.
    pub(super) fn add(&mut self, read: Result<M, Unread<M::Id>>, line: Option<u64>) -> Result<(), AdapterError> {
        self.count += 1;
        let row = self.count;
        let place = || line.map_or_else(|| format!("row {row}"), |line| format!("line {line}"));
        match read {
            Ok(record) => self.table.insert(record),
            Err(Unread::Rejected(id, error)) => {
                self.table.reject(id, format!("`{}`, {}: {error}", self.loading.path.display(), place()));
            }
            Err(Unread::Nameless(error)) => {
                return Err(self.error(format_args!(
                    "{}: {error}; it is part of the identifier, so nobody knows which record it is",
                    place()
                )));
            }
        }
        if self.count.is_multiple_of(PROGRESS) {
            if self.loading.progress.is_closed() {
                return Err(self.error("nobody waits for it any more"));
            }
            self.loading.progress.send_replace(self.count);
        }
        Ok(())
    }

    /// An error in this file.
    pub(super) fn error(&self, what: impl fmt::Display) -> AdapterError {
        AdapterError::new(format!("`{}`, {what}", self.loading.path.display()))
    }

    /// An error while the file was read.
    pub(super) fn unreadable(&self, error: std::io::Error) -> AdapterError {
        AdapterError::context(format!("cannot read `{}`", self.loading.path.display()), error)
    }

    /// Which side the file is read for.
    pub(super) fn side(&self) -> Side {
        self.loading.side
    }
}

/// The format's name, for where it is not built in.
pub(super) fn not_enabled(format: Format) -> AdapterError {
    AdapterError::new(format!("the feature for {format:?} of diffsync-adapters is off"))
}

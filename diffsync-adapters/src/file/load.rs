//! Reading one file into its table.

use std::path::PathBuf;

use diffsync_core::{AdapterError, Side, Table};
use tokio::sync::watch;

use super::format;
use super::model::FileModel;
use super::records::Records;
use super::replace::{Found, Stamp, open};

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
        let (path, side, progress) = (&*self.path, self.side, &self.progress);
        let mut records = Records { table, path, side, progress, count: 0 };
        format::read(file, &mut records)?;
        let count = records.count;
        table.mark_loaded();
        self.progress.send_replace(count);
        Ok(Some(stamp))
    }
}

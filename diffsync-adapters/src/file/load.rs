//! Reading one file into its table.

use std::io::Seek;
use std::path::PathBuf;

use diffsync_core::{AdapterError, Side, Table};
use tokio::sync::watch;

use super::format;
use super::model::FileModel;
use super::records::Records;
use super::leftover::sweep;
use super::lock::{FileLock, Locked, lock};
use super::version::{Found, Version, open};

/// A file that is to be read.
pub(super) struct Loading {
    pub(super) path: PathBuf,
    pub(super) side: Side,
    /// Whether it will also be written, so that no other run may write it meanwhile.
    pub(super) is_written: bool,
    pub(super) progress: watch::Sender<u64>,
}

/// What a file was when it was loaded.
pub(super) struct Origin {
    /// The version that was read; none of a file that was not there, and none of a source.
    pub(super) version: Option<Version>,
    /// Keeps other runs from writing it.
    #[allow(dead_code, reason = "dropping it is what gives the lock back")]
    lock: Option<FileLock>,
}

impl Loading {
    /// Reads all records of the file into the table, and says which version of the file that was.
    pub(super) fn run<M: FileModel>(self, table: &mut Table<M>) -> Result<Origin, AdapterError> {
        let path = self.path.display();
        let unreadable = |error| AdapterError::context(format!("cannot read `{path}`"), error);
        let lock = if self.is_written { self.lock()? } else { None };
        let file = match (open(&self.path).map_err(unreadable)?, self.side) {
            (Found::File(file), _) => file,
            // A source that is missing must not pass for one without records.
            (Found::Absent, Side::Source) => return Err(AdapterError::new(format!("`{path}` does not exist"))),
            (Found::Absent, Side::Target) => {
                table.mark_loaded();
                return Ok(Origin { version: None, lock });
            }
        };
        // Before it is read: if it is changed meanwhile, it is then found to be another version.
        let version = match self.side {
            Side::Source => None,
            Side::Target => {
                let version = Version::of(&file).map_err(unreadable)?;
                (&file).rewind().map_err(unreadable)?;
                Some(version)
            }
        };

        let (path, side, progress) = (&*self.path, self.side, &self.progress);
        let mut records = Records { table, path, side, progress, count: 0 };
        format::read(file, &mut records)?;
        let count = records.count;
        table.mark_loaded();
        self.progress.send_replace(count);
        Ok(Origin { version, lock })
    }

    fn lock(&self) -> Result<Option<FileLock>, AdapterError> {
        let path = self.path.display();
        let locked = lock(&self.path);
        let locked = locked.map_err(|error| AdapterError::context(format!("cannot lock `{path}`"), error))?;
        sweep(&self.path);
        Ok(match locked {
            Locked::Held(lock) => Some(lock),
            Locked::Absent | Locked::Unsupported => None,
        })
    }
}

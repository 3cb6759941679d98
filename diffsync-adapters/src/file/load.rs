//! Reading one file into its table.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
#[cfg(feature = "parquet")]
use std::sync::Arc;

use diffsync_core::{AdapterError, Side, Table};
use tokio::sync::watch;

use super::format;
use super::leftover::sweep;
use super::lock::{FileLock, Locked, lock};
use super::model::FileModel;
#[cfg(feature = "parquet")]
use super::model::Format;
#[cfg(feature = "parquet")]
use super::parquet::Columns;
use super::records::Records;
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
#[derive(Default)]
pub(super) struct Origin {
    /// The version that was read; none of a file that was not there, and none of a source.
    pub(super) version: Option<Version>,
    /// Keeps other runs from writing it.
    #[allow(dead_code, reason = "dropping it is what gives the lock back")]
    lock: Option<FileLock>,
    /// What it can hold, where that depends on the file.
    #[cfg(feature = "parquet")]
    pub(super) columns: Option<Arc<Columns>>,
}

impl Origin {
    #[cfg_attr(
        not(feature = "parquet"),
        allow(clippy::extra_unused_type_parameters, reason = "only Parquet asks for the columns of the model")
    )]
    fn of<M: FileModel>(file: Option<&File>, version: Option<Version>, lock: Option<FileLock>) -> Result<Self, String> {
        #[cfg(feature = "parquet")]
        let columns = match M::FILE.format {
            Format::Parquet => Some(Arc::new(Columns::of::<M>(file)?)),
            _ => None,
        };
        Ok(Self {
            version,
            lock,
            #[cfg(feature = "parquet")]
            columns,
        })
    }
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
                return Origin::of::<M>(None, None, lock).map_err(AdapterError::new);
            }
        };
        // Before it is read: if it is changed meanwhile, it is then found to be another version.
        let origin = match self.side {
            Side::Source => Origin::default(),
            Side::Target => {
                let version = Version::of(&file).map_err(unreadable)?;
                let origin = Origin::of::<M>(Some(&file), Some(version), lock);
                (&file).rewind().map_err(unreadable)?;
                origin.map_err(|what| AdapterError::new(format!("`{path}`, {what}")))?
            }
        };

        let ends_line = !format::ends_in_lines(M::FILE.format) || ends_line(&file).map_err(unreadable)?;
        let (path, side, progress) = (&*self.path, self.side, &self.progress);
        let mut records = Records { table, path, side, progress, count: 0, ends_line, held: None };
        format::read(file, &mut records)?;
        let count = records.count;
        table.mark_loaded();
        self.progress.send_replace(count);
        Ok(origin)
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

/// Whether the last line of a file has a line end.
fn ends_line(mut file: &File) -> std::io::Result<bool> {
    let mut last = [0];
    let is_empty = file.seek(SeekFrom::End(0))? == 0;
    if !is_empty {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    file.rewind()?;
    Ok(is_empty || matches!(last, [b'\n' | b'\r']))
}

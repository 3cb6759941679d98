//! Reading one file into its table.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
#[cfg(feature = "parquet")]
use std::sync::Arc;

use diffsync_core::Table;
use diffsync_core::adapter::AdapterError;
use diffsync_core::data::Side;
use diffsync_core::temp_file::remove_leftovers;
use tokio::sync::watch;

use super::formats;
#[cfg(feature = "parquet")]
use super::formats::parquet::Columns;
use super::lock::{FileLock, LockResult, lock};
use super::model::FileModel;
use super::model::records::Records;
#[cfg(feature = "parquet")]
use super::model::schema::Format;
use super::version::{ContentVersion, Opened, open};

/// A file to read.
pub(crate) struct Loading {
    pub(crate) path: PathBuf,
    pub(crate) side: Side,
    /// Whether it will also be written, so that it must be locked for other runs.
    pub(crate) is_written: bool,
    pub(crate) progress: watch::Sender<u64>,
}

/// A file as it was loaded.
#[derive(Default)]
pub(crate) struct Origin {
    /// The version that was read; `None` for a missing file, and for a source.
    pub(crate) version: Option<ContentVersion>,
    /// Prevents other runs from writing the file.
    #[allow(dead_code, reason = "dropping it releases the lock")]
    lock: Option<FileLock>,
    /// The columns, if they depend on the file.
    #[cfg(feature = "parquet")]
    pub(crate) columns: Option<Arc<Columns>>,
}

impl Origin {
    #[cfg_attr(
        not(feature = "parquet"),
        allow(clippy::extra_unused_type_parameters, reason = "only Parquet needs the columns of the model")
    )]
    fn of<M: FileModel>(
        file: Option<&File>,
        version: Option<ContentVersion>,
        lock: Option<FileLock>,
    ) -> Result<Self, String> {
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
    /// Reads all records of the file into the table, and returns the version of the file.
    pub(crate) fn run<M: FileModel>(self, table: &mut Table<M>) -> Result<Origin, AdapterError> {
        let path = self.path.display();
        let unreadable = |error| AdapterError::context(format!("cannot read `{path}`"), error);
        let lock = if self.is_written { self.lock()? } else { None };
        let file = match (open(&self.path).map_err(unreadable)?, self.side) {
            (Opened::File(file), _) => file,
            // A source that is missing must not pass for one without records.
            (Opened::Absent, Side::Source) => return Err(AdapterError::new(format!("`{path}` does not exist"))),
            (Opened::Absent, Side::Target) => {
                table.mark_loaded();
                return Origin::of::<M>(None, None, lock).map_err(AdapterError::new);
            }
        };

        // Determined before the read, so that a change during the read is detected.
        let origin = match self.side {
            Side::Source => Origin::default(),
            Side::Target => {
                let version = ContentVersion::of(&file).map_err(unreadable)?;
                let origin = Origin::of::<M>(Some(&file), Some(version), lock);
                (&file).rewind().map_err(unreadable)?;
                origin.map_err(|what| AdapterError::new(format!("`{path}`, {what}")))?
            }
        };

        let ends_line = !formats::ends_in_lines(M::FILE.format) || ends_line(&file).map_err(unreadable)?;
        let (path, side, progress) = (&*self.path, self.side, &self.progress);
        let mut records = Records { table, path, side, progress, count: 0, ends_line, held: None };
        formats::read(file, &mut records)?;
        let count = records.count;
        table.mark_loaded();
        self.progress.send_replace(count);
        Ok(origin)
    }

    fn lock(&self) -> Result<Option<FileLock>, AdapterError> {
        let path = self.path.display();
        let locked = lock(&self.path);
        let locked = locked.map_err(|error| AdapterError::context(format!("cannot lock `{path}`"), error))?;
        remove_leftovers(&self.path);
        Ok(match locked {
            LockResult::Held(lock) => Some(lock),
            LockResult::Absent | LockResult::Unsupported => None,
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

//! Plan files: compressed or not, and replaced as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use diffsync_core::plan_file::{PlanFileError, PlanKind, SavedPlan};
use diffsync_core::temp_file::{remove_leftovers, temporary};
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

/// Opens a plan file to read it.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    let compressed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if compressed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// Refuses to overwrite a file that cannot be recreated: an approved plan, the undo plan of an earlier run, or anything that is
/// not a plan, such as the job's own source.
pub(crate) fn keep(path: &Path) -> Result<(), String> {
    let read = open(path).map_err(PlanFileError::from).and_then(|mut file| SavedPlan::read(&mut file));
    let what = match read {
        Ok(plan) => match (plan.approvals.first(), plan.header.kind) {
            (Some(approval), _) => format!("a plan approved by {approval}"),
            (None, PlanKind::Undo) => format!("the undo plan of a run by {}", plan.header.created),
            (None, PlanKind::Sync) => return Ok(()),
        },
        // Even a damaged undo plan may still show a person what was done.
        Err(_) if begins_like_an_undo(path) => "a damaged undo plan".to_owned(),
        Err(_) if begins_like_a_plan(path) || !has_content(path) => return Ok(()),
        Err(_) => "not a plan file".to_owned(),
    };
    Err(format!("`{}` is {what}; name another file, or remove it first", path.display()))
}

/// Whether this is a regular file that is not empty, unlike a device or a pipe.
fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// Whether the first line of a file is the header of a plan.
pub(crate) fn begins_like_a_plan(path: &Path) -> bool {
    header(path).is_some()
}

/// Whether the first line of a file is the header of an undo plan.
fn begins_like_an_undo(path: &Path) -> bool {
    header(path).is_some_and(|header| header["kind"] == "undo")
}

/// The first line of a file, if it looks like the header of a plan.
fn header(path: &Path) -> Option<serde_json::Value> {
    /// More than the length of any header.
    const LONGEST: u64 = 16 << 20;

    let mut line = Vec::new();
    open(path).and_then(|file| file.take(LONGEST).read_until(b'\n', &mut line)).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&line).ok()?;
    header.get("diffsync_plan").is_some().then_some(header)
}

/// Locks a plan file against every other process that would change it, until the lock is dropped.
///
/// A plan file is replaced by another file of the same name. So the name is looked up again once the lock is held: another
/// process may have replaced the file while this one waited.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    loop {
        let file = File::open(path)?;
        file.lock()?;
        if is_same(&file.metadata()?, &fs::metadata(path)?) {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.created().ok() == other.created().ok()
}

/// A plan file that is being written. Until it is finished, the old file stays as it is.
pub(crate) struct NewPlan {
    path: PathBuf,
    file: NamedTempFile,
    compressed: bool,
}

impl NewPlan {
    /// Creates a temporary file beside the plan file, so that a file that cannot be written is reported before anything is done.
    pub(crate) fn begin(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        if path.is_dir() {
            return Err(format!("`{shown}` is a folder; name a file for the plan"));
        }

        let compressed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        // A symbolic link is kept, and the file that it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        remove_leftovers(&path);
        // Reviewers must be able to read a plan file.
        let file =
            temporary(&path, true).map_err(|error| format!("the plan cannot be written to `{shown}`: {error}"))?;
        Ok(Self { path, file, compressed })
    }

    /// Writes the plan, and moves the file into place.
    pub(crate) fn write<E: From<io::Error>>(
        mut self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut out = BufWriter::new(self.file.as_file_mut());
        if self.compressed {
            let mut encoder = GzEncoder::new(&mut out, Compression::default());
            write(&mut encoder)?;
            encoder.finish()?;
        } else {
            write(&mut out)?;
        }
        out.flush()?;
        drop(out);

        self.put()?;
        Ok(())
    }

    /// Writes these bytes, already compressed if necessary, and moves the file into place.
    pub(crate) fn write_raw(mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.put()
    }

    fn put(self) -> io::Result<()> {
        if let Ok(former) = fs::metadata(&self.path) {
            self.file.as_file().set_permissions(former.permissions())?;
        }
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

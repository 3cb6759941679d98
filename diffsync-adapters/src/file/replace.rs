//! Replacing a file: whoever reads it sees the old contents or the new, never a part, whatever happens in between.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use diffsync_core::AdapterError;
use tempfile::NamedTempFile;

/// Which state of a file was read, so that one that was changed since is not overwritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    changed: Option<SystemTime>,
    #[cfg(unix)]
    number: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            changed: metadata.modified().ok(),
            #[cfg(unix)]
            number: std::os::unix::fs::MetadataExt::ino(metadata),
        }
    }
}

/// What a path leads to.
pub(super) enum Found {
    /// A file, opened.
    File(File, Stamp),
    /// Nothing.
    Absent,
}

/// Opens a file, and tells one that is not there from one that cannot be read.
pub(super) fn open(path: &Path) -> io::Result<Found> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "it is a link that leads nowhere"));
            }
            return Ok(Found::Absent);
        }
        Err(error) => return Err(error),
    };
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "something else" };
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")));
    }
    let file = File::open(path)?;
    let stamp = Stamp::of(&file.metadata()?);
    Ok(Found::File(file, stamp))
}

/// The new contents of a file, safe on the disk under another name.
pub(super) struct Replacement {
    file: NamedTempFile,
    path: PathBuf,
    shown: PathBuf,
}

impl Replacement {
    /// Writes the new contents beside the old.
    pub(super) fn write(
        path: &Path,
        is_secret: bool,
        contents: impl FnOnce(&mut BufWriter<&File>) -> Result<(), AdapterError>,
    ) -> Result<Self, AdapterError> {
        let failed = |error| AdapterError::context(format!("cannot write `{}`", path.display()), error);
        // A link stays a link: what it leads to is replaced.
        let (place, old) = match fs::canonicalize(path) {
            Ok(place) => (place.clone(), Some(fs::metadata(place).map_err(failed)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
            Err(error) => return Err(failed(error)),
        };
        let file = beside(&place, old.is_none() && !is_secret).map_err(failed)?;
        let mut writer = BufWriter::new(file.as_file());
        contents(&mut writer)?;
        writer.flush().map_err(failed)?;
        drop(writer);
        if let Some(old) = old {
            take_after(file.as_file(), &old).map_err(failed)?;
        }
        force(file.as_file()).map_err(failed)?;
        Ok(Self { file, path: place, shown: path.to_owned() })
    }

    /// Puts the new contents of each file in the place of the old. There is no going back, so an error says how far it
    /// went.
    pub(super) fn persist_all(files: Vec<Self>) -> Result<(), AdapterError> {
        let shown: Vec<_> = files.iter().map(|file| format!("`{}`", file.shown.display())).collect();
        let list = |files: &[String]| if files.is_empty() { "none".to_owned() } else { files.join(", ") };
        let failed = |what: String, replaced: usize, error: io::Error| {
            let (new, old) = shown.split_at_checked(replaced).unwrap_or_default();
            let state = format!("replaced: {}; not replaced: {}", list(new), list(old));
            AdapterError::context(format!("{what} ({state})"), error)
        };
        for (before, Self { file, path, shown }) in files.into_iter().enumerate() {
            let shown = shown.display();
            file.persist(&path).map_err(|error| failed(format!("cannot replace `{shown}`"), before, error.error))?;
            // The new name is durable only once the folder is.
            folder_of(&path).and_then(|folder| force(&File::open(folder)?)).map_err(|error| {
                failed(format!("cannot force the new name of `{shown}` to the disk"), before + 1, error)
            })?;
        }
        Ok(())
    }
}

/// Waits until what a file or a folder holds is on the disk.
fn force(file: &File) -> io::Result<()> {
    #[cfg(test)]
    tests::note(file)?;
    file.sync_all()
}

/// A temporary file in the same folder, since only within a file system a file can be renamed.
fn beside(path: &Path, for_all: bool) -> io::Result<NamedTempFile> {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    if for_all {
        // As any new file: what of this is granted, the user's mask says.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = for_all;
    builder.tempfile_in(folder_of(path)?)
}

/// Gives a new file the permissions of the old, and its owner where that is allowed.
fn take_after(file: &File, old: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            // Only root may give a file away; for anybody else it now belongs to who wrote it.
            drop(fchown(file, Some(old.uid()), Some(old.gid())));
        }
    }
    file.set_permissions(old.permissions())
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(folder) => Ok(folder),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "it lies in no folder")),
    }
}

/// Whether files can be made and replaced where this one lies.
pub(super) fn try_writing_beside(path: &Path) -> io::Result<()> {
    let place = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        place => place?,
    };
    beside(&place, false).map(drop)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::os::unix::fs::MetadataExt;

    use tempfile::TempDir;

    use super::*;

    thread_local! {
        /// What was forced to the disk.
        static FORCED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note(file: &File) -> io::Result<()> {
        let number = file.metadata()?.ino();
        FORCED.with_borrow_mut(|forced| forced.push(number));
        Ok(())
    }

    fn number(path: &Path) -> u64 {
        fs::metadata(path).unwrap().ino()
    }

    /// A file with old contents in this folder, and its replacement.
    fn replacement(folder: &TempDir, name: &str) -> (PathBuf, Replacement) {
        let path = folder.path().join(name);
        fs::write(&path, "old").unwrap();
        let new = Replacement::write(&path, false, |out| Ok(out.write_all(b"new")?)).unwrap();
        (path, new)
    }

    #[test]
    fn new_contents_are_on_the_disk_before_they_get_their_name_and_the_name_is_before_it_is_said() {
        let folder = TempDir::new().unwrap();
        FORCED.take();
        let (path, new) = replacement(&folder, "a.csv");
        let contents = number(new.file.path());
        assert_eq!(FORCED.take(), [contents]);
        Replacement::persist_all(vec![new]).unwrap();
        assert_eq!(number(&path), contents);
        assert_eq!(FORCED.take(), [number(folder.path())]);
    }

    #[test]
    fn if_a_file_cannot_be_replaced_the_error_names_those_that_were_and_those_that_were_not() {
        let folder = TempDir::new().unwrap();
        let files = ["a.csv", "b.csv", "c.csv"].map(|name| replacement(&folder, name));
        let [a, b, c] = files.each_ref().map(|(path, _)| path.clone());
        fs::remove_file(&b).unwrap();
        fs::create_dir(&b).unwrap();
        let error = Replacement::persist_all(files.into_iter().map(|(_, new)| new).collect()).unwrap_err().to_string();
        let [shown_a, shown_b, shown_c] = [&a, &b, &c].map(|path| format!("`{}`", path.display()));
        let expected = format!("cannot replace {shown_b} (replaced: {shown_a}; not replaced: {shown_b}, {shown_c}): ");
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!([a, c].map(|path| fs::read_to_string(path).unwrap()), ["new", "old"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left behind");
    }
}

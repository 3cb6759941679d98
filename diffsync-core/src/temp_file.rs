//! Temporary files beside the files that they will replace, and the removal of those that killed runs left: for adapters
//! that write files.
//!
//! A temporary file is locked as long as its run lives. So one whose lock can be had is a leftover, however young it is.
//!
//! ```
//! use std::fs;
//! use std::io::{self, Write};
//! use std::path::Path;
//!
//! use diffsync_core::temp_file::{remove_leftovers, temporary};
//!
//! /// Replaces a file atomically: a reader sees the old contents or the new, never a part of them.
//! fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
//!     remove_leftovers(path);
//!     // A symbolic link is kept: the file that it points to is replaced.
//!     let path = fs::canonicalize(path)?;
//!     let mut file = temporary(&path, false)?;
//!     file.write_all(contents)?;
//!     file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
//!     file.as_file().sync_all()?;
//!     file.persist(&path)?;
//!     Ok(())
//! }
//! ```

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;
use tracing::info;

const SUFFIX: &str = ".tmp";

/// The prefix of the names of a file's temporary files.
fn prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".diffsync-");
    prefix
}

/// A temporary file in the folder of a file, since only within a file system a file can be renamed. Only its owner can read it,
/// unless it is `for_all`, as far as the umask allows.
///
/// # Errors
///
/// If it cannot be created.
pub fn temporary(path: &Path, for_all: bool) -> io::Result<NamedTempFile> {
    let prefix = prefix(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);

    #[cfg(unix)]
    if for_all {
        // Create with 0o666; the umask narrows it, as for any new file.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }

    #[cfg(not(unix))]
    let _ = for_all;

    loop {
        let file = builder.tempfile_in(folder_of(path)?)?;
        // Another run may have taken it for a leftover before it was locked.
        let is_ours = match file.as_file().try_lock() {
            Ok(()) => is_at(file.as_file(), file.path()),
            Err(TryLockError::WouldBlock) => false,
            // Without locks, no file is considered a leftover.
            Err(TryLockError::Error(_)) => true,
        };

        if is_ours {
            return Ok(file);
        }
    }
}

/// The folder that a file is in.
///
/// # Errors
///
/// If the path names no file.
pub fn folder_of(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(folder) => Ok(folder),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "it lies in no folder")),
    }
}

/// Removes the temporary files that killed runs have left of this file. Those of other files, and of runs that go on, stay.
pub fn remove_leftovers(path: &Path) {
    // A link's temporary files are where it leads.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let prefix = prefix(&path);
    let is_temporary = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(SUFFIX.as_bytes())
    };
    let Ok(entries) = folder_of(&path).and_then(fs::read_dir) else { return };

    for entry in entries.flatten() {
        if !is_temporary(&entry.file_name()) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let leftover = entry.path();
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&leftover) else { continue };
        if file.try_lock().is_ok() && is_at(&file, &leftover) && fs::remove_file(&leftover).is_ok() {
            info!("removed `{}`, which a run that was killed had left", leftover.display());
        }
    }
}

/// Whether the path leads to this file.
fn is_at(file: &File, path: &Path) -> bool {
    let both = file.metadata().and_then(|file| Ok((file, fs::metadata(path)?)));
    both.is_ok_and(|(one, other)| is_same(&one, &other))
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    // Files have no identity here.
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_killed_run_left_is_removed() {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, other) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
        let leftover = |path: &Path| {
            // Closed without being removed, as by a kill.
            temporary(path, false).unwrap().keep().unwrap().1
        };
        let (live, dead, of_other) = (temporary(&path, false).unwrap(), leftover(&path), leftover(&other));
        let by_hand =
            [".a.csv.backup.tmp", ".a.csv.diffsync-x", "a.csv.diffsync-x.tmp"].map(|name| folder.path().join(name));
        for path in &by_hand {
            fs::write(path, "").unwrap();
        }

        remove_leftovers(&path);
        assert!(!dead.exists());
        assert!(live.path().exists() && of_other.exists());
        assert!(by_hand.iter().all(|path| path.exists()));
    }
}

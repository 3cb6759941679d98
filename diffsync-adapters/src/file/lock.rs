//! One run at a time on a file.
//!
//! The lock is an advisory one on the data file itself, so there is no separate lock file, and a killed run loses it. A file
//! is replaced by renaming another one over it: a run that gets the lock of a file that is no longer at its path is too late,
//! and tries the new file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use tracing::warn;

use super::version::{FileVersion, Opened, open};

/// A file that no other run writes while this is held.
#[derive(Debug)]
pub(crate) struct FileLock {
    #[allow(dead_code, reason = "closing it releases the lock")]
    file: File,
}

/// The result of an attempt to lock a file.
pub(crate) enum LockResult {
    /// This run holds the lock.
    Held(FileLock),
    /// There is no file to be locked.
    Absent,
    /// The file system has no locks.
    Unsupported,
}

/// Locks the file that is at this path.
///
/// # Errors
///
/// If another run holds it, or it cannot be opened.
pub(crate) fn lock(path: &Path) -> io::Result<LockResult> {
    // On other systems a lock also prevents others from reading the file, and from renaming another one over it.
    if !cfg!(unix) {
        return Ok(LockResult::Unsupported);
    }

    loop {
        let Opened::File(file) = open(path)? else { return Ok(LockResult::Absent) };
        let file = match try_lock(path, file)? {
            Ok(file) => file,
            Err(error) => {
                let path = path.display();
                warn!("`{path}` cannot be locked ({error}); make sure that no two runs write it at the same time");
                return Ok(LockResult::Unsupported);
            }
        };

        // Another run may have replaced the file since it was opened.
        let is_current = match std::fs::metadata(path) {
            Ok(metadata) => FileVersion::of(&metadata).is_same_file(&FileVersion::of(&file.metadata()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };

        if is_current {
            return Ok(LockResult::Held(FileLock { file }));
        }
    }
}

/// The file with its lock, or why there are no locks.
fn try_lock(path: &Path, file: File) -> io::Result<Result<File, io::Error>> {
    match file.try_lock() {
        Ok(()) => return Ok(Ok(file)),
        Err(TryLockError::WouldBlock) => return Err(held(&file)),
        Err(TryLockError::Error(_)) => {}
    }

    // NFS locks only what is open for writing.
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Ok(file)),
        Err(TryLockError::WouldBlock) => Err(held(&file)),
        Err(TryLockError::Error(error)) => Ok(Err(error)),
    }
}

fn held(file: &File) -> io::Error {
    let holder = holder(file).map(|holder| format!(" ({holder})")).unwrap_or_default();
    let what = format!("another run is writing it{holder}; run again when that has ended");
    io::Error::new(io::ErrorKind::WouldBlock, what)
}

/// The process that has locked the file, where the system tells.
#[cfg(target_os = "linux")]
fn holder(file: &File) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().ok()?;

    // Not that of two devices of one number: the kernel's form of both.
    let (major, minor) =
        ((metadata.dev() >> 8) & 0xfff, (metadata.dev() & 0xff) | ((metadata.dev() >> 12) & 0xfff_ff00));
    let place = format!("{major:02x}:{minor:02x}:{}", metadata.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;

    // 1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF
    let process = locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        (words.contains(&"FLOCK") && words.get(5) == Some(&&*place)).then(|| words.get(4).copied())?
    })?;
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    Some(match name.trim() {
        "" => format!("process {process}"),
        name => format!("process {process}, `{name}`"),
    })
}

#[cfg(not(target_os = "linux"))]
fn holder(_: &File) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_that_of_the_file_that_is_at_the_path_now() {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        assert!(matches!(lock(&path).unwrap(), LockResult::Absent));
        std::fs::write(&path, "old").unwrap();
        let LockResult::Held(old) = lock(&path).unwrap() else { panic!("not locked") };
        let error = lock(&path).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");

        std::fs::write(&other, "new").unwrap();
        std::fs::rename(&other, &path).unwrap();
        let LockResult::Held(new) = lock(&path).unwrap() else { panic!("not locked") };
        drop(old);
        assert!(lock(&path).is_err());
        drop(new);
        assert!(lock(&path).is_ok());
    }
}

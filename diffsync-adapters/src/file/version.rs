//! Which version of a file was loaded, so that one that was changed since is not overwritten.

use std::fs::{self, File, Metadata};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use foldhash::quality::FixedState;

/// The identity, the length and the time of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileVersion {
    length: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    identity: (u64, u64),
}

impl FileVersion {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            identity: {
                use std::os::unix::fs::MetadataExt;
                (metadata.dev(), metadata.ino())
            },
        }
    }

    /// Whether both are of one file, even if its contents differ.
    #[cfg(unix)]
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    #[cfg(not(unix))]
    #[allow(clippy::unused_self, reason = "files have no identity here")]
    pub(crate) fn is_same_file(&self, _: &Self) -> bool {
        true
    }
}

/// The version of a file that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentVersion {
    pub(crate) file_version: FileVersion,
    /// The hash of its contents. Without it, two versions of one length that were written within one tick of the file
    /// system's clock would pass for the same.
    digest: u64,
}

impl ContentVersion {
    /// Reads the file to its end.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let file_version = FileVersion::of(&file.metadata()?);
        Ok(Self { file_version, digest: digest(file)? })
    }

    /// Whether the path still leads to this version.
    pub(crate) fn is_at(&self, path: &Path) -> io::Result<bool> {
        if !self.seems_at(path)? {
            return Ok(false);
        }
        Ok(Self::of(&File::open(path)?)? == *self && self.seems_at(path)?)
    }

    /// Whether the path still leads to this version, judged by the file's identity, length and time.
    pub(crate) fn seems_at(&self, path: &Path) -> io::Result<bool> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(FileVersion::of(&metadata) == self.file_version),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A hash of all that a file holds, from where it is read next.
fn digest(mut file: &File) -> io::Result<u64> {
    const PIECE: u64 = 1 << 16;
    let mut hasher = FixedState::default().build_hasher();
    let mut piece = Vec::new();

    // Full pieces only, since the hash depends on where they end.
    while file.by_ref().take(PIECE).read_to_end(&mut piece)? > 0 {
        hasher.write(&piece);
        piece.clear();
    }

    Ok(hasher.finish())
}

/// The file at a path.
pub(crate) enum Opened {
    /// A file, opened.
    File(File),
    /// Nothing.
    Absent,
}

/// Opens a file, and tells one that is not there from one that cannot be read.
pub(crate) fn open(path: &Path) -> io::Result<Opened> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "it is a broken link"));
            }
            return Ok(Opened::Absent);
        }
        Err(error) => return Err(error),
    };

    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "something else" };
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")));
    }

    Ok(Opened::File(File::open(path)?))
}

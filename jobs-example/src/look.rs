//! A look at a file before anything is read from it.

use std::fs::{File, OpenOptions};
use std::path::Path;

use diffsync::adapter::Checkup;
use diffsync::data::Side;

/// Whether a file is there and can be read, and on the target's side be written.
pub(crate) fn at_file(path: &Path, checkup: &mut Checkup) {
    let shown = path.display();
    let opened = match checkup.side() {
        Side::Source => File::open(path),
        // Opened so, it stays as it is.
        Side::Target => OpenOptions::new().append(true).open(path),
    };
    match opened.and_then(|file| file.metadata()) {
        Ok(file) if file.is_file() => checkup.passed("file", format!("`{shown}`, {} bytes", file.len())),
        Ok(_) => checkup.failed("file", format!("`{shown}` is no file")),
        Err(error) => checkup.failed("file", format!("cannot open `{shown}`: {error}")),
    }
}

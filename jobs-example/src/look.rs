//! The health check of a file.

use std::fs::{File, OpenOptions};
use std::path::Path;

use diffsync::adapter::HealthCheck;
use diffsync::data::Side;

/// Checks that a file exists and can be read and, on the target's side, written.
pub(crate) fn at_file(path: &Path, health: &mut HealthCheck) {
    let shown = path.display();
    let opened = match health.side() {
        Side::Source => File::open(path),
        // Appending is the one way of opening a file for writing that does not change it.
        Side::Target => OpenOptions::new().append(true).open(path),
    };

    match opened.and_then(|file| file.metadata()) {
        Ok(file) if file.is_file() => health.passed("file", format!("`{shown}`, {} bytes", file.len())),
        Ok(_) => health.failed("file", format!("`{shown}` is not a file")),
        Err(error) => health.failed("file", format!("cannot open `{shown}`: {error}")),
    }
}

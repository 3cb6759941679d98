//! The program's own side: it describes its jobs to a host, and runs one for it.

use std::ffi::OsString;

use diffsync_core::JobRegistry;

use crate::exit::Exit;
use crate::terminal;

/// Answers `PROGRAM protocol describe` and `PROGRAM protocol run`.
pub(crate) fn serve(registry: &JobRegistry, arguments: &[OsString], version: &'static str) -> Exit {
    let _ = (registry, arguments, version);
    terminal::fail("unfinished")
}

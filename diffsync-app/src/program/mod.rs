//! Jobs that are not linked in: programs in a folder, which are run as child processes.
//!
//! `protocol` holds what both sides say to each other. The host's side: `folder` asks the programs for their jobs, `job` is one of
//! them, `process` a running program, `session` a run, and `report` what it did. `serve` is the program's side. `manage`, `add` and
//! `new` are the commands that fill the folder.

mod add;
mod events;
mod folder;
mod job;
mod manage;
mod names;
mod new;
mod process;
mod protocol;
mod report;
mod run;
mod secrets;
mod serve;
mod session;

pub(crate) use self::folder::Programs;
pub(crate) use self::job::ProgramJob;
pub(crate) use self::manage::{command, manage};
pub(crate) use self::protocol::COMMAND;
pub(crate) use self::run::run;
pub(crate) use self::serve::serve;

use crate::terminal::one_line;

/// The environment variable that names the jobs folder.
pub(crate) const JOBS_ROOT: &str = "DIFFSYNC_JOBS_ROOT";

/// How many lines of a failed program's standard error are shown.
const LINES: usize = 20;

/// How many letters of a line that is not understood are shown.
const LETTERS: usize = 120;

/// The start of a text that was not understood.
fn start(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    let start: String = text.chars().take(LETTERS).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

/// The last lines of a program's standard error, each indented.
fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).map(one_line).collect();
    let shown = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n  ");
    if shown.is_empty() { "; it printed nothing to standard error".to_owned() } else { format!(":\n  {shown}") }
}

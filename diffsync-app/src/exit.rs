//! The exit codes, which scripts rely on.

use std::process::ExitCode;

use diffsync_core::report::Status;
use diffsync_history::HistoryError;

use crate::advice;

/// The result of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done,
    /// Something failed, or the command line was wrong.
    Failed,
    /// There are changes, and `--detailed-exitcode` was given.
    Changes,
    /// A part was done.
    Partial,
    /// The run was not allowed to write.
    Refused,
    /// The run was cancelled.
    Cancelled,
}

/// Why a command did nothing, and the exit code.
pub(crate) struct NotRun(pub(crate) Exit, pub(crate) String);

impl From<String> for NotRun {
    fn from(error: String) -> Self {
        Self(Exit::Failed, error)
    }
}

impl From<HistoryError> for NotRun {
    fn from(error: HistoryError) -> Self {
        advice::on_history(&error).into()
    }
}

impl From<&str> for NotRun {
    fn from(error: &str) -> Self {
        error.to_owned().into()
    }
}

impl Exit {
    /// The result of a run, which may be that there are changes.
    pub(crate) fn of(status: Status, tells_changes: bool) -> Self {
        match status {
            Status::Completed if tells_changes => Self::Changes,
            Status::Completed => Self::Done,
            Status::Partial => Self::Partial,
            Status::Refused => Self::Refused,
            Status::Cancelled => Self::Cancelled,
            _ => Self::Failed,
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Partial => 3,
            Self::Refused => 4,
            // The code that a shell reports for a program ended by Ctrl-C.
            Self::Cancelled => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

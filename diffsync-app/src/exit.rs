//! The exit codes, on which scripts rely.

use std::process::ExitCode;

use diffsync_core::Status;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done,
    /// Something failed, or the program was called wrongly.
    Failed,
    /// Some of it was done.
    Partial,
    /// The run was not allowed to write.
    Refused,
}

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Completed => Self::Done,
            Status::Partial => Self::Partial,
            Status::Refused => Self::Refused,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Partial => 3,
            Exit::Refused => 4,
        })
    }
}

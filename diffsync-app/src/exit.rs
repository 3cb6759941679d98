//! The exit codes, on which scripts rely.

use std::process::ExitCode;

use diffsync_core::report::{RunReport, Status};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done,
    /// Something failed, or the program was called wrongly.
    Failed,
    /// There are changes, and whoever called asked to be told by the exit code.
    Changes,
    /// Some of it was done.
    Partial,
    /// The run was not allowed to write.
    Refused,
    /// The run was asked to end before its time.
    Cancelled,
}

impl Exit {
    /// How a run ended. Changes are told of only if they are asked for.
    pub(crate) fn of(report: &RunReport, detailed: bool) -> Self {
        let changes = || report.plan().is_some_and(|plan| !plan.diff().is_empty());
        match report.status {
            Status::Completed if detailed && changes() => Self::Changes,
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
            // What a shell says of a program that Ctrl-C has ended.
            Self::Cancelled => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

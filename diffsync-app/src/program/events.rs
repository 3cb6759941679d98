//! `--output jsonl` for a run of another program: its events, with the host's beginning and end.

use std::io::{self, Write};

use jiff::Timestamp;

use super::report::ProgramReport;
use crate::events::{STREAM, StreamEvent};
use crate::exit::Exit;
use crate::terminal;

/// Prints the events of a run.
pub(super) struct Events {
    out: Box<dyn Write + Send>,
    written: io::Result<()>,
}

impl Events {
    /// Begins the stream. The host knows the profile and the sync.
    pub(super) fn begin(report: &ProgramReport) -> Self {
        let mut events = Self { out: Box::new(terminal::output()), written: Ok(()) };
        events.write(&StreamEvent::RunStarted {
            stream: STREAM,
            job: report.job.id.to_owned(),
            dry_run: report.dry_run,
            at: Timestamp::now(),
            profile: report.profile.clone(),
            sync: report.sync,
        });
        events
    }

    /// Prints an event of the program, unless the host tells it, or it is between the two.
    pub(super) fn pass_on(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::RunStarted { .. }
            | StreamEvent::RunFinished { .. }
            | StreamEvent::LockTarget { .. }
            | StreamEvent::Unknown => {}
            event => self.write(event),
        }
    }

    /// Ends the stream.
    pub(super) fn finish(mut self, report: &ProgramReport) -> Exit {
        self.write(&StreamEvent::RunFinished {
            status: report.status,
            error: report.error.clone(),
            counts: report.counts,
            retries: report.retries,
        });
        terminal::printed(self.written.and_then(|()| self.out.flush()))
    }

    /// What cannot be written does not end the run, as for a linked job.
    fn write(&mut self, event: &StreamEvent) {
        if self.written.is_ok() {
            self.written = terminal::write_line(&mut *self.out, event);
        }
    }
}

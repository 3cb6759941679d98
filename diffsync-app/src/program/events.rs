//! `--output jsonl` for a run of another program: its events, with the host's beginning and end.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use tokio::sync::watch;

use super::report::ProgramReport;
use crate::events::{STREAM, StreamEvent};
use crate::exit::Exit;
use crate::terminal;

/// How many bytes of events wait before the program is read no further.
const MOST_WAITING: usize = 16 << 20;

/// Prints the events of a run, on a thread of its own: a reader that is stuck must not keep the host from ending the program.
pub(super) struct Events {
    lines: Sender<Vec<u8>>,
    /// How many bytes are not printed yet.
    waiting: Arc<watch::Sender<usize>>,
    thread: JoinHandle<io::Result<()>>,
}

impl Events {
    /// Begins the stream. The host knows the profile and the sync.
    pub(super) fn begin(report: &ProgramReport) -> io::Result<Self> {
        let events = Self::start(terminal::output())?;
        events.write(&StreamEvent::RunStarted {
            stream: STREAM,
            job: report.job.id.to_owned(),
            dry_run: report.dry_run,
            at: Timestamp::now(),
            profile: report.profile.clone(),
            sync: report.sync,
        });
        Ok(events)
    }

    fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, to_print) = channel();
        let waiting = Arc::new(watch::Sender::new(0));
        let printed = Arc::clone(&waiting);
        let thread = thread::Builder::new().name("events".into()).spawn(move || print(&to_print, &printed, out))?;
        Ok(Self { lines, waiting, thread })
    }

    /// Prints an event of the program, unless the host tells it, or it is between the two. It never waits.
    pub(super) fn pass_on(&self, event: &StreamEvent) {
        match event {
            StreamEvent::RunStarted { .. }
            | StreamEvent::RunFinished { .. }
            | StreamEvent::LockTarget { .. }
            | StreamEvent::Unknown => {}
            event => self.write(event),
        }
    }

    /// Waits until few events wait to be printed.
    pub(super) async fn room(&self) {
        // The sender is in this value, so the wait can only succeed.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting < MOST_WAITING).await;
    }

    /// Ends the stream, and waits until it is printed.
    pub(super) fn finish(self, report: &ProgramReport) -> Exit {
        self.write(&StreamEvent::RunFinished {
            status: report.status,
            error: report.error.clone(),
            counts: report.counts,
            retries: report.retries,
        });
        drop(self.lines);
        let printed = self.thread.join();
        terminal::printed(
            printed.unwrap_or_else(|_| Err(io::Error::other("the thread that prints the events panicked"))),
        )
    }

    fn write(&self, event: &StreamEvent) {
        let mut line = Vec::new();
        // Writing to memory does not fail, and neither does an event.
        if terminal::write_line(&mut line, event).is_ok() {
            self.waiting.send_modify(|waiting| *waiting += line.len());
            // A thread that has panicked is reported at the end.
            let _ = self.lines.send(line);
        }
    }
}

/// Prints lines until there are no more. What cannot be printed does not end the run, as for a linked job.
fn print(lines: &Receiver<Vec<u8>>, waiting: &watch::Sender<usize>, mut out: impl Write) -> io::Result<()> {
    let mut printed = Ok(());
    for line in lines {
        if printed.is_ok() {
            printed = out.write_all(&line).and_then(|()| out.flush());
        }
        waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(line.len()));
    }
    printed
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use diffsync_history::{LogLevel, LogLine};

    use super::*;
    use crate::runtime::runtime;

    /// An output whose reader is stuck until the sender is dropped.
    struct Standing(Receiver<()>);

    impl Write for Standing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn events_that_cannot_be_printed_yet_are_not_waited_for_but_leave_no_room() {
        let (go, standing) = channel();
        let events = Events::start(Standing(standing)).unwrap();
        let runtime = runtime().unwrap();
        let has_room = |wait| runtime.block_on(async { tokio::time::timeout(wait, events.room()).await.is_ok() });
        assert!(has_room(Duration::from_mins(1)));

        let (at, target, message) = (Timestamp::UNIX_EPOCH, "test".to_owned(), "x".repeat(MOST_WAITING));
        let line = LogLine { at, level: LogLevel::Info, target, step: None, message, fields: None };
        events.pass_on(&line.into());
        assert!(!has_room(Duration::from_millis(50)));
        drop(go);
        assert!(has_room(Duration::from_mins(1)));
    }
}

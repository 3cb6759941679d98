//! The observer that writes the stream of a run.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use diffsync_core::data::Problem;
use diffsync_core::report::{Event, Observer, RunReport, Step, StepReport};
use diffsync_core::run::{CancellationToken, LockFuture, TargetLock};
use diffsync_history::{LogLevel, LogLine, SyncId};
use jiff::Timestamp;

use super::event::{STREAM, StreamEvent};
use super::message::Message;
use super::writer::Writer;

/// How many events wait at most. A run that is faster than the reader of its stream waits once there are as many.
const CAPACITY: usize = 8_192;

/// The least time between two events about the progress of one step.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Writes the events of one run, on a thread of its own.
///
/// What cannot be written (a full disk, a closed pipe) does not end the run: the rest is dropped, and
/// [`finish`](Self::finish) returns the error.
pub(crate) struct EventStream {
    profile: Option<String>,
    sync: Option<SyncId>,
    state: Mutex<State>,
    /// What names the target, once the run has locked it.
    resource: Arc<Mutex<Option<String>>>,
    sender: SyncSender<Message>,
    thread: Mutex<Option<JoinHandle<io::Result<()>>>>,
    lost: CancellationToken,
    /// Wakes the thread.
    writer: thread::Thread,
}

#[derive(Default)]
struct State {
    /// The step that began last, to which log lines are counted.
    step: Option<Step>,
    progress: HashMap<Step, StepProgress>,
    /// How many of the report's problems were written with the diff.
    problems: usize,
    /// How many log lines found the queue full.
    dropped_lines: u64,
    /// Lines that were logged before the run began, whose event is the first.
    early_lines: Vec<LogLine>,
    has_begun: bool,
    has_ended: bool,
}

/// How far a step has come.
struct StepProgress {
    written_at: Instant,
    /// What is not written yet.
    waiting: Option<(u64, Option<u64>)>,
}

impl EventStream {
    /// Starts to write the stream of a run with this profile, which is recorded as this sync.
    pub(crate) fn start(
        out: impl Write + Send + 'static,
        profile: Option<&str>,
        sync: Option<SyncId>,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(CAPACITY);
        let lost = CancellationToken::new();
        let writer = Writer::new(out, lost.clone());
        let thread = thread::Builder::new().name("events".into()).spawn(move || writer.run(&receiver))?;
        Ok(Self {
            profile: profile.map(str::to_owned),
            sync,
            state: Mutex::default(),
            resource: Arc::default(),
            sender,
            writer: thread.thread().clone(),
            thread: Mutex::new(Some(thread)),
            lost,
        })
    }

    /// The lock of the run's target, which also tells the stream what names the target. Put it into the
    /// [`RunOptions`](diffsync_core::run::RunOptions::lock) of the run, in place of the lock that they have.
    pub(crate) fn target_lock(&self, lock: Option<Arc<dyn TargetLock>>) -> Arc<dyn TargetLock> {
        Arc::new(WatchedLock { resource: Arc::clone(&self.resource), lock })
    }

    /// Writes a line that the program logged. It never waits: a line is dropped, and counted, if the queue is full.
    pub(crate) fn line(&self, mut line: LogLine) {
        let mut state = self.state();
        if state.has_ended {
            return;
        }
        if !state.has_begun {
            state.early_lines.push(line);
            return;
        }
        line.step = line.step.or(state.step);
        // The thread that writes may log as well, and must not wait for itself.
        if self.sender.try_send(Message::Event(Box::new(line.into()))).is_err() {
            state.dropped_lines += 1;
        }
    }

    /// Asks the host of the program whether the run may load its target.
    pub(crate) fn lock_target(&self, resource: Option<&str>) {
        self.event(StreamEvent::LockTarget { resource: resource.map(str::to_owned) });
        self.writer.unpark();
    }

    /// Cancelled once something could not be written, after which nothing is.
    pub(crate) fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    ///
    /// The first thing that could not be written.
    pub(crate) fn finish(&self) -> io::Result<()> {
        self.send(Message::End);
        self.writer.unpark();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let written = thread.map_or(Ok(Ok(())), JoinHandle::join);
        written.unwrap_or_else(|_| Err(io::Error::other("the thread that writes them panicked")))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is valid even after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, event: StreamEvent) {
        self.send(Message::Event(Box::new(event)));
    }

    /// Sends a message, and waits for room. A thread that has ended is reported by `finish`.
    fn send(&self, message: Message) {
        if let Err(TrySendError::Full(message)) = self.sender.try_send(message) {
            self.writer.unpark();
            let _ = self.sender.send(message);
        }
    }

    fn run_started(&self, job: &str, dry_run: bool) {
        let at = Timestamp::now();
        let (profile, sync) = (self.profile.clone(), self.sync);
        self.event(StreamEvent::RunStarted { stream: STREAM, job: job.to_owned(), dry_run, at, profile, sync });

        let early_lines = {
            let mut state = self.state();
            state.has_begun = true;
            mem::take(&mut state.early_lines)
        };
        for line in early_lines {
            self.event(line.into());
        }
        self.writer.unpark();
    }

    fn progress(&self, step: Step, done: u64, total: Option<u64>) {
        let now = Instant::now();
        {
            let mut state = self.state();
            if let Some(progress) = state.progress.get_mut(&step)
                && now.duration_since(progress.written_at) < PROGRESS_INTERVAL
            {
                progress.waiting = Some((done, total));
                return;
            }
            state.progress.insert(step, StepProgress { written_at: now, waiting: None });
        }
        self.event(StreamEvent::Progress { step, done, total });
    }

    fn step_finished(&self, report: &StepReport) {
        let StepReport { step, duration, memory } = *report;
        let last = self.state().progress.remove(&step).and_then(|progress| progress.waiting);
        if let Some((done, total)) = last {
            self.event(StreamEvent::Progress { step, done, total });
        }
        self.event(StreamEvent::StepFinished { step, seconds: duration.as_secs_f64(), memory });
        self.writer.unpark();
    }

    fn problem(&self, problem: &Problem) {
        self.event(StreamEvent::Problem {
            side: problem.side,
            model: problem.model.to_owned(),
            record: problem.record.clone(),
            text: problem.to_string(),
            rejects: problem.rejects(),
        });
    }

    fn run_finished(&self, report: &RunReport) {
        let written = self.state().problems;
        report.problems().iter().skip(written).for_each(|problem| self.problem(problem));

        let dropped = {
            let mut state = self.state();
            state.has_ended = true;
            state.dropped_lines
        };
        if dropped > 0 {
            let message = format!("{dropped} log lines were left out, since the reader of the stream is too slow");
            let (at, target) = (Timestamp::now(), module_path!().to_owned());
            self.event(LogLine { at, level: LogLevel::Warn, target, step: None, message, fields: None }.into());
        }

        self.event(StreamEvent::RunFinished {
            status: report.status,
            error: report.error_text(),
            counts: report.counts,
            retries: report.retries,
        });
        self.writer.unpark();
    }
}

impl Observer for EventStream {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::RunStarted { job, dry_run } => self.run_started(job, *dry_run),
            Event::StepStarted(step) => {
                self.state().step = Some(*step);
                self.event(StreamEvent::StepStarted { step: *step });
                self.writer.unpark();
            }
            Event::Progress { step, done, total } => self.progress(*step, *done, *total),
            Event::Retry { step, attempt, pause, error } => self.event(StreamEvent::Retry {
                step: *step,
                attempt: *attempt as u64,
                pause_seconds: pause.as_secs_f64(),
                error: (*error).to_owned(),
            }),
            Event::StepFinished(report) => self.step_finished(report),
            Event::DiffReady(plan) => {
                self.state().problems = plan.problems().len();
                plan.problems().iter().for_each(|problem| self.problem(problem));
                let resource = self.resource.lock().unwrap_or_else(PoisonError::into_inner).clone();
                self.send(Message::Plan { plan: Arc::clone(plan), resource });
                self.writer.unpark();
            }
            Event::RecordDone { record, operation, outcome, url } => self.send(Message::Done {
                at: Timestamp::now(),
                record: *record,
                operation: *operation,
                outcome: (*outcome).clone(),
                url: url.look_up(),
            }),
            Event::RecordUnchanged(record) => {
                self.send(Message::Unchanged { at: Timestamp::now(), record: *record });
            }
            Event::RunFinished(report) => self.run_finished(report),
            _ => {}
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("sync", &self.sync).finish_non_exhaustive()
    }
}

/// Notes what names the target of a run before it is locked.
#[derive(Debug)]
struct WatchedLock {
    resource: Arc<Mutex<Option<String>>>,
    lock: Option<Arc<dyn TargetLock>>,
}

impl TargetLock for WatchedLock {
    fn lock<'a>(&'a self, resource: Option<&'a str>) -> LockFuture<'a> {
        *self.resource.lock().unwrap_or_else(PoisonError::into_inner) = resource.map(str::to_owned);
        match &self.lock {
            Some(lock) => lock.lock(resource),
            None => Box::pin(async { Ok(()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use diffsync_core::job::{JobEntry, VariableValues};
    use diffsync_core::run::RunOptions;

    use super::*;
    use crate::example::{NowhereToNowhere, Panicking};

    /// An output that others can look at.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn events(&self) -> Vec<StreamEvent> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(|line| StreamEvent::read(line).unwrap()).collect()
        }
    }

    /// An output that waits for a permission to write, or fails.
    struct Slow(mpsc::Receiver<io::Result<()>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().unwrap_or(Ok(()))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn progress(done: u64) -> Event<'static> {
        Event::Progress { step: Step::LoadSource, done, total: None }
    }

    fn finished(duration: Duration) -> StepReport {
        StepReport { step: Step::LoadSource, duration, memory: None }
    }

    #[test]
    fn progress_is_paced_and_its_last_state_is_written() {
        let out = Shared::default();
        let stream = EventStream::start(out.clone(), None, None).unwrap();
        stream.observe(&Event::StepStarted(Step::LoadSource));
        (1..=1_000).for_each(|done| stream.observe(&progress(done)));
        stream.observe(&Event::StepFinished(&finished(Duration::from_millis(1_500))));
        stream.finish().unwrap();

        let events = out.events();
        let done: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                StreamEvent::Progress { done, .. } => Some(*done),
                _ => None,
            })
            .collect();
        assert_eq!((done.first(), done.last()), (Some(&1), Some(&1_000)));
        assert!(done.len() < 20, "{done:?}");
        assert!(matches!(events.last(), Some(StreamEvent::StepFinished { seconds: 1.5, .. })), "{events:?}");
    }

    #[test]
    fn an_output_that_fails_is_reported_once_and_nothing_waits_for_it() {
        let (allow, allowed) = mpsc::channel();
        allow.send(Err(io::Error::from(io::ErrorKind::StorageFull))).unwrap();
        let stream = EventStream::start(Slow(allowed), None, None).unwrap();
        for step in Step::ALL.into_iter().cycle().take(10 * CAPACITY) {
            stream.observe(&Event::StepStarted(step));
        }
        assert_eq!(stream.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_panic_is_reported_as_an_error_and_nothing_waits_for_what_is_lost() {
        let stream = EventStream::start(Panicking, None, None).unwrap();
        for step in Step::ALL.into_iter().cycle().take(2 * CAPACITY) {
            stream.observe(&Event::StepStarted(step));
        }
        assert!(stream.finish().unwrap_err().to_string().contains("its own code panicked"));
        assert!(stream.lost().is_cancelled());
    }

    #[test]
    fn a_line_is_dropped_and_counted_where_an_event_waits() {
        let (allow, allowed) = mpsc::channel();
        let stream = EventStream::start(Slow(allowed), None, None).unwrap();
        let line = |number: usize| LogLine {
            at: Timestamp::UNIX_EPOCH,
            level: LogLevel::Info,
            target: "test".into(),
            step: None,
            message: number.to_string(),
            fields: None,
        };
        stream.observe(&Event::RunStarted { job: "x", dry_run: true });
        (0..3 * CAPACITY).for_each(|number| stream.line(line(number)));
        assert!(stream.state().dropped_lines > 0);
        drop(allow);
        stream.finish().unwrap();
    }

    #[test]
    fn a_run_begins_and_ends_its_stream() {
        let out = Shared::default();
        let stream = Arc::new(EventStream::start(out.clone(), Some("emea"), None).unwrap());
        let job = JobEntry::new::<NowhereToNowhere>();
        let prepared = job.prepare(&VariableValues::new().with("floor", "1")).unwrap();
        let runtime = crate::runtime::runtime().unwrap();
        let mut options = RunOptions::new(job.info()).apply();
        options.lock = Some(stream.target_lock(None));
        runtime.block_on(prepared.run(options, vec![stream.clone()]));
        stream.finish().unwrap();

        let events = out.events();
        let is_first = |event: &StreamEvent| matches!(event, StreamEvent::RunStarted { profile: Some(name), .. } if name == "emea");
        assert!(events.first().is_some_and(is_first), "{events:?}");
        assert!(events.iter().any(|event| matches!(event, StreamEvent::DiffReady { .. })), "{events:?}");
        assert!(matches!(events.last(), Some(StreamEvent::RunFinished { error: None, .. })), "{events:?}");
    }
}

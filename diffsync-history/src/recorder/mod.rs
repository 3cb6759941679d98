//! Recording a run.

mod abort;
mod batch;
mod end;
mod message;
mod policy;
mod queue;
mod target;
mod writer;

pub use self::end::SyncEnd;
pub use self::policy::HistoryPolicy;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use diffsync_core::report::{Event, Observer, Step};
use diffsync_core::run::{AbortReason, CancellationToken, TargetLock};
use jiff::Timestamp;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use self::abort::Abort;
use self::end::EndRow;
use self::message::Message;
use self::queue::{Sender, queue};
use self::target::TargetLease;
use self::writer::Writer;
use crate::change::NewChange;
use crate::entry::NewEntry;
use crate::error::HistoryError;
use crate::lease::{LeaseError, LeaseName};
use crate::line::LogLine;
use crate::store::History;
use crate::sync::{NewSync, PlannedCounts, SyncId};

/// How a run is recorded.
#[derive(Debug, Clone, Default)]
pub struct RecorderOptions {
    /// What happens if the history cannot be written.
    pub policy: HistoryPolicy,
    /// The leases that the run needs. They are renewed until it ends.
    pub leases: Vec<LeaseName>,
    /// Cancels the run: the one of its [`RunOptions`](diffsync_core::run::RunOptions). It is cancelled if a lease is lost, too.
    pub cancellation: CancellationToken,
    /// Says why, so that the run has failed and not been cancelled: the one of its
    /// [`RunOptions`](diffsync_core::run::RunOptions::abort_reason).
    pub abort_reason: AbortReason,
    /// The time limit of the run, after which it no longer waits until its diff is recorded.
    pub time_limit: Option<Duration>,
}

/// How often a run that waits looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// Records one run in a history: an [`Observer`] of its events.
///
/// A run of another program has neither a plan nor a report here. Its rows are recorded one by one: [`planned_change`] for each row of
/// the diff, [`planned`] at its end, [`entry`] for each record, and [`end`]. Its steps are observed as those of any run.
///
/// [`planned_change`]: Self::planned_change
/// [`planned`]: Self::planned
/// [`entry`]: Self::entry
/// [`end`]: Self::end
///
/// Events go through a queue to a thread that writes them in batches, so a reader sees them within a moment, and a run that
/// is killed loses at most the last quarter of a second.
pub struct Recorder {
    sync: SyncId,
    target: Arc<TargetLease>,
    /// The step that began last, to which log lines are counted.
    step: Mutex<Option<Step>>,
    /// Whether the run must wait until its diff is recorded.
    waits_for_diff: bool,
    /// Ends that wait.
    cancellation: CancellationToken,
    time_limit: Option<Duration>,
    begun: OnceLock<Instant>,
    /// How many log lines found the queue full.
    dropped_lines: Arc<AtomicU64>,
    /// Dropping the sender ends the thread.
    sender: Option<Sender>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Recorder {
    /// Takes the leases of a run, records that it has begun, and starts to record.
    ///
    /// # Errors
    ///
    /// If another run has one of the leases, or the history cannot be written. Whether to run without a history then is for
    /// the caller to decide.
    pub async fn start(history: &History, sync: &NewSync, options: RecorderOptions) -> Result<Self, LeaseError> {
        let id = SyncId::new();
        let lease = history.take_leases(id, &sync.host, &options.leases).await?;
        let number = match history.begin(id, sync).await {
            Ok(number) => number,
            Err(error) => {
                // Without this it ends by itself.
                let _ = history.release(&lease).await;
                return Err(error.into());
            }
        };

        let waits_for_diff = options.policy == HistoryPolicy::Required && !sync.dry_run;
        let dropped_lines = Arc::new(AtomicU64::new(0));
        let RecorderOptions { policy, cancellation, abort_reason, time_limit, .. } = options;
        let target = TargetLease::new(history, lease.clone(), &sync.host, policy);
        let abort = Abort::new(cancellation.clone(), abort_reason);
        let writer = Writer::new(history.clone(), number, lease, policy, abort, Arc::clone(&dropped_lines));

        let not_started = |error: io::Error| HistoryError::Writer(error.to_string());
        let runtime = Builder::new_current_thread().enable_all().build().map_err(not_started)?;
        let (sender, receiver) = queue();
        let thread = thread::Builder::new().name("history".into()).spawn(move || writer.run(&runtime, &receiver));
        let thread = Mutex::new(Some(thread.map_err(not_started)?));
        Ok(Self {
            sync: id,
            target: Arc::new(target),
            step: Mutex::default(),
            waits_for_diff,
            cancellation,
            time_limit,
            begun: OnceLock::new(),
            dropped_lines,
            sender: Some(sender),
            thread,
        })
    }

    /// The id of the sync that is recorded.
    #[must_use]
    pub fn sync(&self) -> SyncId {
        self.sync
    }

    /// The lock of the run's target: a lease, held until the run ends. Put it into the
    /// [`RunOptions`](diffsync_core::run::RunOptions::lock) of the run.
    #[must_use]
    pub fn target_lock(&self) -> Arc<dyn TargetLock> {
        Arc::clone(&self.target) as Arc<dyn TargetLock>
    }

    /// Keeps the leases of the run for as long as this child works that writes for it, should this process be killed. Call it before
    /// the child writes.
    ///
    /// # Errors
    ///
    /// If the history cannot be written.
    pub async fn keep_leases_for(&self, child: u32) -> Result<(), HistoryError> {
        self.target.keep_for(child).await
    }

    /// Records a line that the program logged. It never waits: a line is dropped, and counted, if the queue is full.
    pub fn line(&self, mut line: LogLine) {
        line.step = line.step.or_else(|| *self.step());
        // The thread that writes may log as well, and must not wait for itself.
        let is_sent = self.sender.as_ref().is_some_and(|sender| sender.try_send(Message::Line(line)));
        if !is_sent {
            self.dropped_lines.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records a row of a diff that another program calculated. Its position is the number of rows before it.
    pub fn planned_change(&self, change: NewChange) {
        self.send(Message::Change(change));
    }

    /// Records the planned operations, after the last row of the diff. If the history is required and the run writes, it waits until
    /// all of that is recorded; a failure cancels the run by then.
    pub async fn planned(&self, counts: PlannedCounts) {
        let (recorded, is_recorded) = oneshot::channel();
        self.send(Message::Planned(counts, recorded));
        if self.waits_for_diff {
            // The writer drops the other end once it has recorded the diff, or failed to.
            let _ = is_recorded.await;
        }
    }

    /// Records what happened to a record of another program's run.
    pub fn entry(&self, entry: NewEntry) {
        self.send(Message::Entry(entry));
    }

    /// Records how another program's run ended.
    pub fn end(&self, end: SyncEnd) {
        self.send(Message::End(Box::new(end.into())));
    }

    /// Waits until all of it is written, and releases the leases. A run that did not report its end is recorded as failed.
    ///
    /// # Errors
    ///
    /// The first thing that could not be recorded.
    pub async fn finish(&self) -> Result<(), HistoryError> {
        let (done, is_done) = oneshot::channel();
        self.send(Message::Finish(done));
        let written = is_done.await.unwrap_or_else(|_| Err(HistoryError::Writer("it panicked".into())));
        written.and_then(|()| self.target.take_error().map_or(Ok(()), Err))
    }

    fn step(&self) -> MutexGuard<'_, Option<Step>> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the writer has recorded the diff, or failed to, or until the run is to end. A run that is to end writes nothing.
    fn wait_for_diff(&self, is_recorded: &mpsc::Receiver<()>) {
        // Counted from the first event, so that it never ends before the run's own.
        let deadline = self.time_limit.zip(self.begun.get()).and_then(|(limit, begun)| begun.checked_add(limit));
        loop {
            let left = deadline.map_or(LOOK, |deadline| deadline.saturating_duration_since(Instant::now()));
            match is_recorded.recv_timeout(left.min(LOOK)) {
                Err(RecvTimeoutError::Timeout) if !left.is_zero() && !self.cancellation.is_cancelled() => {}
                _ => return,
            }
        }
    }

    fn send(&self, message: Message) {
        // A thread that has ended is reported by `finish`.
        if let Some(sender) = &self.sender {
            sender.send(message);
        }
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::RunStarted { .. } => {
                self.begun.get_or_init(Instant::now);
            }
            Event::StepStarted(step) => *self.step() = Some(*step),
            Event::StepFinished(report) => self.send(Message::Step((*report).clone())),
            Event::DiffReady(plan) => {
                let (recorded, is_recorded) = mpsc::channel();
                self.send(Message::Plan(Arc::clone(plan), recorded));
                if self.waits_for_diff {
                    self.wait_for_diff(&is_recorded);
                }
            }
            Event::RecordDone { record, operation, outcome, url } => self.send(Message::Done {
                at: Timestamp::now(),
                record: *record,
                operation: *operation,
                outcome: (*outcome).clone(),
                url: url.look_up(),
                more: Vec::new(),
            }),
            Event::RecordUnchanged(record) => self.send(Message::Unchanged { at: Timestamp::now(), record: *record }),
            Event::RunFinished(report) => self.send(Message::End(Box::new(EndRow::of(report)))),
            _ => {}
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.sender.take());
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // What was observed is written, even without a call of `finish`.
        let _ = thread.map(JoinHandle::join);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("sync", &self.sync).finish_non_exhaustive()
    }
}

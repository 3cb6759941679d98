//! The thread that writes what a run reports.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::iter;
use std::mem;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diffsync_core::model::Operation;
use diffsync_core::plan::{PlanView, RecordRef};
use foldhash::fast::RandomState;
use jiff::Timestamp;
use serde::Serialize;
use tokio::runtime::Runtime;

use super::abort::Abort;
use super::batch::{Batch, RowCounts, number};
use super::end::EndRow;
use super::message::Message;
use super::policy::HistoryPolicy;
use super::queue::Receiver;
use crate::change::{ChangeRow, action_name, named};
use crate::database::{Insert, Statement, clean};
use crate::entry::{About, EntryRow, NewEntry, REJECTED, UNCHANGED};
use crate::error::HistoryError;
use crate::lease::{Lease, RENEWAL, VALIDITY};
use crate::line::LineRow;
use crate::step;
use crate::store::History;

/// How long a transient error is retried.
pub(super) const RETRY_LIMIT: Duration = Duration::from_secs(10);

/// How long a history that cannot be written is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// How often rows are written, if there are few.
const INTERVAL: Duration = Duration::from_millis(250);

/// Writes one sync.
pub(super) struct Writer {
    history: History,
    sync_no: i64,
    lease: Lease,
    policy: HistoryPolicy,
    abort: Abort,
    /// How many log lines found the queue full.
    dropped_lines: Arc<AtomicU64>,
    plan: Option<Arc<dyn PlanView>>,
    /// The positions of the records of the diff.
    positions: HashMap<RecordRef, i64, RandomState>,
    /// The positions of changes that could not be recorded.
    missing: Vec<Range<i64>>,
    batch: Batch,
    /// How many rows are written, or given up.
    counts: RowCounts,
    /// The positions of the next rows.
    next: RowCounts,
    steps: i64,
    has_ended: bool,
    renewed: Instant,
    next_renewal: Instant,
    /// Nothing is written before this.
    paused_until: Option<Instant>,
    /// The first error.
    error: Option<HistoryError>,
}

impl Writer {
    pub(super) fn new(
        history: History,
        sync_no: i64,
        lease: Lease,
        policy: HistoryPolicy,
        abort: Abort,
        dropped_lines: Arc<AtomicU64>,
    ) -> Self {
        let now = Instant::now();
        Self {
            history,
            sync_no,
            lease,
            policy,
            abort,
            dropped_lines,
            plan: None,
            positions: HashMap::default(),
            missing: Vec::new(),
            batch: Batch::default(),
            counts: RowCounts::default(),
            next: RowCounts::default(),
            steps: 0,
            has_ended: false,
            renewed: now,
            next_renewal: now + RENEWAL,
            paused_until: None,
            error: None,
        }
    }

    /// Writes until the sender is dropped.
    pub(super) fn run(mut self, runtime: &Runtime, receiver: &Receiver) {
        let _guard = self.abort.on_panic();
        // Connections belong to a runtime.
        self.history = runtime.block_on(async { self.history.separate() });

        loop {
            let until_renewal = self.next_renewal.saturating_duration_since(Instant::now());
            let Some(messages) = receiver.take(until_renewal.min(INTERVAL)) else {
                return runtime.block_on(self.close());
            };

            let mut messages = VecDeque::from(messages);
            while let Some(message) = messages.pop_front() {
                match message {
                    // `_recorded` is dropped last, so that a run that is to end is told before it stops waiting.
                    Message::Plan(plan, _recorded) => {
                        self.plan = Some(Arc::clone(&plan));
                        let recorded = self
                            .catching(|writer| runtime.block_on(writer.record_diff(&*plan, receiver, &mut messages)));
                        if !recorded {
                            // What is known of the diff may lack a row, so no entry refers to one.
                            self.positions.clear();
                        }
                    }
                    Message::Planned(counts, _recorded) => {
                        self.plan_counts(&counts);
                        runtime.block_on(self.flush());
                    }
                    Message::End(end) => runtime.block_on(self.end(&end)),
                    Message::Finish(done) => {
                        runtime.block_on(self.close());
                        // The caller may have stopped waiting.
                        let _ = done.send(self.error.take().map_or(Ok(()), Err));
                    }
                    message => {
                        self.catching(|writer| writer.add(message));
                    }
                }
                if self.batch.is_full() {
                    runtime.block_on(self.flush());
                }
            }
            runtime.block_on(self.flush());

            runtime.block_on(self.renew_if_due());
        }
    }

    /// Does something that reads records, and returns whether it succeeded. The types of records are the job's, whose code may
    /// panic. The thread survives that, since it also renews the run's lease.
    fn catching(&mut self, work: impl FnOnce(&mut Self)) -> bool {
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(self))) else { return true };

        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let error = HistoryError::Panicked(said);
        tracing::error!(%error, "a record is missing in the history");
        self.counts.dropped += 1;
        if self.policy == HistoryPolicy::Required {
            self.abort.end_run(&unwritten(&error));
        }
        self.error.get_or_insert(error);
        false
    }

    /// Adds a row to the batch.
    fn add(&mut self, message: Message) {
        match message {
            Message::Step(report) => {
                self.batch.add_statement(step::insert(self.sync_no, self.steps, &report));
                self.steps += 1;
            }
            Message::Line(line) => {
                self.batch.add_line(LineRow::new(self.next.lines, line));
                self.next.lines += 1;
            }
            Message::Done { at, record, operation, outcome, url, more } => {
                let Some(plan) = self.plan.clone() else { return };
                let mut url = url.map(String::from);
                for record in iter::once(record).chain(more) {
                    let about = match self.positions.get(&record) {
                        Some(position) => About::Change(*position),
                        None => about(&*plan, record, Some(operation)),
                    };
                    let message = outcome.reason(&*plan, record).map(clean);
                    self.add_entry(at, outcome.kind().as_str().into(), about, url.take(), message);
                }
            }
            Message::Unchanged { at, record } => {
                let Some(plan) = self.plan.clone() else { return };
                self.add_entry(at, UNCHANGED.into(), about(&*plan, record, None), None, None);
            }
            Message::Change(change) => {
                let position = self.next.changes + self.batch.changes();
                self.batch.add_change(ChangeRow::reported(position, change));
            }
            Message::Entry(entry) => self.add_reported(entry),
            Message::Plan(..) | Message::Planned(..) | Message::End(_) | Message::Finish(_) => {}
        }
    }

    fn add_entry(
        &mut self,
        at: Timestamp,
        status: Cow<'static, str>,
        about: About,
        url: Option<String>,
        message: Option<String>,
    ) {
        let (seq, at) = (self.next.entries, at.as_microsecond());
        self.batch.add_entry(EntryRow { seq, count: 1, at, status, about, url, message });
        self.next.entries += 1;
    }

    /// Adds an entry of another program's run. Without its row in the diff, it holds the record itself.
    fn add_reported(&mut self, entry: NewEntry) {
        let NewEntry { at, change, action, status, model, record, url, message } = entry;
        let position = change.and_then(|change| i64::try_from(change).ok());
        let is_recorded = |position: &i64| {
            *position < self.next.changes && !self.missing.iter().any(|missing| missing.contains(position))
        };
        let about = match position.filter(is_recorded) {
            Some(position) => About::Change(position),
            None => About::Record {
                action: action.map(action_name),
                model: clean(model).into(),
                record: clean(record),
                identifiers: None,
            },
        };
        self.add_entry(at, clean(status).into(), about, url.map(String::from), message.map(clean));
    }

    /// Records the planned counts.
    fn plan_counts(&mut self, counts: &impl Serialize) {
        let planned = serde_json::to_string(counts).unwrap_or_default();
        let sql = "UPDATE history_sync SET planned = $1 WHERE no = $2";
        self.batch.add_statement(Statement::new(sql, vec![planned.into(), self.sync_no.into()]));
    }

    /// Records the planned counts, the diff, and the records that are not in it because they cannot be used. What the run reports meanwhile is recorded as well, or added to the messages
    /// that are left.
    async fn record_diff(&mut self, plan: &dyn PlanView, receiver: &Receiver, left: &mut VecDeque<Message>) {
        self.plan_counts(&plan.diff().summary());

        let tree = plan.tree();
        for row in tree.rows() {
            if row.operation().is_some() {
                self.positions.insert(row.record(), number(row.position));
            }
            self.batch.add_change(ChangeRow::new(plan, row));
            if self.batch.is_full() {
                self.flush().await;
                if left.is_empty() {
                    // Otherwise they stay in the queue, whose capacity makes a run wait that is faster than the database.
                    left.extend(receiver.take_now());
                }
                self.add_messages(left).await;
                self.renew_if_due().await;
            }
        }
        self.flush().await;

        let at = Timestamp::now();
        for problem in plan.problems().iter().filter(|problem| problem.rejects()) {
            let record = clean(problem.record.clone());
            let about = About::Record { action: None, model: problem.model.into(), record, identifiers: None };
            self.add_entry(at, REJECTED.into(), about, None, Some(clean(problem.to_string())));
            if self.batch.is_full() {
                self.flush().await;
                self.renew_if_due().await;
            }
        }
    }

    async fn renew_if_due(&mut self) {
        if self.next_renewal <= Instant::now() {
            self.renew().await;
        }
    }

    /// Adds the rows of the messages that do not wait for the rest of the diff.
    async fn add_messages(&mut self, messages: &mut VecDeque<Message>) {
        while messages.front().is_some_and(|message| !self.waits_for_diff(message)) {
            messages.pop_front().into_iter().for_each(|message| self.add(message));
            if self.batch.is_full() {
                self.flush().await;
            }
        }
    }

    /// Whether a message is recorded later, while the diff is being recorded.
    fn waits_for_diff(&self, message: &Message) -> bool {
        match message {
            // An entry takes less space once its change is there. But a reader should see it soon, and a kill not lose it.
            Message::Done { at, record, more, .. } => {
                let is_recorded = self.positions.contains_key(more.last().unwrap_or(record));
                !is_recorded && at.duration_until(Timestamp::now()).unsigned_abs() < INTERVAL
            }
            message => message.is_urgent(),
        }
    }

    /// Records how the run ended, and releases its leases.
    async fn end(&mut self, end: &EndRow) {
        self.has_ended = true;
        self.counts.dropped += i64::try_from(self.dropped_lines.swap(0, Ordering::Relaxed)).unwrap_or(i64::MAX);

        // One more attempt, even if others failed: the end is what a reader wants to know most. It is written apart from the
        // last rows, since those may be why it fails.
        self.paused_until = None;
        self.flush().await;
        self.paused_until = None;
        self.batch.add_statement(end.statement(self.sync_no));
        self.batch.add_statement(self.lease.release());
        self.flush().await;
    }

    async fn close(&mut self) {
        self.flush().await;
        if !self.has_ended {
            self.end(&EndRow::unreported()).await;
        }
    }

    /// Writes the batch, or drops its rows if that is not possible.
    async fn flush(&mut self) {
        let mut batch = mem::take(&mut self.batch);
        if batch.is_empty() {
            return;
        }
        let (written, dropped) = (batch.added_to(self.counts), batch.dropped_from(self.counts));
        let changes = self.next.changes..self.next.changes + batch.changes();
        self.next.changes = changes.end;
        let is_paused = self.paused_until.is_some_and(|until| Instant::now() < until);
        if !is_paused {
            let (statements, inserts) = batch.writes(self.sync_no, written, self.history.dialect().now);
            match self.write(&statements, &inserts).await {
                Ok(()) => {
                    self.counts = written;
                    return;
                }
                Err(error) => self.fail(error),
            }
        }
        self.counts = dropped;
        self.batch = batch.without_rows();
        if !changes.is_empty() {
            // Entries must not refer to what is missing.
            self.positions.retain(|_, position| !changes.contains(position));
            self.missing.push(changes);
        }
    }

    /// Executes statements together. A transient error is retried for a while: a row that exists is not inserted again, so
    /// that a commit whose answer was lost does no harm.
    async fn write(&mut self, statements: &[Statement], inserts: &[Insert]) -> Result<(), HistoryError> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(100);
        loop {
            match self.history.execute_all("record a run", statements, inserts).await {
                Err(error) if error.is_transient() && begun.elapsed() < RETRY_LIMIT => {
                    tracing::warn!(%error, "the history cannot be written now, and is tried again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                written => return written,
            }
        }
    }

    async fn renew(&mut self) {
        if self.has_ended {
            self.next_renewal = Instant::now() + RENEWAL;
            return;
        }

        // The lease is valid from some time after this.
        let begun = Instant::now();
        let renewed = self.history.renew(&self.lease).await;
        let now = Instant::now();
        match renewed {
            Ok(()) => (self.renewed, self.next_renewal) = (begun, begun + RENEWAL),
            Err(error @ HistoryError::LeaseLost(_)) => {
                // Another run may be at the same target.
                self.abort.end_run(&error);
                self.next_renewal = now + RENEWAL;
                self.error.get_or_insert(error);
            }
            Err(error) => {
                self.next_renewal = now + Duration::from_secs(1);
                if !error.is_transient() || now.duration_since(self.renewed) > VALIDITY {
                    self.fail(error);
                }
            }
        }
    }

    /// Deals with an error that stays.
    fn fail(&mut self, error: HistoryError) {
        tracing::error!(%error, "the history cannot be written");
        match self.policy {
            HistoryPolicy::BestEffort => self.paused_until = Some(Instant::now() + PAUSE),
            HistoryPolicy::Required => {
                self.abort.end_run(&unwritten(&error));
                self.paused_until = Some(Instant::now() + Duration::from_hours(24));
            }
        }
        self.error.get_or_insert(error);
    }
}

/// Why a run ends that requires a history.
fn unwritten(error: &HistoryError) -> String {
    format!("the run was ended, since its history cannot be written: {error}")
}

/// A record of which the recorded diff has no row.
fn about(plan: &dyn PlanView, record: RecordRef, operation: Option<Operation>) -> About {
    let model = plan.diff().tables()[record.model()].schema().name;
    let action = operation.map(action_name);
    let (record, identifiers) = named(plan, record);
    About::Record { action, model: model.into(), record, identifiers }
}

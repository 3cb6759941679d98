//! The thread that writes the stream.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use diffsync_core::plan::{DiffRow, PlanView, RecordRef};
use diffsync_core::run::CancellationToken;
use diffsync_history::{PlannedCounts, PlannedModel};

use super::event::StreamEvent;
use super::message::Message;
use crate::terminal;

/// How often events are written, if there are few.
const INTERVAL: Duration = Duration::from_millis(50);

/// Writes one stream.
pub(super) struct Writer<W: Write> {
    out: BufWriter<W>,
    plan: Option<Arc<dyn PlanView>>,
    /// The positions of the records of the diff.
    positions: HashMap<RecordRef, u64>,
    /// The first error. Nothing is written after it.
    error: Option<io::Error>,
    /// Cancelled with the first error.
    lost: CancellationToken,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, lost: CancellationToken) -> Self {
        Self { out: BufWriter::new(out), plan: None, positions: HashMap::new(), error: None, lost }
    }

    /// Writes until the stream ends, and returns the first error. After an error the messages are still taken, so that the run
    /// does not wait for a reader that has gone.
    pub(super) fn run(mut self, receiver: &Receiver<Message>) -> io::Result<()> {
        loop {
            match receiver.try_recv() {
                Ok(Message::End) | Err(TryRecvError::Disconnected) => {
                    self.guarded(Self::flush);
                    // Without this the buffer would write what is left once more.
                    let _ = self.out.into_parts();
                    return self.error.map_or(Ok(()), Err);
                }
                // What was lost could not be read in any case.
                Ok(_) if self.error.is_some() => {}
                Ok(message) => self.guarded(|writer| writer.write(message)),
                // Woken for what a reader waits for; the rest is written together, which costs the run less.
                Err(TryRecvError::Empty) => {
                    self.guarded(Self::flush);
                    thread::park_timeout(INTERVAL);
                }
            }
        }
    }

    /// Does a part of the work, in which a record's own code may panic.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        // Nothing is written after it, so what is left half done is not seen.
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.error = Some(io::Error::other("a record could not be shown: its own code panicked"));
        }
        if self.error.is_some() {
            self.lost.cancel();
        }
    }

    fn write(&mut self, message: Message) {
        match message {
            Message::Event(event) => self.event(&event),
            Message::Plan { plan, resource } => self.diff(plan, resource),
            Message::Done { at, record, operation, outcome, url } => {
                let Some(plan) = &self.plan else { return };
                let event = StreamEvent::RecordDone {
                    at,
                    seq: self.positions.get(&record).copied(),
                    model: plan.diff().tables()[record.model()].schema().name.to_owned(),
                    record: plan.record(record),
                    operation,
                    outcome: outcome.kind(),
                    reason: outcome.reason(&**plan, record),
                    url: url.map(String::from),
                    object: None,
                };
                self.event(&event);
            }
            Message::Unchanged { at, record } => {
                let Some(plan) = &self.plan else { return };
                let model = plan.diff().tables()[record.model()].schema().name.to_owned();
                let event = StreamEvent::RecordUnchanged { at, model, record: plan.record(record) };
                self.event(&event);
            }
            Message::End => {}
        }
    }

    /// Writes the diff, row by row, so that a large one is not held in memory as text.
    fn diff(&mut self, plan: Arc<dyn PlanView>, resource: Option<String>) {
        let tree = plan.tree();
        for row in tree.rows() {
            if row.operation().is_some() {
                self.positions.insert(row.record(), row.position as u64);
            }
            self.event(&change(&*plan, row));
            if self.error.is_some() {
                return;
            }
        }
        drop(tree);

        let breaches = plan.breaches().iter().map(Into::into).collect();
        self.event(&StreamEvent::DiffReady { counts: counts(&*plan), breaches, resource });
        self.plan = Some(plan);
    }

    fn event(&mut self, event: &StreamEvent) {
        if self.error.is_none() {
            self.error = terminal::write_line(&mut self.out, event).err();
        }
    }

    fn flush(&mut self) {
        if self.error.is_none() {
            self.error = self.out.flush().err();
        }
    }
}

fn change(plan: &dyn PlanView, row: DiffRow<'_>) -> StreamEvent {
    let action = row.operation();
    let record = plan.record(row.record());
    StreamEvent::Change {
        seq: row.position as u64,
        parent: row.parent.map(|parent| parent as u64),
        depth: u32::try_from(row.depth).unwrap_or(u32::MAX),
        model: row.model().to_owned(),
        // An identifier that cannot be serialised is still named by its text.
        identifiers: plan.identifier(row.record()).unwrap_or_else(|_| record.clone().into()),
        record,
        action,
        // An attribute that cannot be serialised is replaced by the reason, so the whole cannot fail.
        changes: action.and_then(|_| serde_json::to_value(row.changes()).ok()),
        held: row.withheld().map(str::to_owned),
    }
}

fn counts(plan: &dyn PlanView) -> PlannedCounts {
    let summary = plan.diff().summary();
    let models = summary.models.iter();
    PlannedCounts {
        total: summary.total,
        models: models.map(|model| PlannedModel { model: model.model.to_owned(), counts: model.counts }).collect(),
    }
}

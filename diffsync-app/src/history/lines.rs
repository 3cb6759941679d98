//! Recording what the program logs during a run.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use diffsync_history::{LogLevel, LogLine, Recorder};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::terminal::PROGRAM_LINES;

/// The recorder of the current run. A program runs one job at a time.
static RECORDER: Mutex<Weak<Recorder>> = Mutex::new(Weak::new());

/// A layer of the log that records the events of a run in its history. It is for `info` and above: what happens to each
/// record is a log entry, and traces are for a developer at the terminal.
pub(crate) struct HistoryLayer;

impl HistoryLayer {
    /// Records what is logged from now on.
    pub(super) fn record_in(recorder: &Arc<Recorder>) {
        *current() = Arc::downgrade(recorder);
    }

    /// Records nothing more.
    pub(super) fn forget() {
        *current() = Weak::new();
    }
}

fn current() -> MutexGuard<'static, Weak<Recorder>> {
    RECORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Subscriber> Layer<S> for HistoryLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Recorded already, with their own time and target.
        if event.metadata().target() == PROGRAM_LINES {
            return;
        }
        // The lock is not held while the line is sent: a recorder that is dropped here may log as well.
        let recorder = current().upgrade();
        if let Some(recorder) = recorder {
            recorder.line(log_line(event));
        }
    }
}

/// An event of the log as a line, without the step during which it was logged.
pub(crate) fn log_line(event: &Event<'_>) -> LogLine {
    let metadata = event.metadata();
    let mut fields = Fields::default();
    event.record(&mut fields);
    LogLine {
        at: Timestamp::now(),
        level: level(*metadata.level()),
        target: metadata.target().to_owned(),
        step: None,
        message: fields.message,
        fields: (!fields.others.is_empty()).then_some(Value::Object(fields.others)),
    }
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// The message of an event, and its other fields.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        self.others.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" { self.message = text } else { self.set(field, text.into()) }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" { value.clone_into(&mut self.message) } else { self.set(field, value.into()) }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }
}

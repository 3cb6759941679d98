//! Recording what the program logs during a run.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use diffsync_history::{LogLevel, LogLine, Recorder};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::Id;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::terminal::PROGRAM_LINES;

/// The recorders of the runs in progress.
static RECORDERS: Mutex<Vec<Recorded>> = Mutex::new(Vec::new());

/// A run in progress.
struct Recorded {
    /// The span in which it logs, if several runs take place at the same time.
    span: Option<Id>,
    recorder: Weak<Recorder>,
}

/// A layer of the log that records the events of a run in its history. It is for `info` and above: what happens to each
/// record is a log entry, and traces are for a developer at the terminal.
pub(crate) struct HistoryLayer;

impl HistoryLayer {
    /// Records from now on what is logged in a span. What is logged in the span of no run, as on a thread that a library
    /// started, is recorded as well while there is only one run.
    pub(crate) fn record_in(recorder: &Arc<Recorder>, span: Option<Id>) {
        recorders().push(Recorded { span, recorder: Arc::downgrade(recorder) });
    }

    /// Records nothing more of a run.
    pub(crate) fn forget(recorder: &Arc<Recorder>) {
        recorders().retain(|recorded| !std::ptr::eq(recorded.recorder.as_ptr(), Arc::as_ptr(recorder)));
    }
}

fn recorders() -> MutexGuard<'static, Vec<Recorded>> {
    RECORDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The recorder of the run that logs in these spans.
fn recorder_of(mut spans: impl Iterator<Item = Id>) -> Option<Arc<Recorder>> {
    let recorders = recorders();
    let in_span = spans.find_map(|span| recorders.iter().find(|recorded| recorded.span.as_ref() == Some(&span)));
    let only = || recorders.first().filter(|_| recorders.len() == 1);
    in_span.or_else(only)?.recorder.upgrade()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for HistoryLayer {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // Recorded already, with their own time and target.
        if event.metadata().target() == PROGRAM_LINES {
            return;
        }
        let spans = context.event_scope(event).into_iter().flatten().map(|span| span.id());
        // The lock is not held while the line is sent: a recorder that is dropped here may log as well.
        let recorder = recorder_of(spans);
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

#[cfg(test)]
mod tests {
    use diffsync_history::{History, HistoryUrl, LogLineFilter, NewSync, PageRequest, RecorderOptions};
    use tracing::Instrument as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[tokio::test]
    async fn a_line_belongs_to_the_run_in_whose_span_it_is_logged() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&HistoryUrl::file(folder.path().join("history.db"))).await.unwrap();
        let sync = NewSync::default();
        let begin = || Recorder::start(&history, &sync, RecorderOptions::default());
        let (first, second) = (Arc::new(begin().await.unwrap()), Arc::new(begin().await.unwrap()));

        let subscriber = tracing_subscriber::registry().with(HistoryLayer);
        let guard = tracing::subscriber::set_default(subscriber);
        let spans = [tracing::info_span!("run"), tracing::info_span!("run")];
        for (recorder, span) in [&first, &second].into_iter().zip(&spans) {
            HistoryLayer::record_in(recorder, span.id());
        }
        let [of_first, of_second] = spans;
        async { tracing::info_span!("page").in_scope(|| tracing::info!("of the first")) }.instrument(of_first).await;
        async { tracing::info!("of the second") }.instrument(of_second).await;
        tracing::info!("of neither");
        HistoryLayer::forget(&first);
        tracing::info!("of the only one");
        HistoryLayer::forget(&second);
        tracing::info!("of none");
        drop(guard);

        for (recorder, expected) in [(first, &["of the first"][..]), (second, &["of the second", "of the only one"])] {
            recorder.finish().await.unwrap();
            let lines =
                history.lines(recorder.sync(), &LogLineFilter::default(), PageRequest::default()).await.unwrap();
            let messages: Vec<_> = lines.items.into_iter().map(|line| line.message).collect();
            assert_eq!(messages, expected);
        }
    }
}

//! What the program logs during a run, as events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::stream::EventStream;
use crate::history::log_line;

/// The stream of the current run. A program runs one job at a time.
static STREAM: Mutex<Weak<EventStream>> = Mutex::new(Weak::new());

/// A layer of the log that writes its events to the stream of a run. It is for `info` and above, as in the history.
pub(crate) struct StreamLayer;

impl StreamLayer {
    /// Writes what is logged from now on, until the stream is dropped.
    pub(crate) fn write_to(stream: &Arc<EventStream>) {
        *current() = Arc::downgrade(stream);
    }
}

fn current() -> MutexGuard<'static, Weak<EventStream>> {
    STREAM.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Subscriber> Layer<S> for StreamLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // The lock is not held while the line is sent, since sending may log as well.
        let stream = current().upgrade();
        if let Some(stream) = stream {
            stream.line(log_line(event));
        }
    }
}

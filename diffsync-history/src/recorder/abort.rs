//! Ending a run that must not go on.

use std::fmt::Display;
use std::thread;

use diffsync_core::run::{AbortReason, CancellationToken};

/// Ends the run that is recorded.
#[derive(Clone)]
pub(super) struct Abort {
    cancellation: CancellationToken,
    reason: AbortReason,
}

impl Abort {
    pub(super) fn new(cancellation: CancellationToken, reason: AbortReason) -> Self {
        Self { cancellation, reason }
    }

    /// Ends the run for this reason.
    pub(super) fn end_run(&self, reason: &dyn Display) {
        self.reason.set(reason.to_string());
        self.cancellation.cancel();
    }

    /// Ends the run if the thread panics while this is alive: a run without a writer renews no lease and records nothing.
    pub(super) fn on_panic(&self) -> AbortOnPanic {
        AbortOnPanic(self.clone())
    }
}

/// Ends the run if it is dropped by a panic.
pub(super) struct AbortOnPanic(Abort);

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0
                .end_run(&"the run was ended, since the thread that writes its history and renews its lease panicked");
        }
    }
}

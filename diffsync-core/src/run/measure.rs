//! Taking a step of a run: measuring it, and surviving a panic in its hook.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use diffsync_memory::profile;
use futures_util::FutureExt;
use tokio::time::Instant;

use crate::error::{JobError, panicked};
use crate::report::event::{Event, Observers};
use crate::report::retry::reporting_retries;
use crate::report::step::{Step, StepReport};

/// Puts a step on the heap, so that the future of a hook that calls it stays small.
pub(super) fn on_heap<'a, R>(
    step: impl Future<Output = R> + Send + 'a,
) -> Pin<Box<dyn Future<Output = R> + Send + 'a>> {
    Box::pin(step)
}

/// Turns a panic in a hook into its error, so that the run still reports what it did.
pub(super) async fn caught<R>(hook: &str, work: impl Future<Output = Result<R, JobError>>) -> Result<R, JobError> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|panic| Err(JobError::new(panicked(&format!("hook `{hook}`"), &*panic))))
}

/// Takes a step: measures its time, and its memory if wanted, and notifies the observers.
pub(super) async fn measure<F: Future>(
    step: Step,
    memory_profiling: bool,
    observers: &Observers,
    work: F,
) -> (F::Output, StepReport) {
    observers.emit(&Event::StepStarted(step));
    let begun = Instant::now();

    // The future of a step holds both data sets. Each layer around it would hold them again, which an unoptimised build
    // keeps on the stack.
    let work = reporting_retries(step, observers.clone(), Box::pin(work));
    let (output, memory) = if memory_profiling {
        let (output, memory) = profile(work).await;
        (output, Some(memory))
    } else {
        (work.await, None)
    };

    let report = StepReport { step, duration: begun.elapsed(), memory };
    observers.emit(&Event::StepFinished(&report));
    (output, report)
}

//! How far a run is, for those who watch it.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diffsync_core::report::{Event, Observer, Step};
use tokio::sync::watch;

/// How often watchers are told of progress within a step.
const PAUSE: Duration = Duration::from_millis(100);

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The steps that have begun.
    pub steps: Vec<StepProgress>,
    /// How many records were created, updated and deleted.
    pub written: u64,
    /// How many records were not written as planned.
    pub unwritten: u64,
    /// How many calls were retried.
    pub retries: u64,
}

/// How far one step is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StepProgress {
    /// The step.
    pub step: Step,
    /// When it began.
    pub began: Instant,
    /// Records read or written so far.
    pub done: u64,
    /// How many there are in all, if it is known.
    pub total: Option<u64>,
    /// How long it took, once it has ended.
    pub took: Option<Duration>,
}

/// An observer that tells watchers how far its run is. It waits for none of them: each sees the latest state.
pub struct ProgressObserver {
    state: Mutex<(Progress, Instant)>,
    sender: watch::Sender<Progress>,
}

impl ProgressObserver {
    /// The observer of a run that begins, and what watches it.
    #[must_use]
    pub fn new() -> (Self, watch::Receiver<Progress>) {
        let (sender, receiver) = watch::channel(Progress::default());
        (Self { state: Mutex::new((Progress::default(), Instant::now())), sender }, receiver)
    }
}

impl Progress {
    fn step(&mut self, step: Step) -> Option<&mut StepProgress> {
        self.steps.iter_mut().find(|progress| progress.step == step)
    }

    /// Takes an event in, and returns whether watchers are to know of it at once.
    fn take(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::StepStarted(step) => {
                self.steps.push(StepProgress { step: *step, began: Instant::now(), done: 0, total: None, took: None });
                true
            }
            Event::Progress { step, done, total } => {
                if let Some(progress) = self.step(*step) {
                    progress.done = *done;
                    progress.total = total.or(progress.total);
                }
                false
            }
            Event::Retry { .. } => {
                self.retries += 1;
                true
            }
            Event::StepFinished(report) => {
                if let Some(progress) = self.step(report.step) {
                    progress.took = Some(report.duration);
                }
                true
            }
            Event::RecordDone { outcome, .. } => {
                *(if outcome.is_written() { &mut self.written } else { &mut self.unwritten }) += 1;
                false
            }
            _ => false,
        }
    }
}

impl Observer for ProgressObserver {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (progress, told) = &mut *state;
        if progress.take(event) || told.elapsed() >= PAUSE {
            *told = Instant::now();
            // A run goes on even if no page shows it.
            self.sender.send_replace(progress.clone());
        }
    }
}

impl fmt::Debug for ProgressObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressObserver").finish_non_exhaustive()
    }
}

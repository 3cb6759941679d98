//! Lines about the progress of a run that takes long, for a log.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diffsync_core::report::{Event, Observer, Step};
use humantime::format_duration;

use super::rate::Rate;
use crate::terminal;

/// The time between two lines about a step. A step that is shorter has none.
const INTERVAL: Duration = Duration::from_secs(10);

/// Prints a line about each step that takes long, now and then.
///
/// A thread prints them, since a step that is stuck has no events, and a standard error that is not read must not make
/// the run wait.
pub(super) struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// A step began, or the run is over.
    is_changed: Condvar,
}

#[derive(Default)]
struct State {
    steps: Vec<Running>,
    is_over: bool,
}

/// A step that has begun.
struct Running {
    step: Step,
    begun: Instant,
    next_line: Instant,
    rate: Rate,
}

impl Lines {
    pub(super) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let printing = Arc::clone(&shared);
        // Without the thread there are no lines, and the run is the same.
        let _ = thread::Builder::new().name("progress".into()).spawn(move || printing.print());
        Self(shared)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints until the run is over.
    fn print(&self) {
        let mut state = self.state();
        while !state.is_over {
            let now = Instant::now();
            let due = state.due(now);
            if due.is_empty() {
                let next = state.steps.iter().map(|running| running.next_line).min();
                let wait = next.map_or(INTERVAL, |next| next.saturating_duration_since(now));
                let waited = self.is_changed.wait_timeout(state, wait);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                // Printing may take long, and the run goes on meanwhile.
                drop(state);
                for line in &due {
                    terminal::note(line);
                }
                state = self.state();
            }
        }
    }
}

impl State {
    /// The lines that are to be printed by now.
    fn due(&mut self, now: Instant) -> Vec<String> {
        let due = self.steps.iter_mut().filter(|running| running.next_line <= now);
        due.map(|running| {
            running.next_line = now + INTERVAL;
            running.line(now)
        })
        .collect()
    }
}

impl Running {
    fn new(step: Step, now: Instant) -> Self {
        Self { step, begun: now, next_line: now + INTERVAL, rate: Rate::new(now) }
    }

    /// As in `load source: 20s, 12,000 records, 600 per second`.
    fn line(&self, now: Instant) -> String {
        let elapsed = Duration::from_secs(now.duration_since(self.begun).as_secs());
        let mut rate = String::new();
        // Writing to a string does not fail.
        let _ = self.rate.write(now, &mut rate);
        let parts = [Some(format_duration(elapsed).to_string()), self.rate.records(), Some(rate)];
        let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        format!("{}: {}", self.step, parts.join(", "))
    }
}

impl Observer for Lines {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::StepStarted(step) => {
                self.0.state().steps.push(Running::new(*step, Instant::now()));
                self.0.is_changed.notify_one();
            }
            Event::Progress { step, done, total } => {
                let mut state = self.0.state();
                if let Some(running) = state.steps.iter_mut().find(|running| running.step == *step) {
                    running.rate.add(Instant::now(), *done, *total);
                }
            }
            Event::StepFinished(report) => self.0.state().steps.retain(|running| running.step != report.step),
            _ => {}
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        // The thread is not waited for: it may be waiting for standard error.
        self.0.is_changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_a_line_for_each_interval_that_it_takes() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut state = State { steps: vec![Running::new(Step::LoadSource, begun)], is_over: false };
        assert_eq!(state.due(after(9)), Vec::<String>::new());
        state.steps[0].rate.add(after(10), 12_000, None);
        assert_eq!(state.due(after(10)), ["load source: 10s, 12,000 records, 1,200 per second"]);
        assert_eq!(state.due(after(11)), Vec::<String>::new());
        state.steps[0].rate.add(after(70), 24_000, Some(36_000));
        assert_eq!(state.due(after(70)), ["load source: 1m 10s, 24,000 of 36,000 records, 200 per second, 1m left"]);
    }

    #[test]
    fn a_step_without_figures_has_its_time() {
        let begun = Instant::now();
        let running = Running::new(Step::CalculateDiff, begun);
        assert_eq!(running.line(begun + Duration::from_secs(20)), "calculate diff: 20s");
    }
}

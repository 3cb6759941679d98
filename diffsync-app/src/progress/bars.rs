//! Progress bars on a terminal.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diffsync_core::report::{Event, Observer, Step};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::rate::Rate;

/// The templates for a step of unknown and of known length.
const UNKNOWN: &str = "{spinner} {prefix:14} {elapsed:>4} {human_pos} {rate}";
const KNOWN: &str = "{spinner} {prefix:14} {elapsed:>4} {wide_bar} {human_pos}/{human_len} {rate}";

/// Shows each step of a run as a progress bar.
pub(super) struct Bars {
    bars: MultiProgress,
    steps: Mutex<HashMap<Step, Bar>>,
}

struct Bar {
    bar: ProgressBar,
    rate: Arc<Mutex<Rate>>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { bars: MultiProgress::new(), steps: Mutex::new(HashMap::new()) }
    }

    fn steps(&self) -> MutexGuard<'_, HashMap<Step, Bar>> {
        // The map is valid even after a panic elsewhere.
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A style that shows the rate, which is read whenever the bar is drawn.
fn style(template: &str, rate: &Arc<Mutex<Rate>>) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let rate = Arc::clone(rate);
    style.with_key("rate", move |_: &ProgressState, out: &mut dyn Write| {
        // What cannot be drawn now is drawn next time.
        let _ = rate.lock().unwrap_or_else(PoisonError::into_inner).write(Instant::now(), out);
    })
}

impl Observer for Bars {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::StepStarted(step) => {
                let rate = Arc::new(Mutex::new(Rate::new(Instant::now())));
                let bar = self.bars.add(ProgressBar::no_length());
                bar.set_style(style(UNKNOWN, &rate));
                bar.set_prefix(step.to_string());
                bar.enable_steady_tick(Duration::from_millis(100));
                self.steps().insert(*step, Bar { bar, rate });
            }
            Event::Progress { step, done, total } => {
                if let Some(Bar { bar, rate }) = self.steps().get(step) {
                    rate.lock().unwrap_or_else(PoisonError::into_inner).add(Instant::now(), *done, *total);
                    if let Some(total) = total.filter(|total| bar.length() != Some(*total)) {
                        bar.set_length(total);
                        bar.set_style(style(KNOWN, rate));
                    }
                    bar.set_position(*done);
                }
            }
            Event::StepFinished(report) => {
                if let Some(Bar { bar, .. }) = self.steps().remove(&report.step) {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}

//! The terminal: the one place that prints.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diffsync_core::{Event, Observer, Step};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use tracing_subscriber::filter::LevelFilter;

use crate::exit::Exit;

/// Prints a text to standard output.
pub(crate) fn print(text: &str) -> Exit {
    printed(io::stdout().lock().write_all(text.as_bytes()))
}

/// Prints a document to standard output as JSON, as it is made.
pub(crate) fn print_json(document: &impl Serialize) -> Exit {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from);
    printed(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}

fn printed(written: io::Result<()>) -> Exit {
    match written {
        Ok(()) => Exit::Done,
        // Whoever reads the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => fail(&format!("the report cannot be written: {error}")),
    }
}

/// A text that came from outside as it can stand on a line: what could move the cursor or begin a line is escaped.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() { line.extend(letter.escape_default()) } else { line.push(letter) }
    }
    Cow::Owned(line)
}

/// A text from outside that may have several lines, such as the place in a file that an error is about: every line but the
/// first is indented, so that none passes for a line of the program's own.
pub(crate) fn indented(text: &str) -> String {
    text.split('\n').map(one_line).collect::<Vec<_>>().join("\n  ")
}

/// Says on standard error what went wrong.
pub(crate) fn fail(message: &str) -> Exit {
    fail_as(Exit::Failed, message)
}

/// Says on standard error what went wrong, where the program does not simply fail.
pub(crate) fn fail_as(exit: Exit, message: &str) -> Exit {
    say("error: ", message);
    exit
}

/// Says on standard error what may be wrong.
pub(crate) fn warn(message: &str) {
    say("warning: ", message);
}

/// Says something on standard error that is no part of a report.
pub(crate) fn note(message: &str) {
    say("", message);
}

fn say(what: &str, message: &str) {
    // There is nowhere left to say that this failed.
    let _ = writeln!(io::stderr().lock(), "{what}{message}");
}

/// Prints what the argument parser has to say: help to standard output, mistakes to standard error.
pub(crate) fn print_usage(error: &clap::Error) {
    // As above.
    let _ = error.print();
}

/// Logs to standard error, the more the more often `-v` was given.
pub(crate) fn log(verbosity: u8) {
    let level = match verbosity {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // A program that has set a subscriber of its own keeps it.
    let _ = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).try_init();
}

/// Shows the steps of a run as progress bars, on a terminal; elsewhere it shows nothing.
pub(crate) struct Progress {
    bars: MultiProgress,
    steps: Mutex<HashMap<Step, ProgressBar>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { bars: MultiProgress::new(), steps: Mutex::new(HashMap::new()) }
    }

    fn steps(&self) -> MutexGuard<'_, HashMap<Step, ProgressBar>> {
        // A panic elsewhere leaves the map whole.
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a step of unknown and of known length looks.
const UNKNOWN: &str = "{spinner} {prefix:14} {elapsed:>4} {human_pos}";
const KNOWN: &str = "{spinner} {prefix:14} {elapsed:>4} {wide_bar} {human_pos}/{human_len} {per_sec} eta {eta}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Observer for Progress {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::StepStarted(step) => {
                let bar = self.bars.add(ProgressBar::no_length());
                bar.set_style(style(UNKNOWN));
                bar.set_prefix(step.to_string());
                bar.enable_steady_tick(Duration::from_millis(100));
                self.steps().insert(*step, bar);
            }
            Event::Progress { step, done, total } => {
                if let Some(bar) = self.steps().get(step) {
                    if let Some(total) = total.filter(|total| bar.length() != Some(*total)) {
                        bar.set_length(total);
                        bar.set_style(style(KNOWN));
                    }
                    bar.set_position(*done);
                }
            }
            Event::StepFinished(report) => {
                if let Some(bar) = self.steps().remove(&report.step) {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}

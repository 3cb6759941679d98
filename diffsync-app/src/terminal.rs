//! The terminal. No other module prints.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::ArgMatches;
use diffsync_core::report::{Event, Observer, Step};
use diffsync_core::value::{escape_unprintable, is_unprintable};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::exit::Exit;
use crate::history::HistoryLayer;

/// Prints a text to standard output.
pub(crate) fn print(text: &str) -> Exit {
    printed(io::stdout().lock().write_all(text.as_bytes()))
}

/// Streams a text to standard output, so that a long one is not held in memory.
pub(crate) fn print_with(write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result) -> Exit {
    let mut out = Text { out: io::BufWriter::new(io::stdout().lock()), error: None };
    let written = write(&mut out);
    let written = match (written, out.error) {
        (_, Some(error)) => Err(error),
        (Err(error), None) => Err(io::Error::other(error)),
        (Ok(()), None) => out.out.flush(),
    };
    printed(written)
}

/// Writes text to an output of bytes, and keeps the I/O error, which `fmt::Error` cannot hold.
struct Text<W> {
    out: W,
    error: Option<io::Error>,
}

impl<W: Write> fmt::Write for Text<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

/// Streams a document to standard output as JSON.
pub(crate) fn print_json(document: &impl Serialize) -> Exit {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Printable::default());
    let written = document.serialize(&mut serializer).map_err(io::Error::from);
    printed(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}

/// JSON with unprintable characters escaped: the same document, safe to show on a terminal.
#[derive(Default)]
struct Printable<'a>(PrettyFormatter<'a>);

impl Formatter for Printable<'_> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_unprintable) {
            out.write_all(&rest.as_bytes()[..at])?;
            let mut letters = rest[at..].chars();
            for unit in letters.next().into_iter().flat_map(|letter| letter.encode_utf16(&mut [0; 2]).to_vec()) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = letters.as_str();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

/// The exit code of what was printed.
pub(crate) fn printed(written: io::Result<()>) -> Exit {
    match written {
        Ok(()) => Exit::Done,
        // The reader of the pipe has closed it, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => fail(&format!("the report cannot be written: {error}")),
    }
}

/// An untrusted text, escaped so that it stays on one line.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escape_unprintable(text)
}

/// An untrusted text of several lines, such as an excerpt of a file in an error. Every line but the first is indented, so
/// that none looks like the program's own output.
pub(crate) fn indented(text: &str) -> String {
    text.split('\n').map(one_line).collect::<Vec<_>>().join("\n  ")
}

/// Whether the report is coloured: as set by `--color`, else on a terminal, unless `NO_COLOR` is set.
pub(crate) fn is_coloured(matches: &ArgMatches) -> bool {
    match matches.get_one::<String>("color").map(String::as_str) {
        Some("always") => true,
        Some("never") => false,
        _ => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    }
}

/// Prints an error to standard error.
pub(crate) fn fail(message: &str) -> Exit {
    fail_as(Exit::Failed, message)
}

/// Prints an error to standard error, and returns another exit code than failure.
pub(crate) fn fail_as(exit: Exit, message: &str) -> Exit {
    print_error("error: ", message);
    exit
}

/// Prints a warning to standard error.
pub(crate) fn warn(message: &str) {
    print_error("warning: ", message);
}

/// Asks for a secret on the terminal, which does not show the answer.
pub(crate) fn ask_secret(question: &str) -> io::Result<String> {
    rpassword::prompt_password(one_line(question))
}

/// Prints a note to standard error, apart from the report.
pub(crate) fn note(message: &str) {
    print_error("", message);
}

fn print_error(prefix: &str, message: &str) {
    let lines: Vec<_> = message.split('\n').map(one_line).collect();
    // If standard error fails, there is nowhere left to report it.
    let _ = writeln!(io::stderr().lock(), "{prefix}{}", lines.join("\n"));
}

/// Prints a message of the argument parser: help to standard output, mistakes to standard error.
pub(crate) fn print_usage(error: &clap::Error) {
    // As above.
    let _ = error.print();
}

/// Logs to standard error, with more detail for each `-v`.
pub(crate) fn log(verbosity: u8) {
    let level = match verbosity {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt::layer().with_writer(|| Log);
    // Otherwise the layer prints its own write errors to standard error, and panics if that fails.
    let log = log.log_internal_errors(false).with_filter(level);
    let log = tracing_subscriber::registry().with(log).with(HistoryLayer.with_filter(LevelFilter::INFO));
    // If the program has set its own subscriber, that one is kept.
    let _ = log.try_init();
}

/// Standard error as the log's output. An event stays on one line, even if a server or a record put a line break into it,
/// and a full disk or a closed pipe does not end the run.
struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let _ = writeln!(io::stderr().lock(), "{}", one_line(line));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shows the steps of a run as progress bars on a terminal, and nothing elsewhere.
pub(crate) struct Progress {
    bars: MultiProgress,
    steps: Mutex<HashMap<Step, ProgressBar>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { bars: MultiProgress::new(), steps: Mutex::new(HashMap::new()) }
    }

    fn steps(&self) -> MutexGuard<'_, HashMap<Step, ProgressBar>> {
        // The map is valid even after a panic elsewhere.
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The templates for a step of unknown and of known length.
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

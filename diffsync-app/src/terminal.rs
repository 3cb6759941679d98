//! The terminal. No other module prints.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ArgMatches;
use diffsync_core::value::{escape_unprintable, is_unprintable};
use diffsync_history::{LogLevel, LogLine};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::events::{StreamEvent, StreamLayer};
use crate::exit::Exit;
use crate::history::{HistoryLayer, log_line};

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
    printed(write_json(&mut out, PrettyFormatter::new(), document).and_then(|()| out.flush()))
}

/// Writes a value to an output as JSON on one line.
pub(crate) fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    write_json(out, CompactFormatter, value)
}

fn write_json(out: &mut dyn Write, formatter: impl Formatter, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Printable(formatter));
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// JSON with unprintable characters escaped: the same document, safe to show on a terminal.
struct Printable<F>(F);

impl<F: Formatter> Formatter for Printable<F> {
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

/// Standard output, for what is printed while a run goes on.
pub(crate) fn output() -> impl Write + Send {
    io::stdout()
}

/// Whether what goes to standard output, or to standard error, is read on a terminal.
pub(crate) fn are_terminals() -> (bool, bool) {
    (io::stdout().is_terminal(), io::stderr().is_terminal())
}

/// The exit code of what was printed.
pub(crate) fn printed(written: io::Result<()>) -> Exit {
    match written {
        Ok(()) => Exit::Done,
        // The reader of the pipe has closed it, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => fail(&format!("standard output cannot be written: {error}")),
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
    say(LogLevel::Error, "error: ", message);
    exit
}

/// Prints a warning to standard error.
pub(crate) fn warn(message: &str) {
    say(LogLevel::Warn, "warning: ", message);
}

/// Asks for a secret on the terminal, which does not show the answer.
pub(crate) fn ask_secret(question: &str) -> io::Result<String> {
    rpassword::prompt_password(one_line(question))
}

/// Prints a note to standard error, apart from the report.
pub(crate) fn note(message: &str) {
    say(LogLevel::Info, "", message);
}

fn say(level: LogLevel, prefix: &str, message: &str) {
    if logs_json() {
        let (target, message) = (module_path!().to_owned(), message.to_owned());
        return log_json(LogLine { at: Timestamp::now(), level, target, step: None, message, fields: None });
    }
    let lines: Vec<_> = message.split('\n').map(one_line).collect();
    // If standard error fails, there is nowhere left to report it.
    let _ = writeln!(io::stderr().lock(), "{prefix}{}", lines.join("\n"));
}

/// Prints a message of the argument parser: help to standard output, mistakes to standard error.
pub(crate) fn print_usage(error: &clap::Error) {
    // As above.
    let _ = error.print();
}

/// Whether all lines on standard error are JSON, once the command line is understood.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Whether all lines on standard error are JSON.
pub(crate) fn logs_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// Logs to standard error, with more detail for each `-v`, as text or as JSON.
pub(crate) fn log(matches: &ArgMatches) {
    let level = match matches.get_count("verbose") {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let is_json = matches.get_one::<String>("log-format").is_some_and(|format| format == "json");
    IS_JSON.store(is_json, Ordering::Relaxed);

    let text = tracing_subscriber::fmt::layer().with_writer(|| Log);
    // Otherwise the layer prints its own write errors to standard error, and panics if that fails.
    let text = (!is_json).then(|| text.log_internal_errors(false).with_filter(level));
    let json = is_json.then(|| JsonLog.with_filter(level));
    let log = tracing_subscriber::registry().with(text).with(json);
    let log = log.with(HistoryLayer.with_filter(LevelFilter::INFO)).with(StreamLayer.with_filter(LevelFilter::INFO));
    // If the program has set its own subscriber, that one is kept.
    let _ = log.try_init();
}

/// Logs only to the event stream, for a program that runs a job for its host.
pub(crate) fn log_events() {
    // As above.
    let _ = tracing_subscriber::registry().with(StreamLayer.with_filter(LevelFilter::INFO)).try_init();
}

/// The target of the lines that another program logged, which its host records as they are.
pub(crate) const PROGRAM_LINES: &str = "diffsync_app::program::lines";

/// Shows a line that another program logged, where the log is shown.
pub(crate) fn show_line(line: &LogLine) {
    let LogLine { target, message, .. } = line;
    let fields = line.fields.as_ref().map(|fields| format!(" {fields}")).unwrap_or_default();
    match line.level {
        LogLevel::Error => tracing::error!(target: PROGRAM_LINES, "{target}: {message}{fields}"),
        LogLevel::Warn => tracing::warn!(target: PROGRAM_LINES, "{target}: {message}{fields}"),
        LogLevel::Info => tracing::info!(target: PROGRAM_LINES, "{target}: {message}{fields}"),
        LogLevel::Debug => tracing::debug!(target: PROGRAM_LINES, "{target}: {message}{fields}"),
        LogLevel::Trace => tracing::trace!(target: PROGRAM_LINES, "{target}: {message}{fields}"),
    }
}

/// A layer of the log that prints its events to standard error as JSON, each on one line.
struct JsonLog;

impl<S: Subscriber> Layer<S> for JsonLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        log_json(log_line(event));
    }
}

/// Prints a line to standard error as the event stream has it.
fn log_json(line: LogLine) {
    let mut text = Vec::new();
    // Writing to memory does not fail, and as above, standard error may.
    let _ = write_line(&mut text, &StreamEvent::from(line));
    let _ = io::stderr().lock().write_all(&text);
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

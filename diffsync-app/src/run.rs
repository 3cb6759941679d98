//! The command `run JOB`, and the parts that it shares with the other commands that run a job.

use std::sync::Arc;

use clap::ArgMatches;
use diffsync_core::job::{JobEntry, PreparedJob, VariableSpec, VariableValues};
use diffsync_core::report::{Event, Observer, RunError, RunReport, Status, TracingObserver};
use diffsync_core::run::RunOptions;
use diffsync_history::SyncId;

use crate::advice;
use crate::choices;
use crate::events::{EventStream, StreamLayer};
use crate::exit::{Exit, NotRun};
use crate::flags::{self, Output, is_set, output_of};
use crate::history::{Recording, Started};
use crate::jobs::{AnyJob, Jobs};
use crate::profile::Profiles;
use crate::program;
use crate::progress::progress;
use crate::report::{Look, Report};
use crate::runtime::runtime;
use crate::signal::cancel_when_asked;
use crate::terminal;
use crate::undo::UndoFile;

pub(crate) fn run(jobs: &Jobs, profiles: &Profiles, matches: &ArgMatches, program: &str) -> Exit {
    let Some((name, matches)) = matches.subcommand() else { return Exit::Failed };
    run_job(jobs, profiles, name, matches, program)
        .unwrap_or_else(|NotRun(exit, error)| terminal::fail_as(exit, &error))
}

fn run_job(jobs: &Jobs, profiles: &Profiles, name: &str, matches: &ArgMatches, program: &str) -> Result<Exit, NotRun> {
    let selected = profiles.select(jobs, name)?;
    let (job, profile) = match selected.job {
        AnyJob::Linked(job) => (job, selected.profile_name()),
        AnyJob::Program(job) => return program::run(job, &selected, profiles.retention(), matches),
    };
    let values = selected.values(matches)?;
    let prepared = prepare(job, &values, |spec| selected.how_to_set(spec))?;

    let mut undo_file = UndoFile::wanted(matches)?;
    let mut options = flags::options(selected.options(), matches);
    let log = undo_file.as_mut().map(|file| file.follow(&selected, &mut options, &values, program));
    let run = Started { selected: &selected, values: &values, plan: None, program, kept: profiles.retention() };
    let (report, sync, streamed) = execute(&run, &*prepared, &options, log, matches)?;

    let mut closing = Vec::new();
    let would_write = report.plan().is_some_and(|plan| plan.diff().summary().total.operations() > 0);
    if options.dry_run && report.error.is_none() && would_write {
        closing.push(selected.how_to_write());
    }

    // The report is printed even if the undo plan could not be written.
    let mut undo_written = Ok(());
    if let Some(file) = undo_file {
        undo_written = file.write(&report, &mut closing);
    }
    let report = Report { job: job.info(), profile, run: &report, plan: None, sync, streamed, closing: &closing };
    let exit = print(&report, matches);
    undo_written?;
    Ok(exit)
}

/// Creates the job from its variables. The error says how to set each variable that is missing or wrong.
pub(crate) fn prepare(
    job: &JobEntry,
    values: &VariableValues,
    how_to_set: impl Fn(&VariableSpec) -> String,
) -> Result<Box<dyn PreparedJob>, String> {
    let prepared = job.prepare(values).map_err(|errors| {
        let lines = errors.iter().map(|error| {
            let how = how_to_set(error.variable());
            let choices = choices::hint(AnyJob::Linked(job), error, values);
            format!("{error}\n  set it with {how}{choices}")
        });
        lines.collect::<Vec<_>>().join("\nerror: ")
    })?;

    for warning in choices::warnings(AnyJob::Linked(job), values) {
        terminal::warn(&warning);
    }
    Ok(prepared)
}

/// Runs a job to its end, or until the program receives a signal. The run is recorded as the returned sync. If its events were
/// printed, the result is how that went.
pub(crate) fn execute(
    run: &Started<'_>,
    prepared: &dyn PreparedJob,
    options: &RunOptions,
    log: Option<Arc<dyn Observer>>,
    matches: &ArgMatches,
) -> Result<(RunReport, Option<SyncId>, Option<Exit>), NotRun> {
    let runtime = runtime()?;
    let mut options = options.clone();
    let recording = runtime.block_on(Recording::begin(run, &mut options, matches))?;
    let sync = recording.sync();
    let stream = stream(run, sync, &mut options, matches)?;

    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::new(TracingObserver::default())];
    observers.extend(progress(matches));
    observers.extend(log);
    observers.extend(recording.observer());
    // Last, so that what the others log of an event comes before it.
    observers.extend(stream.iter().map(|stream| Arc::new(UntilEnd(Arc::clone(stream))) as Arc<dyn Observer>));

    let signals = runtime.spawn(cancel_when_asked(options.cancellation.clone(), || {}));
    let report = runtime.block_on(async {
        let mut report = prepared.run(options, observers).await;
        if let Some(reason) = recording.end(report.error.is_some()).await {
            report.status = Status::Failed;
            report.error = Some(RunError::Aborted { reason, counts: Box::new(report.counts) });
        }
        report
    });
    let streamed = stream.map(|stream| {
        stream.observe(&Event::RunFinished(&report));
        terminal::printed(stream.finish())
    });
    signals.abort();
    // A cancelled loader may still block a thread; its result is not needed.
    runtime.shutdown_background();
    Ok((report, sync, streamed))
}

/// Passes the events of a run on but for its end, which is not known before its history is complete.
#[derive(Debug)]
struct UntilEnd(Arc<EventStream>);

impl Observer for UntilEnd {
    fn observe(&self, event: &Event<'_>) {
        if !matches!(event, Event::RunFinished(_)) {
            self.0.observe(event);
        }
    }
}

/// The stream of the events of a run, if it is wanted.
fn stream(
    run: &Started<'_>,
    sync: Option<SyncId>,
    options: &mut RunOptions,
    matches: &ArgMatches,
) -> Result<Option<Arc<EventStream>>, String> {
    if output_of(matches) != Output::JsonLines {
        return Ok(None);
    }
    let stream = EventStream::start(terminal::output(), run.selected.profile_name(), sync)
        .map_err(|error| format!("the events cannot be printed: {error}"))?;
    let stream = Arc::new(stream);
    options.lock = Some(stream.target_lock(options.lock.take()));
    StreamLayer::write_to(&stream);
    Ok(Some(stream))
}

/// Prints the report of a run, and returns the exit code.
pub(crate) fn print(report: &Report<'_>, matches: &ArgMatches) -> Exit {
    let is_quiet = is_set(matches, "quiet");
    let printed = match (report.streamed, output_of(matches)) {
        (Some(streamed), _) => streamed,
        (None, Output::Text) if is_quiet => {
            report.warn();
            Exit::Done
        }
        (None, Output::Text) => {
            let look = Look { full: is_set(matches, "full"), coloured: terminal::is_coloured(matches) };
            terminal::print_with(|out| report.write(out, look))
        }
        (None, _) => terminal::print_json(report),
    };
    // The report as text ends with them.
    if output_of(matches) != Output::Text && !is_quiet {
        report.closing.iter().for_each(|line| terminal::note(line));
    }

    if let Some(mut error) = report.run.error_text() {
        if let Some(advice) = report.run.error.as_ref().and_then(advice::on_run) {
            error = format!("{error}\n{advice}");
        }
        // Printed last, where it is seen, and to standard error, since the report may be piped.
        terminal::fail(&terminal::indented(&error));
    }

    match printed {
        Exit::Done => {
            let has_changes = report.run.plan().is_some_and(|plan| !plan.diff().is_empty());
            Exit::of(report.run.status, has_changes && is_set(matches, "detailed-exitcode"))
        }
        failed => failed,
    }
}

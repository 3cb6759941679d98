//! The command `run JOB`, and the parts that it shares with the other commands that run a job.

use std::sync::Arc;

use clap::ArgMatches;
use diffsync_core::JobRegistry;
use diffsync_core::job::{JobEntry, PreparedJob, VariableSpec, VariableValues};
use diffsync_core::report::{Observer, RunReport, TracingObserver};
use diffsync_core::run::RunOptions;
use diffsync_history::SyncId;

use crate::advice;
use crate::choices;
use crate::exit::{Exit, NotRun};
use crate::flags::wants_json;
use crate::flags::{self, is_set};
use crate::history::{Recording, Started};
use crate::profile::Profiles;
use crate::report::{Look, Report};
use crate::runtime::runtime;
use crate::signal::cancel_when_asked;
use crate::terminal::{self, Progress};
use crate::undo::UndoFile;

pub(crate) fn run(registry: &JobRegistry, profiles: &Profiles, matches: &ArgMatches, program: &str) -> Exit {
    let Some((name, matches)) = matches.subcommand() else { return Exit::Failed };
    run_job(registry, profiles, name, matches, program)
        .unwrap_or_else(|NotRun(exit, error)| terminal::fail_as(exit, &error))
}

fn run_job(
    registry: &JobRegistry,
    profiles: &Profiles,
    name: &str,
    matches: &ArgMatches,
    program: &str,
) -> Result<Exit, NotRun> {
    let selected = profiles.select(registry, name)?;
    let (job, profile) = (selected.job, selected.profile_name());
    let values = selected.values(matches)?;
    let prepared = prepare(job, &values, |spec| selected.how_to_set(spec))?;

    let mut undo_file = UndoFile::wanted(matches)?;
    let mut options = flags::options(selected.options(), matches);
    let log = undo_file.as_mut().map(|file| file.follow(&selected, &mut options, &values, program));
    let run = Started { selected: &selected, values: &values, plan: None, program, kept: profiles.retention() };
    let (report, sync) = execute(&run, &*prepared, &options, log, matches)?;

    let mut closing = Vec::new();
    let would_write = report.plan().is_some_and(|plan| plan.diff().summary().total.operations() > 0);
    if options.dry_run && report.error.is_none() && would_write {
        // A profile may say that a run writes, and a flag that this one does not.
        let flag = if selected.is_dry_by_default() { "with --apply" } else { "without --dry-run" };
        closing.push(format!("run it again {flag} to write this"));
    }

    // The report is printed even if the undo plan could not be written.
    let mut undo_written = Ok(());
    if let Some(file) = undo_file {
        undo_written = file.write(&report, &mut closing);
    }
    let exit = print(&Report { job: job.info(), profile, run: &report, plan: None, sync, closing: &closing }, matches);
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
            let choices = choices::hint(job, error, values);
            format!("{error}\n  set it with {how}{choices}")
        });
        lines.collect::<Vec<_>>().join("\nerror: ")
    })?;

    for warning in choices::warnings(job, values) {
        terminal::warn(&warning);
    }
    Ok(prepared)
}

/// Runs a job to its end, or until the program receives a signal. The run is recorded as the returned sync.
pub(crate) fn execute(
    run: &Started<'_>,
    prepared: &dyn PreparedJob,
    options: &RunOptions,
    log: Option<Arc<dyn Observer>>,
    matches: &ArgMatches,
) -> Result<(RunReport, Option<SyncId>), NotRun> {
    let runtime = runtime()?;
    let mut options = options.clone();
    let recording = runtime.block_on(Recording::begin(run, &mut options, matches))?;
    let sync = recording.sync();

    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::new(Progress::new()), Arc::new(TracingObserver::default())];
    observers.extend(log);
    observers.extend(recording.observer());

    let signals = runtime.spawn(cancel_when_asked(options.cancellation.clone()));
    let report = runtime.block_on(async {
        let mut report = prepared.run(options, observers).await;
        recording.end(&mut report).await;
        report
    });
    signals.abort();
    // A cancelled loader may still block a thread; its result is not needed.
    runtime.shutdown_background();
    Ok((report, sync))
}

/// Prints the report of a run, and returns the exit code.
pub(crate) fn print(report: &Report<'_>, matches: &ArgMatches) -> Exit {
    let printed = if wants_json(matches) {
        let printed = terminal::print_json(report);
        report.closing.iter().for_each(|line| terminal::note(line));
        printed
    } else {
        let look = Look { full: is_set(matches, "full"), coloured: terminal::is_coloured(matches) };
        terminal::print_with(|out| report.write(out, look))
    };

    if let Some(mut error) = report.run.error_text() {
        if let Some(advice) = report.run.error.as_ref().and_then(advice::on_run) {
            error = format!("{error}\n{advice}");
        }
        // Printed last, where it is seen, and to standard error, since the report may be piped.
        terminal::fail(&terminal::indented(&error));
    }

    match printed {
        Exit::Done => Exit::of(report.run, is_set(matches, "detailed-exitcode")),
        failed => failed,
    }
}

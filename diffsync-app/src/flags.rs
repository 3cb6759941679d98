//! The flags of a run that are no variables of its job, and what they make of its options.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};
use diffsync_core::job::JobInfo;
use diffsync_core::model::{Flags, LimitOverride, OnGuard, Operation};
use diffsync_core::plan_file::RecordFilter;
use diffsync_core::run::RunOptions;

const HEADING: &str = "Run";
const GUARDS: &str = "Guards";
const FILTERS: &str = "Filters";

fn switch(name: &'static str, heading: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading(heading)
}

fn value(name: &'static str, value_name: &'static str, heading: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value_name).help(help).help_heading(heading)
}

/// Whether a run writes, where it may do either.
pub(crate) fn mode(job: &JobInfo) -> [Arg; 2] {
    let dry_run = if job.dryrun_default { "Write nothing (the default)" } else { "Write nothing" };
    let apply = if job.dryrun_default { "Write to the target" } else { "Write to the target (the default)" };
    [switch("apply", HEADING, apply).conflicts_with("dry-run"), switch("dry-run", HEADING, dry_run)]
}

/// How both sides are loaded and what is measured.
pub(crate) fn loading() -> Vec<Arg> {
    vec![
        switch("memory-profiling", HEADING, "Measure the memory that each step takes"),
        switch("parallel-loading", HEADING, "Load both sides at the same time"),
        switch("log-unchanged-records", HEADING, "Log also the records that are the same on both sides (with -vv)"),
        value("time-limit", "DURATION", HEADING, "Begin nothing more after so long, as in 90s, 15m or 2h")
            .value_parser(duration),
        switch("detailed-exitcode", HEADING, "End with code 2 if there are changes"),
    ]
}

/// What takes part.
pub(crate) fn selecting() -> Vec<Arg> {
    let only = |name, help| switch(name, FILTERS, help);
    vec![
        value("only", "MODEL[=GLOB]", FILTERS, "Only this model, or its records that match, as in country=fr*")
            .value_parser(RecordFilter::from_str)
            .action(ArgAction::Append),
        only("only-creates", "Only create (with the others of these: those as well)"),
        only("only-updates", "Only update"),
        only("only-deletes", "Only delete"),
        only("skip-unmatched-src", "Create nothing"),
        only("skip-unmatched-dst", "Delete nothing"),
        only("skip-unmatched-both", "Neither create nor delete"),
        value(
            "max-rejected",
            "PERCENT",
            GUARDS,
            "Refuse the run if more of a model's records than this cannot be used [default: 1]",
        )
        .value_parser(percent),
    ]
}

/// Limits that are lifted.
pub(crate) fn lifting() -> Vec<Arg> {
    let lift = |name, operation, help| {
        value(name, "MODEL=LIMIT", GUARDS, help)
            .value_parser(move |text: &str| LimitOverride::parse(operation, text))
            .action(ArgAction::Append)
    };
    vec![
        lift(
            "allow-creates",
            Operation::Create,
            "Create up to so many records of a model, as in country=120 or country=50%",
        ),
        lift("allow-updates", Operation::Update, "Update up to so many"),
        lift("allow-deletes", Operation::Delete, "Delete up to so many"),
    ]
}

/// What happens at a limit.
pub(crate) fn on_guard() -> Arg {
    value("on-guard", "ACTION", GUARDS, "At a limit refuse the run, or hold back what goes beyond it and do the rest")
        .value_parser(["stop", "hold"])
}

/// How the target is written.
pub(crate) fn writing() -> Vec<Arg> {
    vec![
        switch("stop-on-failure", HEADING, "End the run at the first record that fails"),
        value("max-failures", "N", HEADING, "End the run when so many records have failed").value_parser(at_least_one),
        value("retries", "N", HEADING, "Ask the target so often again after an error that may go away [default: 4]")
            .value_parser(clap::value_parser!(u16)),
        value("record-time-limit", "DURATION", HEADING, "Wait so long for one record or batch [default: 5m]")
            .value_parser(duration),
        value("concurrency", "N", HEADING, "Write up to so many records at the same time").value_parser(at_least_one),
        value("undo-file", "FILE", HEADING, "Write to this file the plan that takes the run back")
            .value_parser(clap::value_parser!(std::path::PathBuf)),
    ]
}

/// Who signs a plan, and the key of its secrets.
pub(crate) fn signing() -> Vec<Arg> {
    vec![by(), key_file()]
}

pub(crate) fn by() -> Arg {
    value("by", "NAME", "Plan", "Who makes or approves the plan [default: the user's name]")
}

fn key_file() -> Arg {
    value(
        "key-file",
        "FILE",
        "Plan",
        "The key with which secrets are sealed [env: DIFFSYNC_PLAN_KEY holds the key itself]",
    )
    .value_parser(clap::value_parser!(std::path::PathBuf))
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a number from 1 up")
}

fn percent(text: &str) -> Result<f64, &'static str> {
    const EXPECTED: &str = "expected a number from 0 to 100";
    let percent: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| EXPECTED)?;
    if (0.0..=100.0).contains(&percent) { Ok(percent) } else { Err(EXPECTED) }
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    let duration = humantime::parse_duration(text.trim()).ok().filter(|duration| !duration.is_zero());
    duration.ok_or("expected a duration such as 90s, 15m or 2h")
}

/// The value of a flag, if the command has it and it was given.
fn given<T: Copy + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Option<T> {
    matches.try_get_one::<T>(name).ok().flatten().copied()
}

fn all_given<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> impl Iterator<Item = T> {
    matches.try_get_many::<T>(name).ok().flatten().into_iter().flatten().cloned()
}

/// Whether a switch was given.
pub(crate) fn is_set(matches: &ArgMatches, name: &str) -> bool {
    given(matches, name).unwrap_or(false)
}

/// The options of a run, as the flags say. A command that lacks some of them leaves these as they are.
pub(crate) fn options(mut options: RunOptions, matches: &ArgMatches) -> RunOptions {
    if is_set(matches, "apply") {
        options.dry_run = false;
    }
    if is_set(matches, "dry-run") {
        options.dry_run = true;
    }
    options.memory_profiling = is_set(matches, "memory-profiling");
    options.parallel_loading = is_set(matches, "parallel-loading");
    options.log_unchanged_records = is_set(matches, "log-unchanged-records");
    options.continue_on_failure = !is_set(matches, "stop-on-failure");
    options.max_failures = given::<NonZeroUsize>(matches, "max-failures").map(usize::from);
    options.concurrency = given(matches, "concurrency").or(options.concurrency);
    options.retry.times = given::<u16>(matches, "retries").map_or(options.retry.times, usize::from);
    options.time_limit = given(matches, "time-limit").or(options.time_limit);
    options.record_time_limit = given(matches, "record-time-limit").or(options.record_time_limit);
    options.max_rejected =
        given::<f64>(matches, "max-rejected").map_or(options.max_rejected, |percent| percent / 100.0);
    for (name, flags) in [
        ("skip-unmatched-src", Flags::SKIP_UNMATCHED_SRC),
        ("skip-unmatched-dst", Flags::SKIP_UNMATCHED_DST),
        ("skip-unmatched-both", Flags::SKIP_UNMATCHED_BOTH),
    ] {
        if is_set(matches, name) {
            options.flags |= flags;
        }
    }
    options.filter.records.extend(all_given::<RecordFilter>(matches, "only"));
    for (name, operation) in
        [("only-creates", Operation::Create), ("only-updates", Operation::Update), ("only-deletes", Operation::Delete)]
    {
        options.filter.operations.extend(is_set(matches, name).then_some(operation));
    }
    for name in ["allow-creates", "allow-updates", "allow-deletes"] {
        options.limit_overrides.extend(all_given::<LimitOverride>(matches, name));
    }
    match all_given::<String>(matches, "on-guard").next().as_deref() {
        Some("hold") => options.on_guard = OnGuard::Hold,
        Some(_) => options.on_guard = OnGuard::Stop,
        None => {}
    }
    options
}

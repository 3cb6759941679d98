//! The flags of a run that are not variables of its job, and the options that they set.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::StyledStr;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use diffsync_core::model::{Flags, LimitOverride, OnGuard, Operation};
use diffsync_core::plan_file::RecordFilter;
use diffsync_core::run::RunOptions;

const HEADING: &str = "Run";
const GUARDS: &str = "Guards";
const FILTERS: &str = "Filters";

fn switch(name: &'static str, heading: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading(heading)
}

fn value(name: &'static str, value_name: &'static str, heading: &'static str, help: impl Into<StyledStr>) -> Arg {
    Arg::new(name).long(name).value_name(value_name).help(help.into()).help_heading(heading)
}

/// Whether a run writes.
pub(crate) fn mode(is_dry_by_default: bool) -> [Arg; 2] {
    let dry_run = if is_dry_by_default { "Write nothing (the default)" } else { "Write nothing" };
    let apply = if is_dry_by_default { "Write to the target" } else { "Write to the target (the default)" };
    [switch("apply", HEADING, apply).conflicts_with("dry-run"), switch("dry-run", HEADING, dry_run)]
}

/// How both sides are loaded, and what is measured.
pub(crate) fn loading() -> Vec<Arg> {
    vec![
        switch("memory-profiling", HEADING, "Measure the memory of each step"),
        switch("parallel-loading", HEADING, "Load both sides at the same time"),
        switch("log-unchanged-records", HEADING, "With -vv, also log the records that are the same on both sides"),
        value("time-limit", "DURATION", HEADING, "End the run after this time, as in 90s, 15m or 2h")
            .value_parser(duration),
        switch("detailed-exitcode", HEADING, "Exit with 2 if there are changes"),
    ]
}

/// The name of a model in the examples of help texts: the job's first, or a placeholder.
fn example(models: &[&'static str]) -> &'static str {
    models.first().copied().unwrap_or("MODEL")
}

/// The filters of a job with these models.
pub(crate) fn selecting(models: &[&'static str]) -> Vec<Arg> {
    let only = |name, help| switch(name, FILTERS, help);
    let example = example(models);
    let help = format!("Include only this model, or only its records that match, as in {example}=a*; repeatable");
    vec![
        value("only", "MODEL[=GLOB]", FILTERS, help).value_parser(RecordFilter::from_str).action(ArgAction::Append),
        only("only-creates", "Include only creates; can be combined with --only-updates or --only-deletes"),
        only("only-updates", "Include only updates; can be combined with the others"),
        only("only-deletes", "Include only deletes; can be combined with the others"),
        only("skip-unmatched-src", "Create no records"),
        only("skip-unmatched-dst", "Delete no records"),
        only("skip-unmatched-both", "Neither create nor delete records"),
        value(
            "max-rejected",
            "PERCENT",
            GUARDS,
            "Refuse the run if more than this share of a model's records is unusable [default: 1]",
        )
        .value_parser(percent),
    ]
}

/// The limit overrides of a job with these models.
pub(crate) fn limits(models: &[&'static str]) -> Vec<Arg> {
    let example = example(models);
    let allow = |name, operation: Operation| {
        let help = format!("Allow up to this many {operation}s of a model, as in {example}=120 or {example}=50%");
        value(name, "MODEL=LIMIT", GUARDS, help)
            .value_parser(move |text: &str| LimitOverride::parse(operation, text))
            .action(ArgAction::Append)
    };
    vec![
        allow("allow-creates", Operation::Create),
        allow("allow-updates", Operation::Update),
        allow("allow-deletes", Operation::Delete),
    ]
}

/// What happens at a limit.
pub(crate) fn on_guard() -> Arg {
    value(
        "on-guard",
        "ACTION",
        GUARDS,
        "Beyond a limit, stop: refuse the run; hold: hold the model's operations of that kind and do the rest",
    )
    .value_parser(["stop", "hold"])
}

/// How the target is written to.
pub(crate) fn writing() -> Vec<Arg> {
    vec![
        switch("stop-on-failure", HEADING, "End the run at the first record that fails or is unknown"),
        value("max-failures", "N", HEADING, "End the run once this many records have failed or are unknown")
            .value_parser(at_least_one),
        value("retries", "N", HEADING, "Retry a call up to this many times after a transient error [default: 4]")
            .value_parser(clap::value_parser!(u16)),
        value("record-time-limit", "DURATION", HEADING, "Wait at most this long for one record or batch [default: 5m]")
            .value_parser(duration),
        value("concurrency", "N", HEADING, "Write up to this many records or batches at a time")
            .value_parser(at_least_one),
        value("undo-file", "FILE", HEADING, "Write a plan that undoes the run to this file")
            .value_parser(clap::value_parser!(std::path::PathBuf)),
    ]
}

/// How a command prints what it found or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// As text.
    Text,
    /// As one JSON document.
    Json,
    /// Event by event while the run goes on, as JSON Lines.
    JsonLines,
}

/// The format of a report.
pub(crate) fn output() -> Arg {
    Arg::new("output")
        .long("output")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("The format of the report")
}

/// The format of the report of a run, or of its events.
pub(crate) fn run_output() -> Arg {
    output()
        .value_parser(["text", "json", "jsonl"])
        .help("The format of the report; jsonl: instead of the report, print the events of the run as they happen")
}

/// The format that was chosen.
pub(crate) fn output_of(matches: &ArgMatches) -> Output {
    match matches.get_one::<String>("output").map(String::as_str) {
        Some("json") => Output::Json,
        Some("jsonl") => Output::JsonLines,
        _ => Output::Text,
    }
}

/// Whether the report is printed as JSON.
pub(crate) fn wants_json(matches: &ArgMatches) -> bool {
    output_of(matches) == Output::Json
}

/// Who signs a plan file, and the key of its secrets.
pub(crate) fn signing() -> Vec<Arg> {
    vec![by(), key_file()]
}

pub(crate) fn by() -> Arg {
    value("by", "NAME", "Plan", "Who makes or approves the plan file [default: your user name]")
}

fn key_file() -> Arg {
    value(
        "key-file",
        "FILE",
        "Plan",
        "The file with the key for hashing secrets [env: DIFFSYNC_PLAN_KEY holds the key itself]",
    )
    .value_parser(clap::value_parser!(std::path::PathBuf))
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a number from 1 up")
}

pub(crate) fn percent(text: &str) -> Result<f64, &'static str> {
    const EXPECTED: &str = "expected a number from 0 to 100";
    let percent: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| EXPECTED)?;
    if (0.0..=100.0).contains(&percent) { Ok(percent) } else { Err(EXPECTED) }
}

pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    let duration = humantime::parse_duration(text.trim()).ok().filter(|duration| !duration.is_zero());
    duration.ok_or("expected a duration such as 90s, 15m or 2h")
}

/// An age, which may be nothing.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    humantime::parse_duration(text).map_err(|_| match text.parse::<u64>() {
        Ok(number) => format!("a unit is missing, as in {number}d"),
        Err(_) => "expected an age such as 90d, 12h or 30m".to_owned(),
    })
}

/// An age as it is written, in days where that is possible: other units are months and years of fractions of days.
pub(crate) fn age_text(age: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let seconds = age.as_secs();
    if seconds > 0 && seconds.is_multiple_of(DAY) && age.subsec_nanos() == 0 {
        format!("{}d", seconds / DAY)
    } else {
        humantime::format_duration(age).to_string()
    }
}

/// The value of a flag, if the command has the flag and it was given.
fn given<T: Copy + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Option<T> {
    matches.try_get_one::<T>(name).ok().flatten().copied()
}

fn all_given<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> impl Iterator<Item = T> {
    matches.try_get_many::<T>(name).ok().flatten().into_iter().flatten().cloned()
}

/// Whether a flag was given, if the command has it.
pub(crate) fn is_given(matches: &ArgMatches, name: &str) -> bool {
    let is_known = matches.try_contains_id(name).is_ok();
    is_known && matches.value_source(name) == Some(ValueSource::CommandLine)
}

/// Whether a switch was given.
pub(crate) fn is_set(matches: &ArgMatches, name: &str) -> bool {
    given(matches, name).unwrap_or(false)
}

/// The options of a run with the flags applied. Options without a flag in this command stay as they are.
pub(crate) fn options(mut options: RunOptions, matches: &ArgMatches) -> RunOptions {
    if is_set(matches, "apply") {
        options.dry_run = false;
    }
    if is_set(matches, "dry-run") {
        options.dry_run = true;
    }

    options.memory_profiling |= is_set(matches, "memory-profiling");
    options.parallel_loading |= is_set(matches, "parallel-loading");
    options.log_unchanged_records |= is_set(matches, "log-unchanged-records");

    options.continue_on_failure &= !is_set(matches, "stop-on-failure");
    options.max_failures = given::<NonZeroUsize>(matches, "max-failures").map(usize::from).or(options.max_failures);
    options.concurrency = given(matches, "concurrency").or(options.concurrency);
    if let Some(times) = given::<u16>(matches, "retries").map(usize::from) {
        options.retry.times = times;
        options.request_retries = Some(times);
    }
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

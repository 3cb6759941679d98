//! The command line, made from the jobs that the program knows.

use std::num::NonZeroUsize;

use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};
use diffsync_core::{JobEntry, JobRegistry, VariableKind, VariableSpec, VariableValues};

use crate::exit::Exit;
use crate::terminal;

/// The program's commands.
pub(crate) fn command(registry: &JobRegistry) -> Command {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_stem()).and_then(|name| name.to_str());
    Command::new(name.unwrap_or("diffsync").to_owned())
        .about("Keeps two systems in step: shows how they differ and brings the target in line with the source")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::Count)
                .global(true)
                .help("Log what happens to standard error: -v steps, -vv records"),
        )
        .subcommand(Command::new("list").about("List the jobs").arg(output()))
        .subcommand(
            Command::new("show")
                .about("Show what a job compares and what can be set")
                .arg(Arg::new("job").value_name("JOB").required(true).help("The job's id, as `list` shows it"))
                .arg(output()),
        )
        .subcommand(
            Command::new("run")
                .about("Run a job: `run JOB` shows what it would do, `run JOB --apply` does it, `run JOB --help` shows its flags")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand_value_name("JOB")
                .subcommand_help_heading("Jobs")
                .disable_help_subcommand(true)
                .subcommands(registry.iter().map(run_job)),
        )
}

/// `run JOB`, with the job's variables as flags.
fn run_job(job: &JobEntry) -> Command {
    let info = job.info();
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading("Run")
    };
    let dry_run = if info.dryrun_default { "Write nothing (the default)" } else { "Write nothing" };
    let apply = if info.dryrun_default { "Write to the target" } else { "Write to the target (the default)" };
    Command::new(info.id)
        .about(if info.description.is_empty() { info.name } else { info.description })
        .hide(info.hidden)
        .args(job.variables().iter().map(variable))
        .arg(flag("apply", apply).conflicts_with("dry-run"))
        .arg(flag("dry-run", dry_run))
        .arg(flag("memory-profiling", "Measure the memory that each step takes"))
        .arg(flag("parallel-loading", "Load both sides at the same time"))
        .arg(flag("stop-on-failure", "End the run at the first record that fails"))
        .arg(
            Arg::new("concurrency")
                .long("concurrency")
                .value_name("N")
                .value_parser(at_least_one)
                .help("Write up to so many records at the same time")
                .help_heading("Run"),
        )
        .arg(
            Arg::new("max-rejected")
                .long("max-rejected")
                .value_name("PERCENT")
                .value_parser(percent)
                .help("Refuse the run if more of a model's records than this cannot be used [default: 1]")
                .help_heading("Run"),
        )
        .arg(output())
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a number from 1 up")
}

fn percent(text: &str) -> Result<f64, String> {
    let percent: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| "expected a number from 0 to 100")?;
    if (0.0..=100.0).contains(&percent) { Ok(percent) } else { Err("expected a number from 0 to 100".into()) }
}

fn output() -> Arg {
    Arg::new("output")
        .long("output")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("How to report")
}

/// Whether a report is wanted as JSON.
pub(crate) fn wants_json(matches: &ArgMatches) -> bool {
    matches.get_one::<String>("output").is_some_and(|format| format == "json")
}

/// The flag of a variable.
pub(crate) fn flag_name(variable: &VariableSpec) -> String {
    variable.name.replace('_', "-")
}

fn variable(spec: &'static VariableSpec) -> Arg {
    let mut help = spec.help.to_owned();
    let mut note = |text: String| {
        if !help.is_empty() {
            help.push(' ');
        }
        help.push_str(&text);
    };
    if let Some(default) = spec.default.filter(|_| !spec.secret) {
        note(format!("[default: {default}]"));
    }
    if let Some(env) = spec.env {
        note(format!("[env: {env}]"));
    }
    if spec.required {
        note("[required]".into());
    }
    let arg = Arg::new(spec.name).long(flag_name(spec)).help(help).help_heading(spec.group.unwrap_or("Variables"));
    let number = |kind| matches!(kind, VariableKind::Integer | VariableKind::Number);
    let arg =
        arg.allow_negative_numbers(matches!(spec.kind, VariableKind::List(kind) if number(*kind)) || number(spec.kind));
    match spec.kind {
        VariableKind::Boolean => {
            arg.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true")
        }
        VariableKind::List(_) => arg.value_name(value_name(spec.kind)).action(ArgAction::Append),
        VariableKind::Choice(choices) => arg.value_name("CHOICE").value_parser(PossibleValuesParser::new(choices)),
        kind => arg.value_name(value_name(kind)),
    }
}

fn value_name(kind: VariableKind) -> &'static str {
    match kind {
        VariableKind::Integer | VariableKind::Number => "NUMBER",
        VariableKind::Boolean => "BOOL",
        VariableKind::Url => "URL",
        VariableKind::Path => "PATH",
        VariableKind::Json => "JSON",
        VariableKind::List(kind) => value_name(*kind),
        _ => "TEXT",
    }
}

/// The values that were given for a job's variables.
pub(crate) fn variable_values(job: &JobEntry, matches: &ArgMatches) -> VariableValues {
    job.variables().iter().fold(VariableValues::new(), |values, spec| {
        let given = matches.get_many::<String>(spec.name).into_iter().flatten();
        given.fold(values, |values, text| values.with(spec.name, text))
    })
}

/// Says what is wrong with the command line. A job that does not exist is named as such.
pub(crate) fn usage_error(error: &clap::Error, registry: &JobRegistry) -> Exit {
    let unknown = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name))) => Some(name),
        _ => None,
    };
    if let Some(name) = unknown
        && error.get(ContextKind::Usage).is_some_and(|usage| usage.to_string().contains(" run "))
        && let Err(unknown) = registry.get(name)
    {
        return terminal::fail(&format!("{unknown}\n`list` shows all jobs"));
    }
    // Asking for help is no mistake.
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    terminal::print_usage(error);
    if asked { Exit::Done } else { Exit::Failed }
}

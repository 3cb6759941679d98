//! The command line, built from the program's jobs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, value_parser};

use crate::completions;
use crate::exit::Exit;
use crate::flags;
use crate::history;
use crate::jobs::{AnyJob, Jobs};
use crate::man;
use crate::profile::{Profiles, Selected};
use crate::program;
#[cfg(feature = "web")]
use crate::serve;
use crate::signature::program_name;
use crate::terminal;
use crate::variables::variable;

/// The program's commands.
pub(crate) fn command(jobs: &Jobs, profiles: &Profiles, version: &'static str) -> Command {
    let command = Command::new(program_name())
        .about("Keeps two systems in sync: shows how they differ, and brings the target in line with the source")
        .version(version)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::Count)
                .global(true)
                .help("Log to standard error: steps with -v, also records with -vv"),
        )
        .arg(
            Arg::new("quiet")
                .short('q')
                .long("quiet")
                .action(ArgAction::SetTrue)
                .global(true)
                .conflicts_with("verbose")
                .help("Print no report, progress or notes of a run, only errors and warnings; --output json and jsonl still print theirs"),
        )
        .arg(
            Arg::new("log-format")
                .long("log-format")
                .value_name("FORMAT")
                .global(true)
                .value_parser(["text", "json"])
                .default_value("text")
                .help("The format of the lines on standard error; json: each is an object"),
        )
        .arg(
            Arg::new("color")
                .long("color")
                .value_name("WHEN")
                .global(true)
                .value_parser(["auto", "always", "never"])
                .default_value("auto")
                .help("Colour the report; `auto`: on a terminal, unless NO_COLOR is set"),
        )
        .arg(
            Arg::new("profiles")
                .long("profiles")
                .value_name("FILE")
                .global(true)
                .value_parser(value_parser!(PathBuf))
                .help("The file of profiles [env: DIFFSYNC_PROFILES] [default: profiles.toml, if it exists]"),
        )
        .arg(
            Arg::new("jobs-root")
                .long("jobs-root")
                .value_name("DIR")
                .global(true)
                .value_parser(value_parser!(PathBuf))
                .help("The folder of job programs, whose jobs are run as well [env: DIFFSYNC_JOBS_ROOT]"),
        )
        .subcommand(Command::new("list").about("List the jobs and their profiles").arg(flags::output()))
        .subcommand(
            Command::new("show")
                .about("Show what a job compares, and its variables and profiles")
                .arg(
                    Arg::new("job")
                        .value_name("JOB[@PROFILE]")
                        .required(true)
                        .help("The job's id, or the job with a profile, as `list` shows it"),
                )
                .arg(flags::output()),
        )
        .subcommand(
            Command::new("check")
                .about("Test whether both systems of a job can be used, without loading or writing anything")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand_value_name("JOB")
                .subcommand_help_heading("Jobs")
                .disable_help_subcommand(true)
                .subcommands(
                    profiles.selections(jobs).map(|selected| linked(&selected, of_job(&selected)).arg(flags::output())),
                ),
        )
        .subcommand(
            Command::new("run")
                .about("Run a job: `run JOB` shows the changes, `--apply` makes them, `run JOB --help` lists the flags")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand_value_name("JOB")
                .subcommand_help_heading("Jobs")
                .disable_help_subcommand(true)
                .subcommands(profiles.selections(jobs).map(|selected| run_job(&selected))),
        )
        .subcommand(plan(jobs, profiles))
        .subcommand(apply())
        .subcommand(history::command(profiles))
        .subcommand(completions::command())
        .subcommand(man::command())
        .subcommand(program::command());
    #[cfg(feature = "web")]
    let command = command.subcommand(serve::command());
    command
}

/// A command for a job that is linked in. For another one it is hidden, and says why it cannot be used.
fn linked(selected: &Selected<'_>, command: Command) -> Command {
    match selected.job {
        AnyJob::Linked(_) => command,
        AnyJob::Program(_) => command.hide(true),
    }
}

/// The command `run JOB`, with the job's variables as flags.
fn run_job(selected: &Selected<'_>) -> Command {
    let models = selected.job.models();
    let mut flags = Vec::new();
    flags.extend(flags::mode(selected.is_dry_by_default()));
    flags.extend(flags::loading());
    flags.extend(flags::writing());
    flags.extend(flags::selecting(&models));
    flags.extend(flags::limits(&models));
    flags.push(flags::on_guard());
    flags.extend(flags::signing());
    flags.extend(recording());
    flags.push(flags::run_output());
    flags.push(full());
    if let AnyJob::Program(job) = selected.job {
        flags.retain(|flag| job.takes(flag.get_id().as_str()));
    }
    of_job(selected).args(flags)
}

/// Whether and where a run is recorded.
fn recording() -> [Arg; 2] {
    [history::policy(), history::database_url()]
}

/// The command `plan JOB`, with the job's variables as flags.
fn plan_job(selected: &Selected<'_>) -> Command {
    let models = selected.job.models();
    let out = Arg::new("out").short('o').long("out").value_name("FILE").required(true).help_heading("Plan");
    of_job(selected)
        .arg(
            out.value_parser(value_parser!(PathBuf))
                .help("The plan file to write; it is compressed if its name ends in .gz"),
        )
        .args(flags::signing())
        .args(flags::loading())
        .args(flags::selecting(&models))
        .args(flags::limits(&models))
        .arg(flags::on_guard())
        .args(recording())
        .arg(flags::run_output())
        .arg(full())
}

fn of_job(selected: &Selected<'_>) -> Command {
    let job = selected.job;
    Command::new(selected.name().to_owned())
        .about(selected.about().to_owned())
        .hide(job.info().hidden)
        .args(job.variables().iter().map(|spec| variable(spec, selected.shown_value(spec))))
}

fn plan(jobs: &Jobs, profiles: &Profiles) -> Command {
    Command::new("plan")
        .about("Write a plan file, to review it and apply it later: `plan JOB -o FILE`")
        .args_conflicts_with_subcommands(true)
        .arg_required_else_help(true)
        .subcommand_value_name("JOB")
        .subcommand_help_heading("Jobs")
        .disable_help_subcommand(true)
        .arg(
            Arg::new("approve")
                .long("approve")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Approve a plan file that someone else made"),
        )
        .arg(flags::by())
        .subcommands(profiles.selections(jobs).map(|selected| linked(&selected, plan_job(&selected))))
}

fn apply() -> Command {
    let file = Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf));
    Command::new("apply")
        .about("Apply a plan file: the operations that it lists, and no others")
        .arg(file.help("A plan file, written by `plan` or `--undo-file`"))
        .arg(
            Arg::new("policy")
                .long("policy")
                .value_name("POLICY")
                .value_parser(["refuse", "skip-stale"])
                .default_value("refuse")
                .help("On drift since the plan was made: refuse the run, or skip the operations that no longer fit"),
        )
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("NAME=VALUE")
                .value_parser(named_value)
                .action(ArgAction::Append)
                .help("Set a variable that is not in the plan file because it may be a secret"),
        )
        .arg(Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).help("Write nothing"))
        .args(flags::loading())
        .args(flags::writing())
        .args(flags::limits(&[]))
        .args(flags::signing())
        .args(recording())
        .arg(flags::run_output())
        .arg(full())
}

fn named_value(text: &str) -> Result<(String, String), &'static str> {
    let named = text.split_once('=').filter(|(name, _)| !name.is_empty());
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or("expected a name and a value, as in token=abc")
}

fn full() -> Arg {
    Arg::new("full")
        .long("full")
        .action(ArgAction::SetTrue)
        .help("Show every line of the report; without this flag, long lists are cut")
}

/// Whether a usage is that of a command which takes a job.
fn of_a_job(usage: &str) -> bool {
    [" check ", " run ", " plan "].iter().any(|command| usage.contains(command))
}

/// The argument that was given to a command instead of its job.
fn instead_of_job(error: &clap::Error) -> Option<String> {
    let (Some(ContextValue::String(argument)), Some(usage)) =
        (error.get(ContextKind::InvalidArg), error.get(ContextKind::Usage))
    else {
        return None;
    };
    // Once the job is known, the usage shows its id instead of the placeholder.
    let usage = usage.to_string();
    let lacks_job = of_a_job(&usage) && usage.contains("JOB");
    (error.kind() == ErrorKind::UnknownArgument && lacks_job).then(|| argument.clone())
}

/// Prints what is wrong with the command line. An unknown or missing job is named as such.
pub(crate) fn usage_error(error: &clap::Error, jobs: &Jobs, profiles: &Profiles) -> Exit {
    let unknown = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name))) => Some(name),
        // Without any job, its name is just an argument too many.
        (ErrorKind::UnknownArgument, _) if jobs.iter().next().is_none() => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(name)) if !name.starts_with('-') => Some(name),
            _ => None,
        },
        _ => None,
    };
    if let Some(name) = unknown
        && error.get(ContextKind::Usage).is_some_and(|usage| of_a_job(&usage.to_string()))
        && let Err(unknown) = profiles.select(jobs, name)
    {
        return terminal::fail(&format!("{unknown}\n`list` shows all jobs"));
    }
    if let Some(argument) = instead_of_job(error) {
        return terminal::fail(&format!("the job is missing before `{argument}`\n`list` shows all jobs"));
    }

    // Asking for help is not a mistake.
    terminal::print_usage(error);
    if is_help(error) { Exit::Done } else { Exit::Failed }
}

fn is_help(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

/// Prints the help or the version if the arguments ask for it, and else why the profiles cannot be read.
pub(crate) fn help_or(profiles_error: &str, jobs: &Jobs, version: &'static str, arguments: Vec<OsString>) -> Exit {
    match command(jobs, &Profiles::default(), version).try_get_matches_from(arguments) {
        Err(error) if is_help(&error) => {
            terminal::print_usage(&error);
            Exit::Done
        }
        _ => terminal::fail(profiles_error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use diffsync_core::JobRegistry;
    use diffsync_core::job::JobEntry;
    use diffsync_core::schema::RUN_FLAGS;

    use super::*;
    use crate::example::NowhereToNowhere;

    #[test]
    fn a_missing_job_is_named_whatever_flag_is_in_its_place() {
        let jobs = Jobs::from(JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap());
        let missing = |arguments: &[&str]| {
            let all = std::iter::once("jobs").chain(arguments.iter().copied());
            instead_of_job(&command(&jobs, &Profiles::default(), "1.2.3").try_get_matches_from(all).unwrap_err())
        };
        assert_eq!(missing(&["plan", "-o", "x.plan"]).as_deref(), Some("-o"));
        assert_eq!(missing(&["run", "--apply"]).as_deref(), Some("--apply"));
        assert_eq!(missing(&["check", "--output", "json"]).as_deref(), Some("--output"));
        assert_eq!(missing(&["run", "nowhere-to-nowhere", "--aply"]), None);
        assert_eq!(missing(&["list", "--aply"]), None);
    }

    #[test]
    fn the_examples_of_flags_are_models_of_the_job() {
        let jobs = Jobs::from(JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap());
        let mut command = command(&jobs, &Profiles::default(), "1.2.3");
        command.build();
        let run = command.find_subcommand("run").and_then(|run| run.find_subcommand("nowhere-to-nowhere")).unwrap();
        let help = |name: &str| {
            run.get_arguments().find(|arg| arg.get_id() == name).and_then(Arg::get_help).unwrap().to_string()
        };
        assert!(help("only").contains("as in site=a*;"), "{}", help("only"));
        for name in ["allow-creates", "allow-updates", "allow-deletes"] {
            assert!(help(name).ends_with("as in site=120 or site=50%"), "{}", help(name));
        }
    }

    #[test]
    fn the_core_knows_which_names_the_variables_of_a_job_cannot_have() {
        let jobs = Jobs::from(JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap());
        let mut command = command(&jobs, &Profiles::default(), "1.2.3");
        command.build();
        let mut flags = BTreeSet::new();
        for name in ["run", "plan"] {
            let job = command.find_subcommand(name).and_then(|run| run.find_subcommand("nowhere-to-nowhere")).unwrap();
            flags.extend(job.get_arguments().map(|arg| arg.get_id().as_str().replace('-', "_")));
        }
        for variable in JobEntry::new::<NowhereToNowhere>().variables() {
            flags.remove(variable.name);
        }
        // The program's own.
        flags.extend(["color", "jobs_root", "log_format", "profiles", "quiet", "version"].map(str::to_owned));
        assert_eq!(flags, RUN_FLAGS.iter().map(|flag| (*flag).to_owned()).collect());
        assert!(RUN_FLAGS.is_sorted());
    }
}

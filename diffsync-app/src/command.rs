//! The command line, made from the jobs that the program knows.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use diffsync_core::JobRegistry;
use diffsync_core::job::{JobEntry, VariableKind, VariableSpec, VariableValues};

use crate::exit::Exit;
use crate::flags;
use crate::terminal;

/// The program's commands.
pub(crate) fn command(registry: &JobRegistry, version: &'static str) -> Command {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_stem()).and_then(|name| name.to_str());
    Command::new(name.unwrap_or("diffsync").to_owned())
        .about("Keeps two systems in step: shows how they differ and brings the target in line with the source")
        .version(version)
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
        .arg(
            Arg::new("color")
                .long("color")
                .value_name("WHEN")
                .global(true)
                .value_parser(["auto", "always", "never"])
                .default_value("auto")
                .help("Colour the report; `auto` does so on a terminal, unless NO_COLOR is set"),
        )
        .subcommand(Command::new("list").about("List the jobs").arg(output()))
        .subcommand(
            Command::new("show")
                .about("Show what a job compares and what can be set")
                .arg(Arg::new("job").value_name("JOB").required(true).help("The job's id, as `list` shows it"))
                .arg(output()),
        )
        .subcommand(
            Command::new("check")
                .about("Test whether both systems of a job can be reached and used, without loading or writing anything")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand_value_name("JOB")
                .subcommand_help_heading("Jobs")
                .disable_help_subcommand(true)
                .subcommands(registry.iter().map(|job| of_job(job).arg(output()))),
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
        .subcommand(plan(registry))
        .subcommand(apply())
}

/// `run JOB`, with the job's variables as flags.
fn run_job(job: &JobEntry) -> Command {
    of_job(job)
        .args(flags::mode(job.info()))
        .args(flags::loading())
        .args(flags::writing())
        .args(flags::selecting())
        .args(flags::lifting())
        .arg(flags::on_guard())
        .args(flags::signing())
        .arg(output())
        .arg(full())
}

/// `plan JOB`, with the job's variables as flags.
fn plan_job(job: &JobEntry) -> Command {
    let out = Arg::new("out").short('o').long("out").value_name("FILE").required(true).help_heading("Plan");
    of_job(job)
        .arg(out.value_parser(value_parser!(PathBuf)).help("Where to write the plan; compressed if it ends in .gz"))
        .args(flags::signing())
        .args(flags::loading())
        .args(flags::selecting())
        .args(flags::lifting())
        .arg(flags::on_guard())
        .arg(output())
        .arg(full())
}

fn of_job(job: &JobEntry) -> Command {
    let info = job.info();
    Command::new(info.id)
        .about(if info.description.is_empty() { info.name } else { info.description })
        .hide(info.hidden)
        .args(job.variables().iter().map(variable))
}

fn plan(registry: &JobRegistry) -> Command {
    Command::new("plan")
        .about("Write what a run would do to a file, to be reviewed and carried out with `apply`: `plan JOB -o FILE`")
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
                .help("Add a second name to a plan that somebody else has made"),
        )
        .arg(flags::by())
        .subcommands(registry.iter().map(plan_job))
}

fn apply() -> Command {
    let file = Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf));
    Command::new("apply")
        .about("Carry out a plan: what in it is found again unchanged, and nothing else")
        .arg(file.help("A plan that `plan` or `--undo-file` has written"))
        .arg(
            Arg::new("policy")
                .long("policy")
                .value_name("POLICY")
                .value_parser(["refuse", "skip-stale"])
                .default_value("refuse")
                .help("When something has changed since: refuse the run, or leave that and do the rest"),
        )
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("NAME=VALUE")
                .value_parser(named_value)
                .action(ArgAction::Append)
                .help("Set a variable that the plan leaves out, since it may be a secret"),
        )
        .arg(Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).help("Write nothing"))
        .args(flags::loading())
        .args(flags::writing())
        .args(flags::lifting())
        .args(flags::signing())
        .arg(output())
        .arg(full())
}

fn named_value(text: &str) -> Result<(String, String), &'static str> {
    let named = text.split_once('=').filter(|(name, _)| !name.is_empty());
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or("expected a name and a value, as in token=abc")
}

fn output() -> Arg {
    Arg::new("output")
        .long("output")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("How to report")
}

fn full() -> Arg {
    Arg::new("full")
        .long("full")
        .action(ArgAction::SetTrue)
        .help("Show every line of the report, however many there are")
}

/// Whether a report is wanted as JSON.
pub(crate) fn wants_json(matches: &ArgMatches) -> bool {
    matches.get_one::<String>("output").is_some_and(|format| format == "json")
}

/// The flag of a variable.
pub(crate) fn flag_name(variable: &VariableSpec) -> String {
    variable.name.replace('_', "-")
}

/// The other way in which a variable can be set, if it has one.
pub(crate) fn or_in_environment(variable: &VariableSpec) -> String {
    variable.env.map(|env| format!(" or in the environment as {env}")).unwrap_or_default()
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
    if spec.has_choices {
        note("[choices: `show JOB` lists them]".into());
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

/// Whether a usage is one of a command that is followed by a job.
fn of_a_job(usage: &str) -> bool {
    [" check ", " run ", " plan "].iter().any(|command| usage.contains(command))
}

/// Says what is wrong with the command line. A job that does not exist is named as such.
pub(crate) fn usage_error(error: &clap::Error, registry: &JobRegistry) -> Exit {
    let unknown = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name))) => Some(name),
        _ => None,
    };
    if let Some(name) = unknown
        && error.get(ContextKind::Usage).is_some_and(|usage| of_a_job(&usage.to_string()))
        && let Err(unknown) = registry.get(name)
    {
        return terminal::fail(&format!("{unknown}\n`list` shows all jobs"));
    }
    // Asking for help is no mistake.
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    terminal::print_usage(error);
    if asked { Exit::Done } else { Exit::Failed }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use diffsync_core::schema::RUN_FLAGS;

    use super::*;
    use crate::example::NowhereToNowhere;

    #[test]
    fn the_core_knows_which_names_the_variables_of_a_job_cannot_have() {
        let registry = JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap();
        let mut command = command(&registry, "1.2.3");
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
        flags.extend(["color".to_owned(), "version".to_owned()]);
        assert_eq!(flags, RUN_FLAGS.iter().map(|flag| (*flag).to_owned()).collect());
        assert!(RUN_FLAGS.is_sorted());
    }
}

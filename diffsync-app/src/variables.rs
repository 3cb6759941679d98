//! The flags of a job's variables.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches};
use diffsync_core::job::{VariableKind, VariableSpec, VariableValues};

use crate::jobs::AnyJob;

/// The flag of a variable.
pub(crate) fn flag_name(variable: &VariableSpec) -> String {
    variable.name.replace('_', "-")
}

/// The hint that a variable can also be set in the environment.
pub(crate) fn or_in_environment(variable: &VariableSpec) -> String {
    variable.env.map(|env| format!(" or in the environment as {env}")).unwrap_or_default()
}

/// The flag of a variable, which the profile may set.
pub(crate) fn variable(spec: &'static VariableSpec, in_profile: Option<String>) -> Arg {
    let mut help = spec.help.to_owned();
    let mut note = |text: String| {
        if !help.is_empty() {
            help.push(' ');
        }
        help.push_str(&text);
    };
    if let Some(default) = spec.default.filter(|_| !spec.secret && in_profile.is_none()) {
        note(format!("[default: {default}]"));
    }
    if let Some(env) = spec.env.filter(|_| in_profile.is_none()) {
        note(format!("[env: {env}]"));
    }
    if spec.has_choices {
        note("[choices: see `show JOB`]".into());
    }
    match in_profile {
        Some(value) => note(format!("[profile: {value}]")),
        None if spec.required => note("[required]".into()),
        None => {}
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

/// The values given for a job's variables.
pub(crate) fn variable_values(job: AnyJob<'_>, matches: &ArgMatches) -> VariableValues {
    job.variables().iter().fold(VariableValues::new(), |values, spec| {
        let given = matches.get_many::<String>(spec.name).into_iter().flatten();
        given.fold(values, |values, text| values.with(spec.name, text))
    })
}

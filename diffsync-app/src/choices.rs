//! The choices of a variable, from its type or from a system.

use std::fmt::Write as _;
use std::time::Duration;

use diffsync_core::job::{VariableError, VariableKind, VariableSpec, VariableValues};
use diffsync_core::value::suggest;

use crate::jobs::AnyJob;
use crate::runtime::runtime;
use crate::terminal::one_line;

/// How long a system may take to list its choices.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The most choices on one line.
const NAMED: usize = 30;

/// The choices for a variable, given the values known so far.
///
/// # Errors
///
/// Why they cannot be listed now; they may be once other variables are set.
pub(crate) fn choices(
    job: AnyJob<'_>,
    variable: &VariableSpec,
    values: &VariableValues,
) -> Option<Result<Vec<String>, String>> {
    if let VariableKind::Choice(names) | VariableKind::List(&VariableKind::Choice(names)) = variable.kind {
        return Some(Ok(names.iter().map(|name| (*name).to_owned()).collect()));
    }

    let values = known(job, values);
    let asked = job.choices(variable.name, &values)?;
    let answered = runtime().and_then(|runtime| {
        let answer = runtime.block_on(async { tokio::time::timeout(LONGEST_WAIT, asked).await });
        let answer = answer.map_err(|_| format!("the system did not answer within {LONGEST_WAIT:?}"));
        runtime.shutdown_background();
        answer?.map_err(|error| error.to_string())
    });
    Some(answered)
}

/// The texts of all variables: those given, else the one from the environment, else the default.
fn known(job: AnyJob<'_>, given: &VariableValues) -> VariableValues {
    job.variables().iter().fold(VariableValues::new(), |values, spec| {
        let texts = match given.get(spec.name) {
            [] => spec.env.and_then(|env| std::env::var(env).ok()).or_else(|| spec.default.map(str::to_owned)),
            texts => return texts.iter().fold(values, |values, text| values.with(spec.name, text)),
        };
        texts.into_iter().fold(values, |values, text| values.with(spec.name, text))
    })
}

/// The choices, on one line.
pub(crate) fn listed(choices: &[String]) -> String {
    let mut line = choices.iter().take(NAMED).map(|choice| one_line(choice)).collect::<Vec<_>>().join(", ");
    if choices.len() > NAMED {
        // Writing to a string does not fail.
        let _ = write!(line, " and {} more", choices.len() - NAMED);
    }
    line
}

/// A line with the choices, for a variable whose value is missing or wrong.
pub(crate) fn hint(job: AnyJob<'_>, error: &VariableError, values: &VariableValues) -> String {
    let variable = error.variable();
    // For an enum, the error already names them.
    if !variable.has_choices {
        return String::new();
    }
    match choices(job, variable, values) {
        Some(Ok(choices)) => format!("\n  choices: {}", listed(&choices)),
        Some(Err(_)) | None => String::new(),
    }
}

/// A warning for each given value that is not among the choices. It is not an error, since the system may know the value by
/// the time of the run.
pub(crate) fn warnings(job: AnyJob<'_>, values: &VariableValues) -> Vec<String> {
    let asked = job.variables().iter().filter(|spec| spec.has_choices && !values.get(spec.name).is_empty());
    let warnings = asked.flat_map(|spec| {
        // If the system does not answer now, the run itself will report it.
        let Some(Ok(choices)) = choices(job, spec, values) else { return Vec::new() };
        let unknown = values.get(spec.name).iter().filter(|text| !choices.contains(text));
        let warning = |text: &String| {
            let near = suggest(text, choices.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            format!("variable `{}` = {text:?} is not one of: {}{near}", spec.name, listed(&choices))
        };
        unknown.map(warning).collect()
    });
    warnings.collect()
}

#[cfg(test)]
mod tests {
    use diffsync_core::job::JobEntry;

    use super::*;
    use crate::example::NowhereToNowhere;
    use crate::run::prepare;

    #[test]
    fn a_system_is_asked_with_the_defaults_of_the_other_variables() {
        let job = JobEntry::new::<NowhereToNowhere>();
        let site = job.variables().iter().find(|spec| spec.name == "site").unwrap();
        let asked = |values: &VariableValues| choices(AnyJob::Linked(&job), site, values).unwrap();
        assert_eq!(asked(&VariableValues::new()).unwrap(), ["ams01", "fra01"]);
        let elsewhere = VariableValues::new().with("place", "there");
        assert_eq!(asked(&elsewhere).unwrap_err(), "the place does not answer");
    }

    #[test]
    fn a_value_that_is_not_among_the_choices_is_answered_with_the_nearest() {
        let job = JobEntry::new::<NowhereToNowhere>();
        let values = VariableValues::new().with("site", "ams02").with("floor", "1");
        let expected = "variable `site` = \"ams02\" is not one of: ams01, fra01; did you mean \"ams01\"?";
        assert_eq!(warnings(AnyJob::Linked(&job), &values), [expected]);
        assert!(warnings(AnyJob::Linked(&job), &VariableValues::new().with("site", "fra01")).is_empty());
    }

    #[test]
    fn a_wrong_value_is_answered_with_what_there_is_to_choose_from() {
        let job = JobEntry::new::<NowhereToNowhere>();
        let error = prepare(&job, &VariableValues::new().with("floor", "two"), |spec| format!("--{}", spec.name)).err();
        let error = error.unwrap();
        assert!(error.contains("set it with --floor\n  choices: 1, 2"), "{error}");
    }
}

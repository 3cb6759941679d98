//! What there is to choose from for a variable, asked of a system where the job says so.

use std::fmt::Write as _;
use std::time::Duration;

use diffsync_core::job::{JobEntry, VariableError, VariableKind, VariableSpec, VariableValues};
use diffsync_core::value::suggest;

use crate::run::runtime;
use crate::terminal::one_line;

/// How long a system may take to say what there is to choose from.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How many choices a line names.
const NAMED: usize = 30;

/// What there is to choose from for a variable, as far as the others are known.
///
/// # Errors
///
/// Why it cannot be said; it may be said once other variables are set.
pub(crate) fn choices(
    job: &JobEntry,
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

/// The texts of all variables: those given, else that of the environment, else the default.
fn known(job: &JobEntry, given: &VariableValues) -> VariableValues {
    job.variables().iter().fold(VariableValues::new(), |values, spec| {
        let texts = match given.get(spec.name) {
            [] => spec.env.and_then(|env| std::env::var(env).ok()).or_else(|| spec.default.map(str::to_owned)),
            texts => return texts.iter().fold(values, |values, text| values.with(spec.name, text)),
        };
        texts.into_iter().fold(values, |values, text| values.with(spec.name, text))
    })
}

/// What there is to choose from, on one line.
pub(crate) fn listed(choices: &[String]) -> String {
    let mut line = choices.iter().take(NAMED).map(|choice| one_line(choice)).collect::<Vec<_>>().join(", ");
    if choices.len() > NAMED {
        // Writing to a string does not fail.
        let _ = write!(line, " and {} more", choices.len() - NAMED);
    }
    line
}

/// For a variable whose value is missing or wrong: the line that says what there is to choose from.
pub(crate) fn hint(job: &JobEntry, error: &VariableError, values: &VariableValues) -> String {
    let variable = error.variable();
    // The error itself names those of an enum.
    if !variable.has_choices {
        return String::new();
    }
    match choices(job, variable, values) {
        Some(Ok(choices)) => format!("\n  there is to choose from: {}", listed(&choices)),
        Some(Err(_)) | None => String::new(),
    }
}

/// A warning for each value that was given and is not among what there is to choose from. The system may know it by the time
/// the run asks, so it is no error.
pub(crate) fn warnings(job: &JobEntry, values: &VariableValues) -> Vec<String> {
    let asked = job.variables().iter().filter(|spec| spec.has_choices && !values.get(spec.name).is_empty());
    let warnings = asked.flat_map(|spec| {
        // What cannot be asked now the run will ask itself.
        let Some(Ok(choices)) = choices(job, spec, values) else { return Vec::new() };
        let unknown = values.get(spec.name).iter().filter(|text| !choices.contains(text));
        let warning = |text: &String| {
            let near = suggest(text, choices.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            format!("variable `{}` = {text:?} is not among: {}{near}", spec.name, listed(&choices))
        };
        unknown.map(warning).collect()
    });
    warnings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::NowhereToNowhere;
    use crate::run::prepare;

    #[test]
    fn a_system_is_asked_with_the_defaults_of_the_other_variables() {
        let job = JobEntry::new::<NowhereToNowhere>();
        let site = job.variables().iter().find(|spec| spec.name == "site").unwrap();
        let asked = |values: &VariableValues| choices(&job, site, values).unwrap();
        assert_eq!(asked(&VariableValues::new()).unwrap(), ["ams01", "fra01"]);
        let elsewhere = VariableValues::new().with("place", "there");
        assert_eq!(asked(&elsewhere).unwrap_err(), "the place does not answer");
    }

    #[test]
    fn a_value_that_is_not_among_the_choices_is_answered_with_the_nearest() {
        let job = JobEntry::new::<NowhereToNowhere>();
        let values = VariableValues::new().with("site", "ams02").with("floor", "1");
        let expected = "variable `site` = \"ams02\" is not among: ams01, fra01; did you mean \"ams01\"?";
        assert_eq!(warnings(&job, &values), [expected]);
        assert!(warnings(&job, &VariableValues::new().with("site", "fra01")).is_empty());
    }

    #[test]
    fn a_wrong_value_is_answered_with_what_there_is_to_choose_from() {
        let job = JobEntry::new::<NowhereToNowhere>();
        let error = prepare(&job, &VariableValues::new().with("floor", "two"), |name| format!("--{name}")).err();
        let error = error.unwrap();
        assert!(error.contains("set it with --floor\n  there is to choose from: 1, 2"), "{error}");
    }
}

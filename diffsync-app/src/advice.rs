//! Advice on refused runs. The core states the facts; this module names the program's flags.

use std::path::Path;

use diffsync_core::job::RegistryError;
use diffsync_core::plan::{Breach, Refusal};
use diffsync_core::plan_file::PlanFileError;
use diffsync_core::report::RunError;
use diffsync_history::{HistoryError, HistoryUrlError};

use crate::plan_file::begins_like_a_plan;

/// A limit that a run would exceed, and the flag that allows it.
pub(crate) fn breach(breach: &Breach) -> String {
    format!("{breach} (`{}` allows it for one run)", flag(breach))
}

/// What to do about an error of a run, if one of the program's flags helps.
pub(crate) fn on_run(error: &RunError) -> Option<String> {
    let RunError::Refused(refusal) = error else { return None };
    match refusal {
        Refusal::Guards(breaches) => {
            let flags: Vec<_> = breaches.iter().map(flag).collect();
            Some(format!("if that is right, allow it for one run (`{}`)", flags.join(" ")))
        }
        Refusal::Drift(_) => Some("make a new plan, or apply what still fits (`--policy skip-stale`)".to_owned()),
        Refusal::TooManyRejected { side, rejected, records, .. } => {
            // Rounded up, so that the limit that is shown suffices.
            let percent = (rejected * 100).div_ceil((*records).max(1));
            Some(format!("fix them in the {side}, or allow that many for one run with `--max-rejected {percent}`"))
        }
        _ => None,
    }
}

/// An error of the registry, and what to do about it.
pub(crate) fn on_registry(error: &RegistryError) -> String {
    match error {
        RegistryError::Empty => format!("{error}; or add each job with `App::new().job::<MyJob>()`"),
        _ => error.to_string(),
    }
}

/// An error of the history, and what to do about it.
pub(crate) fn on_history(error: &HistoryError) -> String {
    match error {
        HistoryError::Url(HistoryUrlError::NoDataFolder) => {
            format!("{error} with `--database-url FILE` or DIFFSYNC_DATABASE_URL")
        }
        _ => error.to_string(),
    }
}

/// The flag that allows as many operations as the run would do.
fn flag(breach: &Breach) -> String {
    let Breach { model, operation, count, .. } = breach;
    format!("--allow-{operation}s {model}={count}")
}

/// The error of a plan file that could not be read.
pub(crate) fn on_plan_file(path: &Path, error: &PlanFileError) -> String {
    let shown = path.display();
    if matches!(error, PlanFileError::Line { line: 1, .. }) && !begins_like_a_plan(path) {
        return format!("`{shown}`: this is not a plan file; `plan JOB -o FILE` writes one");
    }
    format!("`{shown}`: {error}")
}

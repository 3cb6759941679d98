//! How to allow what a run was refused for. The core states the facts; the flags are this program's.

use diffsync_core::job::RegistryError;
use diffsync_core::plan::{Breach, Refusal};
use diffsync_core::report::RunError;

/// A limit that a run would go beyond, and the flag that allows it.
pub(crate) fn breach(breach: &Breach) -> String {
    format!("{breach} (`{}` allows it for one run)", flag(breach))
}

/// What to do about an error of a run, if a flag of the program has to do with it.
pub(crate) fn on_run(error: &RunError) -> Option<String> {
    let RunError::Refused(refusal) = error else { return None };
    match refusal {
        Refusal::Guards(breaches) => {
            let flags: Vec<_> = breaches.iter().map(flag).collect();
            Some(format!("if that is right, allow it for one run (`{}`)", flags.join(" ")))
        }
        Refusal::Drift(_) => Some("make a new plan, or carry out what still fits (`--policy skip-stale`)".to_owned()),
        Refusal::TooManyRejected { side, .. } => Some(format!(
            "fix them in the {side}, or raise the limit (`--max-rejected`) if that many may be left alone"
        )),
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

/// The flag that allows as much as a run would do.
fn flag(breach: &Breach) -> String {
    let Breach { model, operation, count, .. } = breach;
    format!("--allow-{operation}s {model}={count}")
}

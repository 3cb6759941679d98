//! Secrets that are asked for on the terminal.

use std::io::{self, IsTerminal};

use clap::ArgMatches;
use diffsync_core::job::{VariableSpec, VariableValues};

use crate::jobs::AnyJob;
use crate::terminal;

/// Asks for secrets, if there is somebody to ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompt {
    is_answered: bool,
}

impl Prompt {
    /// Somebody is there if the program is run on a terminal and its output is for people. A program that reads the output cannot
    /// answer, and would wait.
    pub(crate) fn new(matches: &ArgMatches) -> Self {
        let output = matches.try_get_one::<String>("output").ok().flatten();
        let is_for_people = output.is_none_or(|format| format == "text");
        Self { is_answered: is_for_people && io::stdin().is_terminal() && io::stderr().is_terminal() }
    }

    /// Never asks: for a run that is started from a page.
    #[cfg(feature = "web")]
    pub(crate) fn never() -> Self {
        Self { is_answered: false }
    }

    /// Asks for a secret.
    ///
    /// # Errors
    ///
    /// If there is no terminal to ask on, or the answer is empty.
    pub(crate) fn ask(self, question: &str) -> Result<String, String> {
        if !self.is_answered {
            return Err("it cannot be asked for here: that needs a terminal, and a report as text".to_owned());
        }
        match terminal::ask_secret(&format!("{question}: ")) {
            Ok(answer) if answer.is_empty() => Err("nothing was entered".to_owned()),
            Ok(answer) => Ok(answer),
            Err(error) => Err(format!("the answer cannot be read: {error}")),
        }
    }

    /// Asks for the secrets that the job needs and that have no value yet. Without a terminal they stay missing, and the
    /// job's error says how to set them.
    pub(crate) fn add_missing(self, job: AnyJob<'_>, values: VariableValues) -> Result<VariableValues, String> {
        if !self.is_answered {
            return Ok(values);
        }
        let missing: Vec<_> = job.variables().iter().filter(|spec| is_missing(spec, &values)).collect();
        missing.into_iter().try_fold(values, |values, spec| {
            let answer = self.ask(&format!("{} of {}", spec.name, job.info().id));
            let answer = answer.map_err(|error| format!("the secret `{}` has no value: {error}", spec.name))?;
            Ok(values.with(spec.name, answer))
        })
    }
}

/// Whether a secret is needed and set nowhere.
fn is_missing(spec: &VariableSpec, values: &VariableValues) -> bool {
    let is_in_env = || spec.env.is_some_and(|env| std::env::var_os(env).is_some());
    spec.secret && spec.required && values.get(spec.name).is_empty() && !is_in_env()
}

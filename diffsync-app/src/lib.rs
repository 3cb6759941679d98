//! The command line for diffsync jobs.
//!
//! A program links its jobs and calls [`main`]:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! // Refers to the crate with the jobs, so that the linker keeps it.
//! // use my_jobs as _;
//!
//! fn main() -> ExitCode {
//!     diffsync_app::main()
//! }
//! ```

#![forbid(unsafe_code)]

mod advice;
mod apply;
mod check;
mod choices;
mod command;
mod completions;
mod describe;
mod early;
pub mod events;
#[cfg(test)]
mod example;
mod exit;
mod flags;
mod history;
mod jobs;
mod key;
mod man;
mod plan;
mod plan_file;
mod profile;
mod program;
mod progress;
mod prompt;
mod report;
mod run;
mod runtime;
#[cfg(feature = "web")]
mod serve;
mod signal;
mod signature;
mod terminal;
mod undo;
mod variables;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use diffsync_core::job::{JobEntry, RegistryError};
use diffsync_core::{Job, JobRegistry};

use crate::exit::Exit;
use crate::jobs::Jobs;
use crate::profile::Profiles;

/// Runs the program with the jobs linked into it.
#[must_use = "it is the exit code: return it from a `fn main() -> ExitCode`"]
pub fn main() -> ExitCode {
    App::new().main()
}

/// The program, with a builder to add jobs by type.
///
/// ```no_run
/// # use diffsync_core::*;
/// # fn example<MyJob: Job>() -> std::process::ExitCode {
/// diffsync_app::App::new().job::<MyJob>().main()
/// # }
/// ```
#[derive(Debug)]
pub struct App {
    jobs: Vec<JobEntry>,
    version: &'static str,
}

impl Default for App {
    fn default() -> Self {
        Self { jobs: Vec::new(), version: env!("CARGO_PKG_VERSION") }
    }
}

impl App {
    /// The program with the jobs linked into it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a job, independently of the linker. A job that is also linked in counts once.
    #[must_use]
    pub fn job<J: Job>(mut self) -> Self {
        self.jobs.push(JobEntry::new::<J>());
        self
    }

    /// Sets the program's version, usually `env!("CARGO_PKG_VERSION")`; the default is the version of diffsync. Plan files
    /// record it, and applying a plan of another version warns.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Runs the command line.
    #[must_use = "it is the exit code: return it from a `fn main() -> ExitCode`"]
    pub fn main(self) -> ExitCode {
        self.run(std::env::args_os()).into()
    }

    fn run(self, arguments: impl IntoIterator<Item = OsString>) -> Exit {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let jobs_root = jobs_root(&arguments);
        let command = early::subcommand(&arguments);

        let registry =
            JobRegistry::from_linked(self.jobs).and_then(|registry| registry.check_defaults().map(|()| registry));
        let registry = match registry {
            Ok(registry) => registry,
            // All of its jobs may be in other programs.
            Err(RegistryError::Empty) if jobs_root.is_some() => JobRegistry::default(),
            Err(error) => return terminal::fail(&advice::on_registry(&error)),
        };
        // A program that is asked by its host has no profiles, and no jobs but its own.
        if command.is_some_and(|command| command == program::COMMAND) {
            return program::serve(&registry, &arguments, self.version);
        }

        let asks = command.is_some_and(|command| ASKING.iter().any(|asking| command == *asking));
        let jobs = Jobs::new(registry, jobs_root, asks);
        let profiles = match Profiles::load(&jobs, &arguments) {
            Ok(profiles) => profiles,
            Err(error) => return command::help_or(&error, &jobs, self.version, arguments),
        };

        let program = || command::command(&jobs, &profiles, self.version);
        let matches = match program().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) => return command::usage_error(&error, &jobs, &profiles),
        };
        terminal::log(&matches);

        match matches.subcommand() {
            Some(("list", matches)) => describe::list(&jobs, &profiles, matches),
            Some(("show", matches)) => describe::show(&jobs, &profiles, matches),
            Some(("check", matches)) => check::check(&jobs, &profiles, matches),
            Some(("run", matches)) => run::run(&jobs, &profiles, matches, self.version),
            Some(("plan", matches)) => plan::plan(&jobs, &profiles, matches, self.version),
            Some(("apply", matches)) => apply::apply(&jobs, &profiles, matches, self.version),
            Some(("history", matches)) => history::history(&jobs, &profiles, matches),
            Some(("jobs", matches)) => program::manage(&jobs, matches),
            Some(("completions", matches)) => completions::completions(program(), matches),
            Some(("man", matches)) => man::man(program(), matches),
            #[cfg(feature = "web")]
            Some(("serve", matches)) => serve::serve(jobs, profiles, matches, self.version),
            _ => Exit::Failed,
        }
    }
}

/// The commands that need the jobs of other programs.
const ASKING: [&str; 7] = ["check", "completions", "list", "plan", "run", "serve", "show"];

/// The folder of job programs that the arguments or the environment name.
fn jobs_root(arguments: &[OsString]) -> Option<PathBuf> {
    let from_env = || std::env::var_os(program::JOBS_ROOT).filter(|path| !path.is_empty());
    early::value_of(arguments, "--jobs-root").or_else(from_env).map(PathBuf::from)
}

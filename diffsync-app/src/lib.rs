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
mod describe;
#[cfg(test)]
mod example;
mod exit;
mod flags;
mod history;
mod key;
mod plan;
mod plan_file;
mod profile;
mod report;
mod run;
mod runtime;
#[cfg(feature = "web")]
mod serve;
mod signal;
mod signature;
mod terminal;
mod undo;

use std::ffi::OsString;
use std::process::ExitCode;

use diffsync_core::job::JobEntry;
use diffsync_core::{Job, JobRegistry};

use crate::exit::Exit;
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
        let registry =
            JobRegistry::from_linked(self.jobs).and_then(|registry| registry.check_defaults().map(|()| registry));
        let registry = match registry {
            Ok(registry) => registry,
            Err(error) => return terminal::fail(&advice::on_registry(&error)),
        };

        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let profiles = match Profiles::load(&registry, &arguments) {
            Ok(profiles) => profiles,
            Err(error) => return command::help_or(&error, &registry, self.version, arguments),
        };

        let matches = match command::command(&registry, &profiles, self.version).try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) => return command::usage_error(&error, &registry, &profiles),
        };
        terminal::log(matches.get_count("verbose"));

        match matches.subcommand() {
            Some(("list", matches)) => describe::list(&registry, &profiles, matches),
            Some(("show", matches)) => describe::show(&registry, &profiles, matches),
            Some(("check", matches)) => check::check(&registry, &profiles, matches),
            Some(("run", matches)) => run::run(&registry, &profiles, matches, self.version),
            Some(("plan", matches)) => plan::plan(&registry, &profiles, matches, self.version),
            Some(("apply", matches)) => apply::apply(&registry, &profiles, matches, self.version),
            Some(("history", matches)) => history::history(matches),
            #[cfg(feature = "web")]
            Some(("serve", matches)) => serve::serve(&registry, profiles, matches, self.version),
            _ => Exit::Failed,
        }
    }
}

//! The commands `jobs …`.

use clap::{ArgMatches, Command};

use crate::exit::Exit;
use crate::jobs::Jobs;

pub(crate) fn command() -> Command {
    Command::new("jobs").about("Fill the jobs folder")
}

pub(crate) fn manage(jobs: &Jobs, _matches: &ArgMatches) -> Exit {
    let _ = jobs.root();
    Exit::Done
}

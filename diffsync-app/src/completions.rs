//! The command `completions SHELL`: a script that completes the command line in a shell.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::exit::Exit;
use crate::terminal;

/// The command line of `completions`.
pub(crate) fn command() -> Command {
    Command::new("completions")
        .about("Print a script that completes commands, jobs, profiles and flags in a shell")
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)).help("The shell"))
}

/// Prints the script for a program of these commands.
pub(crate) fn completions(mut program: Command, matches: &ArgMatches) -> Exit {
    let Some(shell) = matches.get_one::<Shell>("shell").copied() else { return Exit::Failed };
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, name, &mut script);
    terminal::print(&String::from_utf8_lossy(&script))
}

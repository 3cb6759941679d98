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
pub(crate) fn completions(program: Command, matches: &ArgMatches) -> Exit {
    let Some(shell) = matches.get_one::<Shell>("shell").copied() else { return Exit::Failed };
    let name = program.get_name().to_owned();
    let script = match shell {
        // In its script for bash, `clap_complete` does not find the commands of a program with a hyphen in its name. So the
        // script is made for a name without one, and registered for the right one.
        Shell::Bash => {
            let plain = name.replace('-', "_");
            let registered = |name: &str| format!(" -o default {name}\n");
            script(shell, program, &plain).replace(&registered(&plain), &registered(&name))
        }
        _ => script(shell, program, &name),
    };
    terminal::print(&script)
}

fn script(shell: Shell, mut program: Command, name: &str) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

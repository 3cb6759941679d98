//! The command `man`: the program's manual pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_mangen::Man;

use crate::exit::Exit;
use crate::terminal;

/// The command line of `man`.
pub(crate) fn command() -> Command {
    Command::new("man").about("Print the manual page of the program, or write one for each command to a folder").arg(
        Arg::new("dir")
            .long("dir")
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help("Write the pages of the program and of each of its commands to this folder"),
    )
}

/// Prints or writes the pages of a program of these commands.
pub(crate) fn man(program: Command, matches: &ArgMatches) -> Exit {
    let Some(dir) = matches.get_one::<PathBuf>("dir") else {
        let mut page = Vec::new();
        // As in the folder, the page does not list `help`, which has no page. Writing to memory does not fail.
        let _ = Man::new(program.disable_help_subcommand(true)).render(&mut page);
        return terminal::print(&String::from_utf8_lossy(&page));
    };
    match write_all(program, dir) {
        Ok(()) => Exit::Done,
        Err(error) => terminal::fail(&format!("the manual pages cannot be written to `{}`: {error}", dir.display())),
    }
}

fn write_all(program: Command, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(program, dir)
}

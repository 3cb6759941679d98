//! The commands `jobs list`, `jobs add`, `jobs remove` and `jobs new`.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde::Serialize;

use super::add::{Add, Note};
use super::folder::{describe, programs};
use super::names::{file_name, text};
use super::new::NewCrate;
use super::{JOBS_ROOT, add};
use crate::exit::Exit;
use crate::flags::{self, wants_json};
use crate::jobs::Jobs;
use crate::runtime::runtime;
use crate::terminal::{self, one_line};

/// The command line of `jobs`.
pub(crate) fn command() -> Command {
    let name = |help| Arg::new("name").value_name("NAME").required(true).help(help);
    Command::new("jobs")
        .about("Fill the jobs folder: job programs whose jobs this program lists and runs as its own")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(Command::new("list").about("List the programs of the jobs folder").arg(flags::output()))
        .subcommand(
            Command::new("add")
                .about("Build a job program from a Git repository with cargo, and install it in the jobs folder")
                .arg(Arg::new("git").long("git").value_name("URL").required(true).help("The repository, or its folder"))
                .arg(
                    Arg::new("rev")
                        .long("rev")
                        .value_name("REV")
                        .help("The branch, tag or commit [default: the repository's own default branch]"),
                )
                .arg(
                    Arg::new("profile")
                        .long("profile")
                        .value_name("PROFILE")
                        .default_value("release")
                        .help("The cargo profile to build with"),
                )
                .arg(
                    Arg::new("force")
                        .long("force")
                        .action(ArgAction::SetTrue)
                        .help("Replace a program even if it is from elsewhere"),
                ),
        )
        .subcommand(
            Command::new("remove")
                .about("Remove a program from the jobs folder")
                .arg(name("The program's file, as `jobs list` shows it")),
        )
        .subcommand(
            Command::new("new")
                .about("Write a crate with a job that compiles and runs, to begin with")
                .arg(name("The name of the crate and of its job, as in sites-to-inventory"))
                .arg(
                    Arg::new("path")
                        .long("path")
                        .value_name("DIR")
                        .value_parser(value_parser!(PathBuf))
                        .help("The folder to write to [default: NAME]"),
                )
                .arg(
                    Arg::new("diffsync").long("diffsync").value_name("DIR").value_parser(value_parser!(PathBuf)).help(
                        "The folder of the crate `diffsync`, to build against it [default: the one on crates.io]",
                    ),
                ),
        )
}

/// Carries out `jobs …`.
pub(crate) fn manage(jobs: &Jobs, matches: &ArgMatches) -> Exit {
    let root = || {
        let missing = || format!("there is no jobs folder; name one with --jobs-root or {JOBS_ROOT}");
        jobs.root().map(PathBuf::as_path).ok_or_else(missing)
    };
    let done = match matches.subcommand() {
        Some(("list", matches)) => root().and_then(|root| list(root, matches)),
        Some(("add", matches)) => {
            root().and_then(|root| Add::new(root, matches)?.run()).map(|said| terminal::print(&said))
        }
        Some(("remove", matches)) => root().and_then(|root| remove(root, text(matches, "name"))),
        Some(("new", matches)) => NewCrate::new(matches).and_then(|new| new.write()).map(|said| terminal::print(&said)),
        _ => Ok(Exit::Failed),
    };
    done.unwrap_or_else(|error| terminal::fail(&error))
}

/// A program of the folder.
#[derive(Serialize)]
struct Installed {
    name: String,
    version: String,
    jobs: Vec<&'static str>,
    /// Where it came from.
    #[serde(flatten)]
    note: Option<Note>,
    /// Why it cannot be used.
    problem: Option<String>,
}

fn list(root: &Path, matches: &ArgMatches) -> Result<Exit, String> {
    let runtime = runtime()?;
    let paths = match programs(root) {
        Ok(paths) => paths,
        // It is created by the first `jobs add`.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(unreadable(root, &error)),
    };
    let installed: Vec<_> = paths
        .iter()
        .map(|path| {
            let described = runtime.block_on(describe(path));
            let (jobs, problem) = match described {
                Ok(jobs) => (jobs, None),
                Err(problem) => (Vec::new(), Some(problem)),
            };
            Installed {
                name: file_name(path),
                version: jobs.first().map(|job| job.version.clone()).unwrap_or_default(),
                jobs: jobs.iter().map(|job| job.info().id).collect(),
                note: add::note(path),
                problem,
            }
        })
        .collect();
    runtime.shutdown_background();

    if wants_json(matches) {
        return Ok(terminal::print_json(&installed));
    }
    if installed.is_empty() {
        return Ok(terminal::print(&format!("no programs in `{}`\n", root.display())));
    }
    let mut out = String::new();
    for Installed { name, version, jobs, note, problem } in &installed {
        let from = note.as_ref().map(|note| format!("  from {note}")).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}  {version}{from}", one_line(name));
        let _ = match problem {
            Some(problem) => writeln!(out, "  cannot be used: it {}", terminal::indented(problem)),
            None => writeln!(out, "  {}", jobs.join(", ")),
        };
    }
    Ok(terminal::print(&out))
}

fn remove(root: &Path, name: &str) -> Result<Exit, String> {
    let known = programs(root).map_err(|error| unreadable(root, &error))?;
    // Only what is listed: a name is no path out of the folder.
    let Some(path) = known.iter().find(|path| file_name(path) == name) else {
        return Err(format!("there is no program `{name}` in `{}`; `jobs list` shows all", root.display()));
    };
    fs::remove_file(path).map_err(|error| format!("`{}` cannot be removed: {error}", path.display()))?;
    match fs::remove_file(add::note_path(path)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            terminal::warn(&format!("`{}` cannot be removed: {error}", add::note_path(path).display()));
        }
        _ => {}
    }
    Ok(terminal::print(&format!("removed {name}\n")))
}

fn unreadable(root: &Path, error: &std::io::Error) -> String {
    format!("the jobs folder `{}` cannot be read: {error}", root.display())
}

//! The command `history` and its parts.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use diffsync_history::{Cursor, LogEntry};

use super::names::Names;
use super::{database_url, details, export, prune, syncs};
use crate::exit::{Exit, NotRun};
use crate::flags::{self, output};
use crate::jobs::Jobs;
use crate::profile::Profiles;
use crate::runtime::runtime;
use crate::terminal;

/// The statuses of a sync.
const STATUSES: [&str; 7] = ["running", "completed", "partial", "failed", "refused", "cancelled", "interrupted"];

/// The command line of `history`.
pub(crate) fn command(profiles: &Profiles) -> Command {
    let kept = profiles.retention();
    Command::new("history")
        .about("Show what earlier runs did")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(database_url().global(true))
        .subcommand(
            paged(Command::new("list").about("List the syncs, the latest first"), "20")
                .arg(text_arg("job", "JOB", "Only syncs of this job"))
                .arg(text_arg("profile", "PROFILE", "Only syncs of this profile"))
                .arg(
                    text_arg("status", "STATUS", "Only syncs that ended like this; repeatable")
                        .value_parser(PossibleValuesParser::new(STATUSES))
                        .action(ArgAction::Append),
                )
                .arg(text_arg("text", "TEXT", "Only syncs with this text in the job, the systems or the error")),
        )
        .subcommand(
            Command::new("show")
                .about("Show a sync: who ran it, the steps with time and memory, and the outcomes of the records")
                .arg(sync())
                .arg(output()),
        )
        .subcommand(
            paged(Command::new("diff").about("Show the diff of a sync"), "100")
                .arg(sync())
                .arg(text_arg("model", "MODEL", "Only records of this model"))
                .arg(action())
                .arg(text_arg("attribute", "NAME", "Only updates that change this attribute"))
                .arg(text_arg("text", "TEXT", "Only records with this text in the identifier")),
        )
        .subcommand(
            paged(Command::new("logs").about("Show the outcomes of the records of a sync, or what it logged"), "100")
                .arg(sync())
                .arg(text_arg("model", "MODEL", "Only records of this model"))
                .arg(action())
                .arg(
                    text_arg("status", "OUTCOME", "Only records with this outcome, such as failed; repeatable")
                        .value_parser(PossibleValuesParser::new(LogEntry::STATUSES))
                        .action(ArgAction::Append),
                )
                .arg(text_arg("text", "TEXT", "Only records with this text in the identifier or the message"))
                .arg(
                    Arg::new("lines")
                        .long("lines")
                        .action(ArgAction::SetTrue)
                        .conflicts_with_all(["model", "action", "status"])
                        .help("Show the lines that the program logged instead"),
                ),
        )
        .subcommand(
            Command::new("prune")
                .about("Remove the diffs and logs of old syncs; the syncs themselves and their counts stay")
                .arg(
                    text_arg("keep-last", "N", "Keep those of the last N syncs of each job")
                        .value_parser(value_parser!(u32))
                        .default_value(kept.keep_last.to_string()),
                )
                .arg(
                    text_arg("older-than", "DURATION", "Keep those that are not older than this, as in 30d")
                        .value_parser(flags::age)
                        .default_value(flags::age_text(kept.older_than)),
                )
                .arg(text_arg("job", "JOB", "Only those of this job"))
                .arg(output()),
        )
        .subcommand(
            Command::new("export")
                .about("Write a sync to standard output as JSON Lines: the sync, then its diff, log entries and lines")
                .arg(sync()),
        )
}

fn text_arg(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn sync() -> Arg {
    Arg::new("sync").value_name("SYNC").required(true).help("The first letters of the sync's id, or `last`")
}

fn action() -> Arg {
    text_arg("action", "ACTION", "Only records with this planned operation")
        .value_parser(["create", "update", "delete"])
}

/// A command that shows a page of a list.
fn paged(command: Command, size: &'static str) -> Command {
    command
        .arg(
            text_arg("limit", "N", "Show at most this many")
                .value_parser(value_parser!(u32).range(1..=10_000))
                .default_value(size),
        )
        .arg(
            text_arg("after", "CURSOR", "Continue after this cursor, from the end of the previous page")
                .value_parser(|text: &str| text.parse::<Cursor>()),
        )
        .arg(output())
}

/// Carries out `history`.
pub(crate) fn history(jobs: &Jobs, profiles: &Profiles, matches: &ArgMatches) -> Exit {
    let Some((name, matches)) = matches.subcommand() else { return Exit::Failed };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return terminal::fail(&error),
    };

    let names = Names::new(jobs, profiles);
    let done = runtime.block_on(async {
        let history = super::open_to_read(matches).await?;
        match name {
            "list" => syncs::list(&history, &names, matches).await,
            "show" => syncs::show(&history, matches).await,
            "diff" => details::diff(&history, &names, matches).await,
            "logs" => details::logs(&history, &names, matches).await,
            "prune" => prune::prune(&history, &names, matches).await,
            "export" => export::export(&history, matches).await,
            _ => Ok(Exit::Failed),
        }
    });
    done.unwrap_or_else(|NotRun(exit, error)| terminal::fail_as(exit, &error))
}

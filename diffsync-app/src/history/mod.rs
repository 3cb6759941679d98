//! The history of runs, and the commands that show it.

mod command;
mod details;
mod export;
mod lines;
mod names;
mod page;
mod prune;
mod recording;
mod retention;
mod syncs;

pub(crate) use self::command::{command, history};
pub(crate) use self::lines::{HistoryLayer, log_line};
pub(crate) use self::recording::{Recording, Started};
pub(crate) use self::retention::RetentionSetting;
pub(crate) use self::syncs::short_id;

use clap::{Arg, ArgMatches};
use diffsync_history::{History, HistoryError, HistoryUrl};

/// The environment variable that says where the history is.
const URL_VARIABLE: &str = "DIFFSYNC_DATABASE_URL";

/// Where the history is.
pub(crate) fn database_url() -> Arg {
    Arg::new("database-url")
        .long("database-url")
        .value_name("URL")
        .help(
            "The history: a file, or postgres://… [env: DIFFSYNC_DATABASE_URL] [default: diffsync/history.db in the \
             user's data folder]",
        )
        .help_heading("History")
}

/// What happens to a run whose history cannot be written.
pub(crate) fn policy() -> Arg {
    Arg::new("history")
        .long("history")
        .value_name("POLICY")
        .value_parser(["best-effort", "required", "off"])
        .default_value("best-effort")
        .help(
            "If the run cannot be recorded, best-effort: warn and continue; required: write nothing; off: record nothing",
        )
        .help_heading("History")
}

/// What happens to a run of the server whose history cannot be written.
#[cfg(feature = "web")]
pub(crate) fn served_policy() -> Arg {
    policy()
        .value_parser(["best-effort", "required"])
        .help("If a run can no longer be recorded, best-effort: warn and continue; required: cancel it")
}

/// The URL that a flag or the environment gives.
fn named(matches: &ArgMatches) -> Option<String> {
    let given = matches.get_one::<String>("database-url").cloned();
    // An empty variable counts as unset.
    given.or_else(|| std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty()))
}

/// Where the history is, as set by a flag, the environment or the default.
fn url(matches: &ArgMatches) -> Result<HistoryUrl, HistoryError> {
    match named(matches) {
        Some(url) => Ok(url.parse()?),
        None => Ok(HistoryUrl::in_data_dir()?),
    }
}

/// Opens a history to read it. A file that was named must exist, since a new one would hide a misspelt name.
async fn open_to_read(matches: &ArgMatches) -> Result<History, HistoryError> {
    let url = url(matches)?;
    match url.path() {
        Some(path) if named(matches).is_some() && !path.exists() => Err(HistoryError::Missing(url)),
        _ => open(matches).await,
    }
}

/// Opens the history, and marks the runs that were killed.
pub(crate) async fn open(matches: &ArgMatches) -> Result<History, HistoryError> {
    let history = History::open(&url(matches)?).await?;
    history.mark_interrupted().await?;
    Ok(history)
}

//! The command `history prune`.

use std::time::Duration;

use clap::ArgMatches;
use diffsync_history::{History, HistoryError, Retention};

use super::page::text;
use crate::exit::Exit;
use crate::flags::wants_json;
use crate::terminal;

pub(super) async fn prune(history: &History, matches: &ArgMatches) -> Result<Exit, HistoryError> {
    let keep_last = matches.get_one::<u32>("keep-last").copied().unwrap_or(100);
    let older_than = matches.get_one::<Duration>("older-than").copied().unwrap_or(Duration::from_hours(90 * 24));
    let mut retention = Retention::new(keep_last, older_than);
    if let Some(job) = text(matches, "job") {
        retention = retention.of_job(job);
    }

    let pruned = history.prune(&retention).await?;
    if wants_json(matches) {
        return Ok(terminal::print_json(&pruned));
    }
    let syncs = pruned.syncs.len();
    Ok(terminal::print(&format!("removed {} rows of {syncs} syncs\n", pruned.rows)))
}

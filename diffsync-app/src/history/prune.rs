//! The command `history prune`.

use std::time::Duration;

use clap::ArgMatches;
use diffsync_history::History;

use super::RetentionSetting;
use super::names::Names;
use super::page::text;
use crate::exit::{Exit, NotRun};
use crate::flags::wants_json;
use crate::terminal;

pub(super) async fn prune(history: &History, names: &Names<'_>, matches: &ArgMatches) -> Result<Exit, NotRun> {
    names.check_job(history, matches).await?;

    // The defaults of the flags are those of the file of profiles.
    let mut kept = RetentionSetting::default();
    kept.keep_last = matches.get_one::<u32>("keep-last").copied().unwrap_or(kept.keep_last);
    kept.older_than = matches.get_one::<Duration>("older-than").copied().unwrap_or(kept.older_than);
    let mut retention = kept.retention();
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

//! The commands `history list` and `history show`.

use std::fmt::Write;
use std::time::Duration;

use clap::ArgMatches;
use diffsync_core::plan::OutcomeCounts;
use diffsync_history::{History, SavedSync, SyncFilter, SyncId, SyncStatus};
use serde::Serialize;

use super::names::Names;
use super::page::{VERSION, next_page, page, text};
use crate::exit::{Exit, NotRun};
use crate::flags::wants_json;
use crate::report::{duration, outcome_texts, step_table};
use crate::terminal::{self, one_line};

/// How much of an id is shown: its time in milliseconds, which is unique unless two syncs begin at once.
const SHORT_ID: usize = 13;

/// As much of an id as is shown.
pub(crate) fn short_id(sync: SyncId) -> String {
    sync.to_string().chars().take(SHORT_ID).collect()
}

pub(super) async fn list(history: &History, names: &Names<'_>, matches: &ArgMatches) -> Result<Exit, NotRun> {
    #[derive(Serialize)]
    struct Document {
        version: u32,
        #[serde(flatten)]
        page: diffsync_history::Page<SavedSync>,
    }

    names.check_job(history, matches).await?;
    let statuses = matches.get_many::<String>("status").into_iter().flatten();
    let filter = SyncFilter {
        job: text(matches, "job"),
        profile: text(matches, "profile"),
        status: statuses.filter_map(|name| SyncStatus::named(name)).collect(),
        text: text(matches, "text"),
        ..SyncFilter::default()
    };
    let page = history.syncs(&filter, page(matches)).await?;
    if wants_json(matches) {
        return Ok(terminal::print_json(&Document { version: VERSION, page }));
    }
    if page.items.is_empty() {
        return Ok(terminal::print("no syncs\n"));
    }

    let names: Vec<_> = page.items.iter().map(name).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (sync, name) in page.items.iter().zip(names) {
        let id = short_id(sync.id);
        let began = sync.started_at.strftime("%Y-%m-%d %H:%M:%SZ");
        let kind = if sync.dry_run { "dry run" } else { "sync" };
        let did = if sync.dry_run { planned(sync) } else { ended(sync) };
        // One that has no counts has a reason for that.
        let did = if did.is_empty() { reason(sync) } else { did };
        let (status, name) = (sync.status.to_string(), one_line(&name));
        // Writing to a string does not fail.
        let _ = writeln!(out, "{id}  {began}  {name:width$}  {kind:7}  {status:11}  {did}");
    }
    out.push_str(&next_page(page.next));
    Ok(terminal::print(&out))
}

/// The job, with the profile if it has one.
fn name(sync: &SavedSync) -> String {
    match &sync.profile {
        Some(profile) => format!("{}@{profile}", sync.job),
        None => sync.job.clone(),
    }
}

/// Why a sync did nothing, on one line.
fn reason(sync: &SavedSync) -> String {
    let error = sync.error.as_deref().and_then(|error| error.lines().next());
    let last = || sync.last_record.as_ref().map(|last| format!("the last record known to be written is {last}"));
    one_line(&error.map(str::to_owned).or_else(last).unwrap_or_default()).into_owned()
}

/// What a dry run would have done.
fn planned(sync: &SavedSync) -> String {
    let Some(planned) = &sync.planned else { return String::new() };
    let total = planned.total;
    let numbers = [("create", total.create), ("update", total.update), ("delete", total.delete)];
    let shown: Vec<_> = numbers.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what} {n}")).collect();
    if shown.is_empty() { "nothing to do".to_owned() } else { shown.join(", ") }
}

/// The outcomes of the records of a run.
fn ended(sync: &SavedSync) -> String {
    let counts: OutcomeCounts = sync.counts.unwrap_or_default();
    let shown = outcome_texts(&counts);
    match (shown.is_empty(), sync.status) {
        (true, SyncStatus::Completed) => "nothing to do".to_owned(),
        _ => shown.join(", "),
    }
}

pub(super) async fn show(history: &History, matches: &ArgMatches) -> Result<Exit, NotRun> {
    #[derive(Serialize)]
    struct Document {
        version: u32,
        sync: SavedSync,
    }

    let sync = history.sync(matches.get_one::<String>("sync").map_or("", String::as_str)).await?;
    if wants_json(matches) {
        return Ok(terminal::print_json(&Document { version: VERSION, sync }));
    }

    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = described(&mut out, &sync);
    Ok(terminal::print(&out))
}

fn described(out: &mut String, sync: &SavedSync) -> std::fmt::Result {
    let dry_run = if sync.dry_run { " (dry run: nothing was written)" } else { "" };
    writeln!(out, "{}: {}{dry_run}\n", one_line(&name(sync)), sync.status)?;

    writeln!(out, "  sync     {}", sync.id)?;
    writeln!(out, "  systems  {} -> {}", one_line(&sync.source), one_line(&sync.target))?;
    let process = format!("process {} on {}", sync.pid, sync.host);
    writeln!(out, "  started  {} by {}, {}", sync.started_at, one_line(&sync.started_by), one_line(&process))?;
    if let Some(ended) = sync.ended_at {
        writeln!(out, "  ended    {ended}")?;
    }
    writeln!(out, "  program  version {}", one_line(&sync.program))?;
    if let Some(plan) = &sync.plan {
        writeln!(out, "  plan     {}", one_line(plan))?;
    }

    for (name, values) in &sync.variables {
        writeln!(out, "  {name} = {}", one_line(&values.join(", ")))?;
    }

    if let Some(last) = &sync.last_record {
        writeln!(out, "\nthe process ended during the run; the last record known to be written is {}", one_line(last))?;
    }
    if let Some(error) = &sync.error {
        writeln!(out, "\nerror: {}", terminal::indented(error))?;
    }
    if sync.planned.is_some() {
        writeln!(out, "\nplanned: {}", planned(sync))?;
    }
    if !sync.dry_run && sync.counts.is_some() {
        writeln!(out, "outcomes: {}", ended(sync))?;
    }
    if sync.dropped > 0 {
        writeln!(out, "warning: {} rows could not be recorded", sync.dropped)?;
    }

    let whole = Duration::try_from(sync.duration()).unwrap_or_default();
    if sync.steps.is_empty() {
        writeln!(out, "\nwhole run  {}", duration(whole))?;
    } else {
        step_table(out, &sync.steps, whole)?;
    }

    let id = short_id(sync.id);
    match sync.pruned_at {
        Some(at) => writeln!(out, "\nits diff and logs were removed at {at}"),
        None => writeln!(
            out,
            "\nsee `history diff {id}` ({} records), `history logs {id}` ({} entries), `history logs {id} --lines` ({} lines)",
            sync.changes, sync.entries, sync.lines
        ),
    }
}

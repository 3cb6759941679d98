//! The commands `history diff` and `history logs`.

use std::fmt::Write;

use clap::ArgMatches;
use diffsync_core::model::Operation;
use diffsync_history::{
    Change, ChangeFilter, History, LogEntry, LogEntryFilter, LogLineFilter, Page, SavedSync, SyncId,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::names::Names;
use super::page::{VERSION, next_page, page, text};
use crate::exit::{Exit, NotRun};
use crate::flags::wants_json;
use crate::terminal::{self, one_line};

/// A page of a list as a document.
#[derive(Serialize)]
struct Document<'a, T: Serialize> {
    version: u32,
    sync: SyncId,
    /// When the rows were removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pruned_at: Option<Timestamp>,
    #[serde(flatten)]
    page: &'a Page<T>,
}

/// Prints a page, as a document or with a text for each row.
fn print_page<T: Serialize>(
    matches: &ArgMatches,
    sync: &SavedSync,
    page: &Page<T>,
    row: impl Fn(&T, &mut String) -> std::fmt::Result,
) -> Exit {
    if wants_json(matches) {
        let document = Document { version: VERSION, sync: sync.id, pruned_at: sync.pruned_at, page };
        return terminal::print_json(&document);
    }
    match sync.pruned_at {
        Some(at) if page.items.is_empty() => {
            return terminal::print(&format!(
                "nothing is left: the diff and the logs of this sync were removed at {at}\n"
            ));
        }
        None if page.items.is_empty() => return terminal::print("nothing\n"),
        _ => {}
    }

    let mut out = String::new();
    for item in &page.items {
        // Writing to a string does not fail.
        let _ = row(item, &mut out);
    }
    out.push_str(&next_page(page.next));
    terminal::print(&out)
}

fn operation(matches: &ArgMatches) -> Option<Operation> {
    match matches.get_one::<String>("action")?.as_str() {
        "create" => Some(Operation::Create),
        "update" => Some(Operation::Update),
        _ => Some(Operation::Delete),
    }
}

pub(super) async fn diff(history: &History, names: &Names<'_>, matches: &ArgMatches) -> Result<Exit, NotRun> {
    let sync = history.sync(matches.get_one::<String>("sync").map_or("", String::as_str)).await?;
    names.check_model(&sync, matches)?;
    let filter = ChangeFilter {
        model: text(matches, "model"),
        action: operation(matches),
        attribute: text(matches, "attribute"),
        text: text(matches, "text"),
        ..ChangeFilter::default()
    };
    let changes = history.changes(sync.id, &filter, page(matches)).await?;
    if changes.items.is_empty() {
        names.check_attribute(&sync, matches)?;
    }
    Ok(print_page(matches, &sync, &changes, change))
}

fn change(change: &Change, out: &mut String) -> std::fmt::Result {
    let indent = "  ".repeat(usize::try_from(change.depth).unwrap_or_default());
    let sign = match change.action {
        Some(Operation::Create) => "+ ",
        Some(Operation::Update) => "~ ",
        Some(Operation::Delete) => "- ",
        None => "",
    };
    let withheld = change.withheld.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    writeln!(out, "{indent}{sign}{} {}{withheld}", change.model, one_line(&change.record))?;

    if change.action == Some(Operation::Update) {
        for line in attributes(change.changes.as_ref()) {
            writeln!(out, "{indent}    {}", one_line(&line))?;
        }
    }
    Ok(())
}

/// The attributes of an update, before and after.
fn attributes(changes: Option<&Value>) -> Vec<String> {
    let side = |sign: &str| changes.and_then(|changes| changes.get(sign)).and_then(Value::as_object);
    let after = side("+").into_iter().flatten();
    after
        .map(|(name, new)| {
            format!("{name}: {} -> {new}", side("-").and_then(|old| old.get(name)).unwrap_or(&Value::Null))
        })
        .collect()
}

pub(super) async fn logs(history: &History, names: &Names<'_>, matches: &ArgMatches) -> Result<Exit, NotRun> {
    let sync = history.sync(matches.get_one::<String>("sync").map_or("", String::as_str)).await?;
    names.check_model(&sync, matches)?;

    if matches.get_flag("lines") {
        let filter = LogLineFilter { text: text(matches, "text"), ..LogLineFilter::default() };
        let lines = history.lines(sync.id, &filter, page(matches)).await?;
        return Ok(print_page(matches, &sync, &lines, |line, out| {
            let fields = line.fields.as_ref().map(|fields| format!(" {fields}")).unwrap_or_default();
            let text = format!("{}{fields}", line.message);
            writeln!(out, "{}  {:5}  {}", line.at.strftime("%H:%M:%S%.3f"), line.level, one_line(&text))
        }));
    }

    let filter = LogEntryFilter {
        status: matches.get_many::<String>("status").into_iter().flatten().cloned().collect(),
        model: text(matches, "model"),
        action: operation(matches),
        text: text(matches, "text"),
        ..LogEntryFilter::default()
    };
    let entries = history.entries(sync.id, &filter, page(matches)).await?;
    Ok(print_page(matches, &sync, &entries, entry))
}

fn entry(entry: &LogEntry, out: &mut String) -> std::fmt::Result {
    let message = entry.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    let url = entry.url.as_ref().map(|url| format!("  {url}")).unwrap_or_default();
    let text = format!("{} {}{message}{url}", entry.model, entry.record);
    writeln!(out, "{}  {:13}  {}", entry.at.strftime("%H:%M:%S%.3f"), entry.status, one_line(&text))
}

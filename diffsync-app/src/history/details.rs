//! The commands `history diff` and `history logs`.

use std::fmt::Write;

use clap::ArgMatches;
use diffsync_core::model::Operation;
use diffsync_history::{Change, ChangeFilter, History, HistoryError, LogEntry, LogEntryFilter, LogLineFilter, Page};
use serde::Serialize;
use serde_json::Value;

use super::page::{VERSION, next_page, page, text};
use crate::exit::Exit;
use crate::flags::wants_json;
use crate::terminal::{self, one_line};

/// A page of a list as a document.
#[derive(Serialize)]
struct Document<'a, T: Serialize> {
    version: u32,
    sync: String,
    #[serde(flatten)]
    page: &'a Page<T>,
}

/// Prints a page, as a document or with a text for each row.
fn print_page<T: Serialize>(
    matches: &ArgMatches,
    sync: String,
    page: &Page<T>,
    row: impl Fn(&T, &mut String) -> std::fmt::Result,
) -> Exit {
    if wants_json(matches) {
        return terminal::print_json(&Document { version: VERSION, sync, page });
    }
    if page.items.is_empty() {
        return terminal::print("nothing\n");
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

pub(super) async fn diff(history: &History, matches: &ArgMatches) -> Result<Exit, HistoryError> {
    let sync = history.sync(matches.get_one::<String>("sync").map_or("", String::as_str)).await?;
    let filter = ChangeFilter {
        model: text(matches, "model"),
        action: operation(matches),
        attribute: text(matches, "attribute"),
        text: text(matches, "text"),
        ..ChangeFilter::default()
    };
    let changes = history.changes(sync.id, &filter, page(matches)).await?;
    Ok(print_page(matches, sync.id.to_string(), &changes, change))
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

pub(super) async fn logs(history: &History, matches: &ArgMatches) -> Result<Exit, HistoryError> {
    let sync = history.sync(matches.get_one::<String>("sync").map_or("", String::as_str)).await?;

    if matches.get_flag("lines") {
        let filter = LogLineFilter { text: text(matches, "text"), ..LogLineFilter::default() };
        let lines = history.lines(sync.id, &filter, page(matches)).await?;
        return Ok(print_page(matches, sync.id.to_string(), &lines, |line, out| {
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
    Ok(print_page(matches, sync.id.to_string(), &entries, entry))
}

fn entry(entry: &LogEntry, out: &mut String) -> std::fmt::Result {
    let message = entry.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    let url = entry.url.as_ref().map(|url| format!("  {url}")).unwrap_or_default();
    let text = format!("{} {}{message}{url}", entry.model, entry.record);
    writeln!(out, "{}  {:13}  {}", entry.at.strftime("%H:%M:%S%.3f"), entry.status, one_line(&text))
}

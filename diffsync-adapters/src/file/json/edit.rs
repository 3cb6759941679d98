//! A JSON text with other values in some places; its other letters stay.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::de::Error as _;
use serde_json::{Error, Result};

use super::scan::Scan;
use crate::file::change::{Change, Piece};
use crate::file::datum::Datum;
use crate::file::model::Column;

/// A value as JSON, if JSON can hold it.
pub(in crate::file) fn text_of(value: &Datum) -> Result<String> {
    let mut text = String::new();
    push(&mut text, value)?;
    Ok(text)
}

fn push(text: &mut String, value: &Datum) -> Result<()> {
    match value {
        Datum::Null => text.push_str("null"),
        Datum::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Datum::Number(number) if matches!(number.as_str(), "inf" | "-inf" | "nan") => {
            return Err(Error::custom(format!("JSON has no number {number}")));
        }
        Datum::Number(number) => text.push_str(number),
        Datum::Text(value) | Datum::Plain(value) => text.push_str(&serde_json::to_string(value)?),
        Datum::List(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                push(text, item)?;
            }
            text.push(']');
        }
        Datum::Map(entries) => {
            text.push('{');
            for (position, (key, value)) in entries.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                text.push_str(&serde_json::to_string(key)?);
                text.push(':');
                push(text, value)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

/// How values that take several lines are written.
#[derive(Debug, Clone)]
pub(in crate::file) struct Layout {
    /// The line break, with the indentation of the value itself.
    pub(in crate::file) line: String,
    /// How much further each level is indented.
    pub(in crate::file) indent: String,
}

/// A new record: on one line, or with a line for each key and value.
pub(in crate::file) fn record(columns: &[Column], values: &[Datum], layout: Option<&Layout>) -> Result<String> {
    let entries = columns.iter().zip(values).map(|(column, value)| (column.name.to_owned(), value.clone()));
    let record = Datum::Map(entries.collect());
    match layout {
        None => text_of(&record),
        Some(layout) => {
            let mut text = String::new();
            push_lines(&mut text, &record, &layout.line, &layout.indent)?;
            Ok(text)
        }
    }
}

fn push_lines(text: &mut String, value: &Datum, line: &str, indent: &str) -> Result<()> {
    let inner = format!("{line}{indent}");
    match value {
        Datum::List(items) if !items.is_empty() => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                text.push_str(&inner);
                push_lines(text, item, &inner, indent)?;
            }
            text.push_str(line);
            text.push(']');
        }
        Datum::Map(entries) if !entries.is_empty() => {
            text.push('{');
            for (position, (key, value)) in entries.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                text.push_str(&inner);
                text.push_str(&serde_json::to_string(key)?);
                text.push_str(": ");
                push_lines(text, value, &inner, indent)?;
            }
            text.push_str(line);
            text.push('}');
        }
        other => push(text, other)?,
    }
    Ok(())
}

/// An object with other values under some of its keys; its other letters stay.
pub(in crate::file) fn edited(object: &str, columns: &[Column], changes: &[(usize, Change)]) -> Result<String> {
    let named = |(at, change): &(usize, Change)| Some((columns.get(*at)?.name.to_owned(), change.clone()));
    map(object, &changes.iter().filter_map(named).collect::<Vec<_>>(), &[])
}

/// A text that holds a value, with a change made in it.
pub(in crate::file) fn changed(text: &str, change: &Change) -> Result<String> {
    match change {
        Change::Set(value) => text_of(value),
        Change::Map { set, gone } => map(text, set, gone),
        Change::List(pieces) => list(text, pieces),
    }
}

fn map(object: &str, set: &[(String, Change)], gone: &[String]) -> Result<String> {
    let entries = Scan::of(object, 0).entries()?;
    let part = |range: Range<usize>| object.get(range).unwrap_or_default();
    let changes: HashMap<&str, &Change> = set.iter().map(|(key, change)| (key.as_str(), change)).collect();
    let gone: HashSet<&str> = gone.iter().map(String::as_str).collect();
    let keys: HashSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    let mut parts = Vec::with_capacity(entries.len() + set.len());
    for (position, entry) in entries.iter().enumerate() {
        if gone.contains(entry.key.as_str()) {
            continue;
        }
        let head = part(entry.begin..entry.value.start);
        let value = part(entry.value.clone());
        let value = match changes.get(entry.key.as_str()) {
            Some(change) => changed(value, change)?,
            None => value.to_owned(),
        };
        parts.push((Some(position), format!("{head}{value}")));
    }
    for (key, change) in set.iter().filter(|(key, _)| !keys.contains(key.as_str())) {
        let value = change.applied(&Datum::Null).ok_or_else(|| Error::custom("there is nothing to change"))?;
        // The space behind the colon is as in the other entries.
        let colon = entries.first().map_or(": ", |first| {
            let head = part(first.begin..first.value.start);
            head.rfind(':').and_then(|colon| head.get(colon..)).unwrap_or(": ")
        });
        parts.push((None, format!("{}{colon}{}", serde_json::to_string(key)?, text_of(&value)?)));
    }
    let places: Vec<_> = entries.iter().map(|entry| entry.begin..entry.value.end).collect();
    Ok(joined(object, &places, &parts))
}

fn list(text: &str, pieces: &[Piece]) -> Result<String> {
    let items = Scan::of(text, 0).items()?;
    let old = |position: usize| items.get(position).and_then(|place| text.get(place.clone())).unwrap_or_default();
    let part = |piece: &Piece| {
        Ok(match piece {
            Piece::Old(position, None) => (Some(*position), old(*position).to_owned()),
            Piece::Old(position, Some(change)) => (Some(*position), changed(old(*position), change)?),
            Piece::New(item) => (None, text_of(item)?),
        })
    };
    Ok(joined(text, &items, &pieces.iter().map(part).collect::<Result<Vec<_>>>()?))
}

/// What stands between brackets, with other parts. Each says which of the old it takes the place of, if of any; where two
/// follow each other as before, what stood between them stays.
pub(in crate::file) fn joined(text: &str, old: &[Range<usize>], parts: &[(Option<usize>, String)]) -> String {
    let part = |range: Range<usize>| text.get(range).unwrap_or_default();
    let (open, close) =
        (text.get(..1).unwrap_or_default(), text.get(text.len().saturating_sub(1)..).unwrap_or_default());
    let (Some(first), Some(last)) = (old.first(), old.last()) else {
        let parts: Vec<_> = parts.iter().map(|(_, part)| part.as_str()).collect();
        return format!("{open}{}{close}", parts.join(", "));
    };
    if parts.is_empty() {
        return format!("{open}{close}");
    }
    let (before, behind) = (part(1..first.start), part(last.end..text.len() - 1));
    let between = |position: usize| Some(part(old.get(position)?.end..old.get(position + 1)?.start));
    let separator = match between(0) {
        Some(between) => between.to_owned(),
        None if before.is_empty() => ", ".to_owned(),
        None => format!(",{before}"),
    };
    let mut new = format!("{open}{before}");
    for (position, (place, text)) in parts.iter().enumerate() {
        if let Some(previous) = position.checked_sub(1).and_then(|previous| parts.get(previous)) {
            let as_before = previous.0.filter(|previous| *place == Some(previous + 1)).and_then(between);
            new.push_str(as_before.unwrap_or(&separator));
        }
        new.push_str(text);
    }
    new.push_str(behind);
    new.push_str(close);
    new
}

/// How records that take several lines are indented at each level, as far as one of them shows.
pub(super) fn indent_of(item: &str, outer: &str) -> String {
    let first = item.split_once('\n').map_or("", |(_, rest)| rest);
    let space = first.get(..first.len() - first.trim_start_matches([' ', '\t']).len()).unwrap_or_default();
    match space.strip_prefix(outer) {
        Some(indent) if !indent.is_empty() => indent.to_owned(),
        _ => "  ".to_owned(),
    }
}

/// Makes sure that JSON can hold a value.
pub(in crate::file) fn check(value: &Datum) -> std::result::Result<(), String> {
    text_of(value).map(drop).map_err(|error| error.to_string())
}

//! A JSON text with other values in some places; its other letters stay.

mod scan;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::de::Error as _;
use serde_json::{Error, Result};

pub(crate) use self::scan::{Scan, datum, object};
use super::change::{Change, Piece};
use super::datum::Datum;

/// A value as JSON, if JSON can hold it.
pub(crate) fn text_of(value: &Datum) -> Result<String> {
    let mut text = String::new();
    push(&mut text, value)?;
    Ok(text)
}

pub(crate) fn push(text: &mut String, value: &Datum) -> Result<()> {
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

/// The text of a value, with a change applied.
pub(crate) fn changed(text: &str, change: &Change) -> Result<String> {
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
        // The space after the colon is as in the other entries.
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

/// The text between brackets, with other parts. Each has the position of the old part that it replaces, if any; if two
/// follow each other as before, the text between them stays.
pub(crate) fn joined(text: &str, old: &[Range<usize>], parts: &[(Option<usize>, String)]) -> String {
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

/// Makes sure that JSON can hold a value.
pub(crate) fn check(value: &Datum) -> std::result::Result<(), String> {
    text_of(value).map(drop).map_err(|error| error.to_string())
}

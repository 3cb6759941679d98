//! Records as JSON.

use serde_json::Result;

use crate::file::model::schema::Column;
use crate::nested::change::Change;
use crate::nested::datum::Datum;
use crate::nested::json::{changed, push, text_of};

/// How values that take several lines are written.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The line break, with the indentation of the value itself.
    pub(crate) line: String,
    /// How much further each level is indented.
    pub(crate) indent: String,
}

/// A new record: on one line, or with a line for each key and value.
pub(crate) fn record(columns: &[Column], values: &[Datum], layout: Option<&Layout>) -> Result<String> {
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
pub(crate) fn edited(object: &str, columns: &[Column], changes: &[(usize, Change)]) -> Result<String> {
    let named = |(at, change): &(usize, Change)| Some((columns.get(*at)?.name.to_owned(), change.clone()));
    let set = changes.iter().filter_map(named).collect();
    changed(object, &Change::Map { set, gone: Vec::new() })
}

/// The indentation of multi-line records at each level, as one of them shows it.
pub(crate) fn indent_of(item: &str, outer: &str) -> String {
    let first = item.split_once('\n').map_or("", |(_, rest)| rest);
    let space = first.get(..first.len() - first.trim_start_matches([' ', '\t']).len()).unwrap_or_default();
    match space.strip_prefix(outer) {
        Some(indent) if !indent.is_empty() => indent.to_owned(),
        _ => "  ".to_owned(),
    }
}

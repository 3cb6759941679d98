//! Changes within the values of a table. Comments stay.

use toml_edit::{Array, ArrayOfTables, Datetime, Formatted, Item, RawString, Table, TableLike, Value};

use super::{entries, plain, plain_value, time_text, written};
use crate::nested::change::{Change, Piece};
use crate::nested::datum::Datum;

/// Changes the value of a key.
pub(crate) fn change_key(table: &mut dyn TableLike, key: &str, change: &Change) -> Result<(), String> {
    if matches!(change, Change::Set(Datum::Null)) {
        table.remove(key);
        return Ok(());
    }

    match table.get_mut(key) {
        Some(item) if !item.is_none() => change_item(item, change),
        _ => {
            let value = change.applied(&Datum::Null).ok_or("there is nothing to change")?;
            table.insert(key, written(&value)?.into());
            Ok(())
        }
    }
}

fn change_item(item: &mut Item, change: &Change) -> Result<(), String> {
    if let (Change::Map { set, gone }, Some(table)) = (change, item.as_table_like_mut()) {
        return change_table(table, set, gone);
    }

    match (change, item) {
        (Change::List(pieces), Item::ArrayOfTables(tables)) => change_tables(tables, pieces),
        (change, Item::Value(value)) => change_value(value, change),
        (change, item) => {
            let value = change.applied(&plain(item)).ok_or("its form is not the one that the change expects")?;
            *item = written(&value)?.into();
            Ok(())
        }
    }
}

fn change_table(table: &mut dyn TableLike, set: &[(String, Change)], gone: &[String]) -> Result<(), String> {
    for key in gone {
        table.remove(key);
    }
    set.iter().try_for_each(|(key, change)| change_key(table, key, change))
}

fn change_value(value: &mut Value, change: &Change) -> Result<(), String> {
    match (change, value) {
        (Change::Map { set, gone }, Value::InlineTable(table)) => change_table(table, set, gone),
        (Change::List(pieces), Value::Array(array)) => change_array(array, pieces),
        (change, value) => {
            let new = change.applied(&plain_value(value)).ok_or("its form is not the one that the change expects")?;
            let mut new = written(&new)?;
            // A date or time stays one, if the new value can be written as one.
            if value.is_datetime()
                && let Some(text) = new.as_str()
                && let Ok(time) = text.parse::<Datetime>()
                && time_text(time) == text
            {
                new = Value::Datetime(Formatted::new(time));
            }

            new.decor_mut().clone_from(value.decor());
            *value = new;
            Ok(())
        }
    }
}

fn change_tables(tables: &mut ArrayOfTables, pieces: &[Piece]) -> Result<(), String> {
    let old: Vec<Table> = tables.iter().cloned().collect();
    let mut new = ArrayOfTables::new();
    for piece in pieces {
        let table = match piece {
            Piece::Old(position, change) => {
                let mut table = old.get(*position).cloned().ok_or("a table is missing")?;
                match change {
                    Some(Change::Map { set, gone }) => change_table(&mut table, set, gone)?,
                    Some(change) => match change.applied(&entries(&table)).map(|value| written(&value)).transpose()? {
                        Some(Value::InlineTable(inline)) => table = inline.into_table(),
                        _ => return Err("a table would be another value".into()),
                    },
                    None => {}
                }
                table
            }
            Piece::New(value) => match written(value)? {
                Value::InlineTable(table) => table.into_table(),
                _ => return Err("a table would be another value".into()),
            },
        };
        new.push(table);
    }

    *tables = new;
    Ok(())
}

/// An item of an array with the comments that are about it: those above it, and the one after it on its line.
struct Element {
    above: String,
    value: Value,
    behind: String,
}

pub(crate) fn change_array(array: &mut Array, pieces: &[Piece]) -> Result<(), String> {
    let text = |raw: Option<&RawString>| raw.and_then(RawString::as_str).unwrap_or_default().to_owned();
    let mut elements: Vec<Element> = Vec::with_capacity(array.len());
    let mut lead = String::new();
    for value in array.iter() {
        let before = text(value.decor().prefix());
        let (first, above) = split(&before);
        match elements.last_mut() {
            Some(last) => last.behind.push_str(first),
            None => first.clone_into(&mut lead),
        }

        // The text between an item and its comma.
        let behind = text(value.decor().suffix());
        elements.push(Element { above: above.to_owned(), value: value.clone(), behind });
    }

    let trailing = text(Some(array.trailing()));
    let (first, tail) = split(&trailing);
    match elements.last_mut() {
        Some(last) => last.behind.push_str(first),
        None => first.clone_into(&mut lead),
    }

    let (mut tail, has_comma) = (tail.to_owned(), array.trailing_comma());

    // Without a comma at the end, what follows the last item is its own.
    if let Some(last) = elements.last_mut().filter(|_| !has_comma) {
        let (first, rest) = split(&last.behind);
        tail = format!("{rest}{tail}");
        last.behind = first.to_owned();
    }

    let above_of_new = elements.first().map_or(String::new(), |first| {
        let line = first.above.rfind('\n').map_or("", |at| first.above.get(at..).unwrap_or_default());
        let is_crlf = first.above.contains("\r\n");
        if is_crlf && !line.is_empty() { format!("\r{line}") } else { line.to_owned() }
    });
    let is_in_lines = !above_of_new.is_empty();

    let mut new = Vec::with_capacity(pieces.len());
    for piece in pieces {
        new.push(match piece {
            Piece::Old(position, change) => {
                let element = elements.get(*position).ok_or("an item is missing")?;
                let mut value = element.value.clone();
                if let Some(change) = change {
                    change_value(&mut value, change)?;
                }
                Element { above: element.above.clone(), value, behind: element.behind.clone() }
            }
            Piece::New(value) => {
                let above = if is_in_lines { above_of_new.clone() } else { " ".to_owned() };
                Element { above, value: written(value)?, behind: String::new() }
            }
        });
    }

    array.clear();
    let mut before = lead;
    let count = new.len();

    for (position, mut element) in new.into_iter().enumerate() {
        let above = if position == 0 && !is_in_lines { element.above.trim_start_matches(' ') } else { &element.above };
        // Behind a comma a space, as between the others.
        let above = if position > 0 && !is_in_lines && above.is_empty() { " " } else { above };
        element.value.decor_mut().set_prefix(format!("{before}{above}"));
        element.value.decor_mut().set_suffix("");
        array.push_formatted(element.value);
        before = element.behind;
        // A comment after the last item comes before its comma only if it has no comma.
        if position + 1 == count {
            array.set_trailing(format!("{before}{tail}"));
        }
    }

    array.set_trailing_comma(has_comma && count > 0);
    Ok(())
}

/// The rest of the current line, if it holds a comment, and what follows.
fn split(space: &str) -> (&str, &str) {
    match space.find('\n') {
        Some(end) if space.get(..end).is_some_and(|line| line.contains('#')) => {
            let end = if space.get(..end).is_some_and(|line| line.ends_with('\r')) { end - 1 } else { end };
            space.split_at(end)
        }
        _ => ("", space),
    }
}

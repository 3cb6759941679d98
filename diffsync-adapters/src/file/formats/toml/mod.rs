//! TOML: an array of tables. Comments and the order of keys stay.

mod edit;
mod value;

use std::fs::File;
use std::io::Write;

use diffsync_core::adapter::AdapterError;
use diffsync_core::data::Side;
use toml_edit::{Array, Datetime, Document, InlineTable, Item, TableLike, TomlError};

use super::encoding::text;
use super::lines::Lines;
use crate::file::model::FileModel;
use crate::file::model::edits::{Edits, TextEdit, UNFAITHFUL};
use crate::file::model::records::{CUT_OFF, Records};
use crate::file::model::row::CellError;
use crate::file::model::schema::instead;
use crate::file::model::values::DatumRow;
use crate::nested::datum::Datum;

/// Reads all records.
pub(crate) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let (_, text) = text(file).map_err(|error| records.unreadable(error))?;
    let lines = Lines::of(&text);
    let document = Document::parse(text.as_str()).map_err(|error: TomlError| {
        let (line, column) = lines.place(error.span().unwrap_or_default().start);
        let is_last = !records.ends_line && usize::try_from(line).is_ok_and(|line| line == lines.starts.len());
        let advice = if is_last { format!("; {CUT_OFF}") } else { String::new() };
        records.error(format_args!("line {line}, column {column}: {}{advice}", error.message().trim()))
    })?;

    let key = M::FILE.list.unwrap_or(M::NAME);
    let Some(list) = document.get(key) else {
        // In a target the list is created together with the first record.
        return match records.side() {
            Side::Target => Ok(()),
            Side::Source => {
                let keys: Vec<_> = document.iter().map(|(key, _)| key).collect();
                let there = instead(key, &keys);
                Err(records
                    .error(format_args!("there is no `[[{key}]]`{there}; a list without records is `{key} = []`")))
            }
        };
    };

    // Only what is deleted in a target loses its comments.
    let commented = match (records.side(), list) {
        (Side::Target, Item::ArrayOfTables(tables)) => edit::commented(&text, &document, tables, key),
        _ => Vec::new(),
    };

    let mut cells = DatumRow::new(M::FILE.columns);
    let mut begin = 0;
    for (position, table) in tables(list).enumerate() {
        let (table, span) =
            table.map_err(|what| records.error(format_args!("`{key}` is not a list of tables: {what}")))?;
        let line = span.as_ref().map(|span| lines.place(span.start).0);
        cells.begin(line);
        fill(&mut cells, table);
        records.add_commented(M::read(&mut cells), line, commented.get(position) == Some(&true))?;
        begin = span.map_or(0, |span| span.start);
    }

    // Nothing closes a table with a header, and no other one may follow it.
    let is_last = document.iter().all(|(_, item)| item.span().is_none_or(|span| span.start <= begin));
    records.finish(matches!(list, Item::ArrayOfTables(_)) && is_last)?;
    records.note_keys(&cells)
}

type Found<'a> = Result<(&'a dyn TableLike, Option<std::ops::Range<usize>>), &'static str>;

/// The tables of a list, however it is written.
fn tables(list: &Item) -> Box<dyn Iterator<Item = Found<'_>> + '_> {
    match list {
        Item::ArrayOfTables(tables) => Box::new(tables.iter().map(|table| Ok((table as &dyn TableLike, table.span())))),
        Item::Value(toml_edit::Value::Array(array)) => Box::new(array.iter().map(|value| match value {
            toml_edit::Value::InlineTable(table) => Ok((table as &dyn TableLike, table.span())),
            other => Err(other.type_name()),
        })),
        other => Box::new(std::iter::once(Err(other.type_name()))),
    }
}

/// Fills the cells from a table.
fn fill(cells: &mut DatumRow, table: &dyn TableLike) {
    cells.clear();
    for (key, item) in table.iter() {
        if let Some(column) = cells.position(key) {
            cells.fill(column, plain(item));
        }
    }
}

fn plain(item: &Item) -> Datum {
    match item {
        Item::None => Datum::Null,
        Item::Value(value) => plain_value(value),
        Item::Table(table) => entries(table),
        Item::ArrayOfTables(tables) => Datum::List(tables.iter().map(|table| entries(table)).collect()),
    }
}

fn entries(table: &dyn TableLike) -> Datum {
    Datum::Map(table.iter().map(|(key, item)| (key.to_owned(), plain(item))).collect())
}

fn plain_value(value: &toml_edit::Value) -> Datum {
    match value {
        toml_edit::Value::String(text) => Datum::Text(text.value().clone()),
        toml_edit::Value::Integer(number) => Datum::Number(number.value().to_string()),
        toml_edit::Value::Float(number) if number.value().is_nan() => Datum::Number("nan".into()),
        toml_edit::Value::Float(number) => Datum::Number(format!("{:?}", number.value())),
        toml_edit::Value::Boolean(value) => Datum::Bool(*value.value()),
        toml_edit::Value::Datetime(time) => Datum::Text(time_text(*time.value())),
        toml_edit::Value::Array(array) => Datum::List(array.iter().map(plain_value).collect()),
        toml_edit::Value::InlineTable(table) => entries(table),
    }
}

/// A time as text. It can be written in several ways and is one: `10:00Z` is `10:00:00Z`, and so is `10:00+00:00`.
fn time_text(mut time: Datetime) -> String {
    if let Some(time) = &mut time.time {
        time.second.get_or_insert(0);
        time.nanosecond = time.nanosecond.filter(|&nanosecond| nanosecond > 0);
    }
    if time.offset == Some(toml_edit::Offset::Custom { minutes: 0 }) {
        time.offset = Some(toml_edit::Offset::Z);
    }
    time.to_string()
}

/// Whether a table can hold these values so that they come back as they are.
pub(crate) fn check<M: FileModel>(values: &[Datum]) -> Result<(), CellError> {
    for (column, value) in M::FILE.columns.iter().zip(values).filter(|(_, value)| **value != Datum::Null) {
        written(value).map_err(|what| CellError::in_column(column, what))?;
    }
    Ok(())
}

/// A value as TOML writes it.
fn written(value: &Datum) -> Result<toml_edit::Value, &'static str> {
    Ok(match value {
        Datum::Null => return Err("TOML has no null within a list or a table"),
        Datum::Bool(value) => (*value).into(),
        Datum::Number(number) => match (number.parse::<i64>(), number.parse::<f64>()) {
            (Ok(number), _) => number.into(),
            (Err(_), Ok(float)) if number.contains(['.', 'e', 'n']) => float.into(),
            _ => return Err("TOML has no whole number this large"),
        },
        Datum::Text(text) | Datum::Plain(text) => text.as_str().into(),
        Datum::List(items) => items.iter().map(written).collect::<Result<Array, _>>()?.into(),
        Datum::Map(entries) => {
            let mut table = InlineTable::new();
            for (key, value) in entries {
                table.insert(key.as_str(), written(value)?);
            }
            table.into()
        }
    })
}

/// Writes the file with changed records. Unchanged parts are copied.
///
/// The new text is read again and compared as a whole. If it differs from the expected content, it is not written.
pub(crate) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut impl Write,
) -> Result<(), AdapterError> {
    let (mark, old) = old.map(text).transpose().map_err(|error| edits.failed(error))?.unwrap_or_default();
    let document = Document::parse(old.as_str()).map_err(|error: TomlError| edits.failed(error))?;
    let key = M::FILE.list.unwrap_or(M::NAME);
    let mut records = Vec::new();
    let mut changes = Vec::new();
    let mut cells = DatumRow::new(M::FILE.columns);
    for table in document.get(key).map(tables).into_iter().flatten() {
        let (table, _) = table.map_err(|what| edits.error(format_args!("it holds {what} instead of a table")))?;
        fill(&mut cells, table);
        let read = M::read(&mut cells);
        changes.push(edits.edit_text(read, |column| Some(plain(table.get(M::FILE.columns.get(column)?.name)?)))?);
        records.push(entries(table));
    }

    let created: Vec<_> = edits.created_text().collect::<Result<_, _>>()?;
    let new =
        edit::edited(&old, &document, key, M::FILE.columns, &changes, &created).map_err(|what| edits.error(what))?;

    let unfaithful = |error: TomlError| edits.error(format_args!("{UNFAITHFUL} ({})", error.message().trim()));
    let found = Document::parse(new.as_str()).map_err(unfaithful)?;
    let mut now = found.get(key).map(tables).into_iter().flatten();
    let mut next = || match now.next() {
        Some(Ok((table, _))) => Ok(entries(table)),
        _ => Err(edits.error(UNFAITHFUL)),
    };

    for (old, edit) in records.iter().zip(&changes) {
        if let Some(expected) = edit.expected(M::FILE.columns, old) {
            edits.verify(&next()?, edit, Some(&expected))?;
        } else if !matches!(edit, TextEdit::Drop) {
            return Err(edits.error(UNFAITHFUL));
        }
    }

    for values in &created {
        edits.verify_new(&next()?, values)?;
    }

    let beside = |document: &Document<&str>| {
        let beside = document.iter().filter(|(name, _)| *name != key);
        Datum::Map(beside.map(|(name, item)| (name.to_owned(), plain(item))).collect())
    };

    if next().is_ok() || !beside(&document).agrees(&beside(&found)) {
        return Err(edits.error(UNFAITHFUL));
    }

    write!(out, "{mark}{new}").map_err(|error| edits.failed(error))
}

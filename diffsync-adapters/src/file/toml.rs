//! TOML: an array of tables. Comments and the order of keys stay.

use std::fs::File;
use std::io::Write;

use diffsync_core::{AdapterError, Side};
use serde_json::{Number, Value};
use toml_edit::{Array, ArrayOfTables, Document, DocumentMut, InlineTable, Item, Table, TableLike, TomlError};

use super::cells::{CellError, ValueCells};
use super::edits::{Edit, Edits};
use super::encoding::text;
use super::lines::Lines;
use super::model::{Column, FileModel};
use super::records::Records;

/// Reads all records.
pub(super) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let (_, text) = text(file).map_err(|error| records.unreadable(error))?;
    let lines = Lines::of(&text);
    let document = Document::parse(text.as_str()).map_err(|error: TomlError| {
        let (line, column) = lines.place(error.span().unwrap_or_default().start);
        records.error(format_args!("line {line}, column {column}: {}", error.message().trim()))
    })?;
    let key = M::FILE.list.unwrap_or(M::NAME);
    let Some(list) = document.get(key) else {
        // In a target the list is made when there is something in it.
        return match records.side() {
            Side::Target => Ok(()),
            Side::Source => {
                Err(records.error(format_args!("there is no `[[{key}]]`; a list without records is `{key} = []`")))
            }
        };
    };
    let mut cells = ValueCells::new(M::FILE.columns);
    for table in tables(list) {
        let (table, span) =
            table.map_err(|what| records.error(format_args!("`{key}` is not a list of tables: {what}")))?;
        fill(&mut cells, table);
        records.add(M::read(&mut cells), span.map(|span| lines.place(span.start).0))?;
    }
    Ok(())
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
fn fill(cells: &mut ValueCells, table: &dyn TableLike) {
    cells.clear();
    for (key, item) in table.iter() {
        cells.fill(key, || plain(item));
    }
}

fn plain(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => plain_value(value),
        Item::Table(table) => entries(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| entries(table)).collect(),
    }
}

fn entries(table: &dyn TableLike) -> Value {
    table.iter().map(|(key, item)| (key.to_owned(), plain(item))).collect()
}

fn plain_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::from(text.value().as_str()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Number::from_f64(*number.value()).map_or(Value::Null, Value::Number),
        toml_edit::Value::Boolean(value) => Value::from(*value.value()),
        toml_edit::Value::Datetime(time) => Value::from(time.value().to_string()),
        toml_edit::Value::Array(array) => array.iter().map(plain_value).collect(),
        toml_edit::Value::InlineTable(table) => entries(table),
    }
}

/// Whether a table can hold these values so that they come back as they are.
pub(super) fn check<M: FileModel>(values: &[Value]) -> Result<(), CellError> {
    for (column, value) in M::FILE.columns.iter().zip(values).filter(|(_, value)| !value.is_null()) {
        written(value).map_err(|what| CellError::in_column(column, what))?;
    }
    Ok(())
}

/// A value as TOML writes it.
fn written(value: &Value) -> Result<toml_edit::Value, &'static str> {
    Ok(match value {
        Value::Null => return Err("TOML has no null within a list or a table"),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) if value.is_f64() => number.into(),
            _ => return Err("TOML has no whole number this large"),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(written).collect::<Result<Array, _>>()?.into(),
        Value::Object(entries) => {
            let mut table = InlineTable::new();
            for (key, value) in entries {
                table.insert(key.as_str(), written(value)?);
            }
            table.into()
        }
    })
}

/// Writes the file with its records changed. What stays as it is is copied as it is written.
pub(super) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut impl Write,
) -> Result<(), AdapterError> {
    let (mark, old) = old.map(text).transpose().map_err(|error| edits.failed(error))?.unwrap_or_default();
    let mut document: DocumentMut = old.parse().map_err(|error: TomlError| edits.failed(error))?;
    let key = M::FILE.list.unwrap_or(M::NAME);
    let list = document.entry(key).or_insert(Item::None);
    change(list, edits)?;
    // An array of tables without tables is nothing at all, and a source without its list is an error.
    if list.as_array_of_tables().is_none_or(ArrayOfTables::is_empty) && !list.is_value() {
        document.remove(key);
        document.insert(key, Array::new().into());
    }
    write!(out, "{mark}{document}").map_err(|error| edits.failed(error))
}

/// Changes the tables of a list, however it is written.
fn change<M: FileModel>(list: &mut Item, edits: &Edits<'_, M>) -> Result<(), AdapterError> {
    let mut cells = ValueCells::new(M::FILE.columns);
    let mut changes = Vec::new();
    if !list.is_none() {
        for table in tables(list) {
            let (table, _) = table.map_err(|what| edits.error(format_args!("it holds {what} instead of a table")))?;
            fill(&mut cells, table);
            changes.push(edits.edit(M::read(&mut cells))?);
        }
    }
    let failed = |what: &'static str| edits.error(what);
    let mut set = changes.iter();
    let mut kept = changes.iter();
    let mut change = |table: &mut dyn TableLike| match set.next() {
        Some(Edit::Set(values)) => values.iter().try_for_each(|(column, value)| {
            M::FILE.columns.get(*column).map_or(Ok(()), |column| put(table, column, value))
        }),
        _ => Ok(()),
    };
    match list {
        Item::ArrayOfTables(tables) => {
            tables.iter_mut().try_for_each(|table| change(table)).map_err(failed)?;
            tables.retain(|_| kept.next() != Some(&Edit::Drop));
        }
        Item::Value(toml_edit::Value::Array(array)) => {
            let tables = array.iter_mut().filter_map(toml_edit::Value::as_inline_table_mut);
            tables.into_iter().try_for_each(|table| change(table)).map_err(failed)?;
            array.retain(|_| kept.next() != Some(&Edit::Drop));
        }
        _ => {}
    }
    for values in edits.created() {
        let mut table = Table::new();
        for (column, value) in M::FILE.columns.iter().zip(&values?) {
            put(&mut table, column, value).map_err(failed)?;
        }
        match list {
            Item::Value(toml_edit::Value::Array(array)) if !array.is_empty() => array.push(table.into_inline_table()),
            Item::ArrayOfTables(tables) => tables.push(table),
            _ => *list = Item::ArrayOfTables([table].into_iter().collect()),
        }
    }
    Ok(())
}

/// Puts a value under its key, with the comment that stands there.
fn put(table: &mut dyn TableLike, column: &Column, value: &Value) -> Result<(), &'static str> {
    if value.is_null() {
        table.remove(column.name);
        return Ok(());
    }
    let mut new = written(value)?;
    if let Some(Item::Value(old)) = table.get_mut(column.name) {
        // What was written as a time stays one.
        if let (true, Some(time)) = (old.is_datetime(), new.as_str().and_then(|text| text.parse().ok())) {
            new = toml_edit::Value::Datetime(toml_edit::Formatted::new(time));
        }
        new.decor_mut().clone_from(old.decor());
        *old = new;
    } else {
        table.insert(column.name, new.into());
    }
    Ok(())
}

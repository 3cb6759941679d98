//! YAML: a list of mappings. Comments, and whatever else stands in the file, stay.

mod document;
mod edit;

use std::fs::File;
use std::io::Write;

use diffsync_core::{AdapterError, Side};

use self::document::Document;
use super::cells::ValueCells;
use super::edits::{Edit, Edits};
use super::encoding::text;
use super::model::FileModel;
use super::records::Records;

/// Reads all records.
pub(super) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let (_, text) = text(file).map_err(|error| records.unreadable(error))?;
    let document = Document::<M>::read(&text);
    let Some(list) = document.map_err(|what| records.error(what))?.list else {
        // In a target the list is made when there is something in it.
        return match (records.side(), M::FILE.list) {
            (Side::Target, _) => Ok(()),
            (Side::Source, None) => Err(records.error("there is nothing; a list without records is `[]`")),
            (Side::Source, Some(key)) => Err(records.error(format_args!("there is no key `{key}`"))),
        };
    };
    let mut cells = ValueCells::new(M::FILE.columns);
    for item in list.value {
        let line = item.referenced.line();
        cells.clear();
        for (column, value) in item.value.cells {
            cells.put(column, value.value);
        }
        records.add(M::read(&mut cells), Some(line))?;
    }
    Ok(())
}

/// Writes the file with its records changed.
///
/// The text is edited line by line, so what comes out is read again: if it does not hold what it must, it is not written.
pub(super) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut impl Write,
) -> Result<(), AdapterError> {
    let (mark, old) = old.map(text).transpose().map_err(|error| edits.failed(error))?.unwrap_or_default();
    let document = Document::<M>::read(&old).map_err(|what| edits.error(what))?;
    let mut cells = ValueCells::new(M::FILE.columns);
    let (mut changes, mut expected) = (Vec::new(), Vec::new());
    for item in document.list.iter().flat_map(|list| &list.value) {
        cells.clear();
        for (column, value) in &item.value.cells {
            cells.put(*column, value.value.clone());
        }
        let edit = edits.edit(M::read(&mut cells))?;
        if edit != Edit::Drop {
            let mut values = item.value.values();
            if let Edit::Set(changed) = &edit {
                values.extend(changed.iter().cloned());
            }
            expected.push(values);
        }
        changes.push(edit);
    }
    let created: Vec<_> = edits.created().collect::<Result<_, _>>()?;
    expected.extend(created.iter().map(|values| values.iter().cloned().enumerate().collect()));
    for values in &mut expected {
        values.retain(|_, value| !value.is_null());
    }
    let new = edit::edited::<M>(&old, &document, &changes, &created).map_err(|what| edits.error(what))?;
    let found = Document::<M>::read(&new).map_err(|what| edits.error(format_args!("{}: {what}", edit::TOO_FANCY)))?;
    let found = found.list.iter().flat_map(|list| &list.value).map(|item| item.value.values());
    if !found.eq(expected) {
        return Err(edits.error(edit::TOO_FANCY));
    }
    write!(out, "{mark}{new}").map_err(|error| edits.failed(error))
}

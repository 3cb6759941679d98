//! JSON Lines: an object on each line.

use std::fs::File;
use std::io::{BufRead, Write};

use diffsync_core::AdapterError;
use serde::de::DeserializeSeed;

use super::cells::ValueCells;
use super::edits::{Edit, Edits};
use super::encoding::{BYTE_ORDER_MARK, behind_mark, not_utf8};
use super::json::{Record, edited, syntax};
use super::model::FileModel;
use super::records::Records;

/// Reads all records, one line after the other.
pub(super) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let mut input = behind_mark(file).map_err(|error| records.unreadable(error))?;
    let mut cells = ValueCells::new(M::FILE.columns);
    let (mut line, mut before) = (Vec::new(), 0);
    while input.read_until(b'\n', &mut line).map_err(|error| records.unreadable(error))? > 0 {
        if !line.trim_ascii().is_empty() {
            let text = str::from_utf8(&line).map_err(|_| records.error(not_utf8(&line, before)))?;
            object(text, &mut cells).map_err(|error| syntax(error, before, records))?;
            records.add(M::read(&mut cells), Some(before + 1))?;
        }
        line.clear();
        before += 1;
    }
    Ok(())
}

/// Reads the object on a line.
fn object(line: &str, cells: &mut ValueCells) -> serde_json::Result<()> {
    let mut line = serde_json::Deserializer::from_str(line);
    cells.deserialize(&mut line)?;
    line.end()
}

/// Writes the file with its records changed. What stays as it is is copied as it is written.
pub(super) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut impl Write,
) -> Result<(), AdapterError> {
    let mut cells = ValueCells::new(M::FILE.columns);
    let failed = |error: std::io::Error| edits.failed(error);
    if let Some(old) = old {
        let mut input = std::io::BufReader::new(old);
        let mut line = String::new();
        while input.read_line(&mut line).map_err(failed)? > 0 {
            let record = line.trim_start_matches(BYTE_ORDER_MARK).trim();
            let edit = if record.is_empty() {
                Edit::Keep
            } else {
                object(record, &mut cells).map_err(|error| edits.failed(error))?;
                edits.edit(M::read(&mut cells))?
            };
            match edit {
                Edit::Keep => {
                    out.write_all(line.as_bytes()).map_err(failed)?;
                    if !line.ends_with('\n') {
                        out.write_all(b"\n").map_err(failed)?;
                    }
                }
                Edit::Drop => {}
                Edit::Set(values) => {
                    let record = edited(record, M::FILE.columns, &values).map_err(|error| edits.failed(error))?;
                    writeln!(out, "{record}").map_err(failed)?;
                }
            }
            line.clear();
        }
    }
    for values in edits.created() {
        let record = Record { columns: M::FILE.columns, values: &values? };
        serde_json::to_writer(&mut *out, &record).map_err(|error| edits.failed(error))?;
        out.write_all(b"\n").map_err(failed)?;
    }
    Ok(())
}

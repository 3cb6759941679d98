//! JSON Lines: an object on each line.

use std::fs::File;
use std::io::{BufRead, Write};

use diffsync_core::adapter::AdapterError;
use serde::de::IgnoredAny;

use super::encoding::{BYTE_ORDER_MARK, not_utf8, skip_bom};
use super::json::{NotARecord, datum, edited_record, record, record_cells, syntax};
use crate::file::model::FileModel;
use crate::file::model::edits::Edits;
use crate::file::model::records::Records;
use crate::file::model::values::DatumRow;

/// Reads all records, one line after the other.
pub(crate) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let mut input = skip_bom(file).map_err(|error| records.unreadable(error))?;
    let mut cells = DatumRow::new(M::FILE.columns);
    let (mut line, mut before) = (Vec::new(), 0);
    while input.read_until(b'\n', &mut line).map_err(|error| records.unreadable(error))? > 0 {
        if !line.trim_ascii().is_empty() {
            cells.begin(Some(before + 1));
            object(&line, &mut cells).map_err(|error| match error {
                NotARecord::NotUtf8 => records.error(not_utf8(&line, before)),
                NotARecord::Json(error) => syntax(error, before, !line.ends_with(b"\n"), records),
            })?;
            records.add(M::read(&mut cells), Some(before + 1))?;
        }

        line.clear();
        before += 1;
    }

    records.note_keys(&cells)
}

/// Reads the object on a line.
fn object(line: &[u8], cells: &mut DatumRow) -> Result<(), NotARecord> {
    let text = str::from_utf8(line).map_err(|_| NotARecord::NotUtf8)?;
    // A full JSON parser checks the syntax first, for its error messages.
    serde_json::from_str::<IgnoredAny>(text).map_err(NotARecord::Json)?;
    record_cells(line, cells)
}

/// Writes the file with its records changed. What stays as it is is copied as it is written.
pub(crate) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut impl Write,
) -> Result<(), AdapterError> {
    let mut cells = DatumRow::new(M::FILE.columns);
    let failed = |error: std::io::Error| edits.failed(error);
    let (mut line_break, mut ends_line) = (None, true);
    if let Some(old) = old {
        let mut input = std::io::BufReader::new(old);
        let mut line = String::new();
        while input.read_line(&mut line).map_err(failed)? > 0 {
            let end = line.trim_end_matches(['\r', '\n']).len();
            let (text, end) = line.split_at(end);
            if !end.is_empty() {
                line_break.get_or_insert_with(|| end.to_owned());
            }

            let begin = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).trim_start().len();
            let (space, record) = text.split_at(begin);
            let record_end = record.trim_end().len();
            let (record, tail) = record.split_at(record_end);
            if record.is_empty() {
                out.write_all(line.as_bytes()).map_err(failed)?;
            } else if let Some(record) = edited_record(record, &mut cells, edits)? {
                for part in [space, &record, tail, end] {
                    out.write_all(part.as_bytes()).map_err(failed)?;
                }
                ends_line = !end.is_empty();
            } else if space.starts_with(BYTE_ORDER_MARK) {
                // The mark is of the file, not of its first record.
                out.write_all(BYTE_ORDER_MARK.as_bytes()).map_err(failed)?;
            }
            line.clear();
        }
    }

    let line_break = line_break.unwrap_or_else(|| "\n".to_owned());
    for values in edits.created_text() {
        let values = values?;
        let record = record(M::FILE.columns, &values, None).map_err(|error| edits.failed(error))?;
        edits.verify_new(&datum(&record).map_err(|error| edits.failed(error))?, &values)?;
        let before = if std::mem::replace(&mut ends_line, true) { "" } else { &line_break };
        write!(out, "{before}{record}{line_break}").map_err(failed)?;
    }

    Ok(())
}

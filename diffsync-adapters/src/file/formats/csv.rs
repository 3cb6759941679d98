//! CSV: a header with the names of the columns, then a line for each record.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, Chain, Write};
use std::ops::Range;

use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use diffsync_core::adapter::AdapterError;
use diffsync_core::data::Side;
use diffsync_core::schema::Comparison;
use serde::de::DeserializeOwned;

use super::encoding::{skip_bom, text};
use super::json;
use super::lines::line_break;
use super::text::{Text, text_of_datum};
use crate::file::model::FileModel;
use crate::file::model::edits::{Edits, TextEdit, UNFAITHFUL};
use crate::file::model::records::{CUT_OFF, Records};
use crate::file::model::row::{CellError, RowError, RowReader};
use crate::file::model::schema::Column;
use crate::file::model::shape::Kind;
use crate::nested::change::Change;
use crate::nested::datum::Datum;

/// Reads all records.
pub(crate) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let input = skip_bom(file).map_err(|error| records.unreadable(error))?;
    let mut rows = CsvRows::new(input, M::FILE.delimiter).map_err(|error| records.unreadable(error))?;
    let mut row = StringRecord::new();
    let Some(_) = rows.next(&mut row).map_err(|wrong| wrong.of(records))? else {
        // An empty file on the target's side is one that is still to be written.
        return match records.side() {
            Side::Target => Ok(()),
            Side::Source => Err(records.error("there is no header with the names of the columns")),
        };
    };

    let header = Header::find::<M>(&row).map_err(|what| records.error(format_args!("line 1: {what}")))?;
    let is_known = |name: &str| M::FILE.columns.iter().any(|column| column.name == name);
    records.note_unknown(&row.iter().filter(|name| !is_known(name)).map(str::to_owned).collect::<Vec<_>>());

    loop {
        match rows.next(&mut row) {
            Ok(Some(at)) => records.add(header.read(&row), Some(at.line))?,
            Ok(None) => return records.finish(true),
            // The end of the rows is not one yet: it is the line that lacks cells.
            Err(Wrong::Short(line, what)) if !records.ends_line && matches!(rows.next(&mut row), Ok(None)) => {
                return Err(records.error(format_args!("line {line}: {what}; {CUT_OFF}")));
            }
            Err(wrong) => return Err(wrong.of(records)),
        }
    }
}

/// The rows of a file, the header among them, each with as many cells as it.
struct CsvRows<R> {
    reader: Reader<Chain<R, &'static [u8]>>,
    has_crlf: bool,
    /// The names of the columns, once they were read.
    header: Option<StringRecord>,
}

/// It follows the last row. If a quotation mark is never closed, this is swallowed with all that follows the mark.
const END: &str = "\u{0}end of the rows\u{0}";
const LAST_LINE: &str = "\r\n\u{0}end of the rows\u{0}";

/// The start of a row.
struct At {
    line: u64,
    byte: usize,
}

/// Why there is no next row.
enum Wrong {
    /// The file could not be read.
    File(io::Error),
    /// Its text.
    Line(u64, String),
    /// A row that lacks cells.
    Short(u64, String),
}

impl Wrong {
    fn of<M: FileModel>(self, records: &Records<'_, M>) -> AdapterError {
        match self {
            Self::File(error) => records.unreadable(error),
            Self::Line(line, what) | Self::Short(line, what) => records.error(format_args!("line {line}: {what}")),
        }
    }
}

impl<R: BufRead> CsvRows<R> {
    fn new(mut input: R, delimiter: u8) -> io::Result<Self> {
        let begin = input.fill_buf()?;
        let first_line = begin.iter().position(|&byte| byte == b'\n').and_then(|end| begin.get(..end));
        let has_crlf = first_line.is_some_and(|line| line.ends_with(b"\r"));
        let mut builder = ReaderBuilder::new();
        let reader = builder.delimiter(delimiter).has_headers(false).flexible(true);
        let last_line = if has_crlf { LAST_LINE } else { LAST_LINE.trim_start_matches('\r') };
        Ok(Self { reader: reader.from_reader(input.chain(last_line.as_bytes())), has_crlf, header: None })
    }

    /// Reads the next row, and returns where it begins.
    fn next(&mut self, row: &mut StringRecord) -> Result<Option<At>, Wrong> {
        let is_there = self.reader.read_record(row).map_err(|error| self.wrong(error))?;
        let byte = row.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let last = row.iter().next_back().unwrap_or_default();
        if !is_there || (row.len() == 1 && last == END) {
            return Ok(None);
        }

        // Counted back from where the reader now is, since before the row there may be empty lines.
        let begin = |text: &str| {
            let breaks = u64::try_from(text.matches('\n').count()).unwrap_or_default();
            self.reader.position().line().saturating_sub(breaks)
        };

        if last.ends_with(END) {
            let what = "a quotation mark is opened and never closed";
            return Err(self.wrong_cell(begin(last), row.len() - 1, what));
        }

        // The reader ends a line between its two line-break characters, before it has counted the second.
        let line = begin(row.as_slice()).saturating_sub(u64::from(!self.has_crlf));
        let columns = self.header.get_or_insert_with(|| row.clone()).len();
        let counts = format_args!("there are {} cells, and the header has {columns} columns", row.len());
        Err(match row.len().cmp(&columns) {
            Ordering::Equal => return Ok(Some(At { line, byte })),
            Ordering::Less => match self.wrong_cell(line, row.len(), format_args!("is missing; {counts}")) {
                Wrong::Line(line, what) => Wrong::Short(line, what),
                other => other,
            },
            Ordering::Greater => {
                let what =
                    format!("is one too many; {counts}; is there a delimiter in a cell without quotation marks?");
                self.wrong_cell(line, columns, what)
            }
        })
    }

    /// Names a cell by its column, or by its number if it has no column.
    fn wrong_cell(&self, line: u64, cell: usize, what: impl fmt::Display) -> Wrong {
        let cell = match self.header.as_ref().and_then(|header| header.get(cell)) {
            Some(name) => format!("`{name}`"),
            None => format!("cell {}", cell + 1),
        };
        Wrong::Line(line, format!("{cell}: {what}"))
    }

    fn wrong(&self, error: ::csv::Error) -> Wrong {
        // Here the row before ended between them.
        let uncounted = u64::from(self.has_crlf && self.header.is_some());
        let line = error.position().map_or(0, |position| position.line() + uncounted);
        match error.into_kind() {
            ErrorKind::Io(error) => Wrong::File(error),
            ErrorKind::Utf8 { err, .. } => self.wrong_cell(line, err.field(), "is not UTF-8; save the file as UTF-8"),
            other => Wrong::Line(line, format!("{other:?}")),
        }
    }
}

/// The positions of the columns.
struct Header {
    columns: &'static [Column],
    /// For each column the position of its cell.
    cells: Vec<usize>,
    width: usize,
}

impl Header {
    fn find<M: FileModel>(row: &StringRecord) -> Result<Self, String> {
        let columns = M::FILE.columns;
        let find = |column: &Column| {
            let mut found = row.iter().enumerate().filter(|(_, name)| *name == column.name);
            match (found.next(), found.next()) {
                (Some((at, _)), None) => Ok(at),
                (Some(_), Some(_)) => Err(format!("there are two columns `{}`", column.name)),
                (None, _) => {
                    let only = row.get(0).filter(|_| row.len() == 1).unwrap_or_default();
                    let mark = only.chars().find(|letter| matches!(letter, ',' | ';' | '|' | '\t'));
                    Err(mark.map_or_else(
                        || column.missing(row.iter()),
                        |mark| {
                            format!("`{only}` is one column; if {mark:?} separates cells, write `delimiter = {mark:?}`")
                        },
                    ))
                }
            }
        };

        Ok(Self { columns, cells: columns.iter().map(find).collect::<Result<_, _>>()?, width: row.len() })
    }

    fn read<M: FileModel>(&self, row: &StringRecord) -> Result<M, RowError<M::Id>> {
        let mut identifiers = self.columns.iter().zip(&self.cells).filter(|(column, _)| column.is_identifier);
        if identifiers.all(|(_, &cell)| row.get(cell).unwrap_or_default().is_empty()) {
            return Err(RowError::Unidentified(CellError("the identifier is empty".into())));
        }
        M::read(&mut RowCells { row, header: self })
    }

    /// The value of a column.
    fn written(&self, row: &StringRecord, column: usize) -> Option<Datum> {
        let cell = self.cells.get(column).and_then(|&cell| row.get(cell))?;
        let kind = self.columns.get(column).map(|column| (column.shape)().kind)?;
        match kind {
            _ if cell.is_empty() => None,
            Kind::Json | Kind::Variant => json::datum(cell).ok(),
            Kind::Text | Kind::Plain => Some(Datum::Text(cell.to_owned())),
        }
    }

    /// The cells with these changes, and what stood there in the others.
    fn changed(&self, row: &StringRecord, changes: &[(usize, Change)]) -> Result<Vec<(usize, String)>, String> {
        let cell = |(column, change): &(usize, Change)| {
            let Some((at, shape)) =
                self.cells.get(*column).copied().zip(self.columns.get(*column).map(|column| (column.shape)()))
            else {
                return Err("a change of a missing column".to_owned());
            };

            let text = match change {
                Change::Set(value) => text_of_datum(value, shape)?.into_owned(),
                change => json::changed(row.get(at).unwrap_or_default(), change).map_err(|error| error.to_string())?,
            };
            Ok((at, text))
        };

        changes.iter().map(cell).collect()
    }

    /// The cells of a new row.
    fn new_row(&self, values: &[Datum]) -> Result<Vec<String>, String> {
        let mut cells = vec![String::new(); self.width];
        for ((column, value), &at) in self.columns.iter().zip(values).zip(&self.cells) {
            if let Some(cell) = cells.get_mut(at) {
                *cell = text_of_datum(value, (column.shape)())?.into_owned();
            }
        }
        Ok(cells)
    }
}

struct RowCells<'a> {
    row: &'a StringRecord,
    header: &'a Header,
}

impl RowReader for RowCells<'_> {
    fn take<T: DeserializeOwned>(&mut self, column: usize) -> Result<T, CellError> {
        let text = self.header.cells.get(column).and_then(|&cell| self.row.get(cell)).unwrap_or_default();
        T::deserialize(Text(text)).map_err(|error| {
            self.header.columns.get(column).map_or(CellError(String::new()), |it| CellError::in_column(it, error))
        })
    }
}

/// Whether a row can hold these values so that they come back as they are.
pub(crate) fn check<M: FileModel>(values: &[Datum]) -> Result<(), CellError> {
    let is_blank = |value: &Datum| matches!(value, Datum::Text(text) if text.is_empty());
    let columns = || M::FILE.columns.iter().zip(values);
    if columns().filter(|(column, _)| column.is_identifier).all(|(_, value)| value.is_null() || is_blank(value)) {
        return Err(CellError("a row of CSV needs an identifier, and this one is empty".into()));
    }

    let attributes = columns().filter(|(column, _)| !column.is_identifier).zip(M::SCHEMA.attributes);
    for ((column, value), attribute) in attributes {
        let shape = (column.shape)();
        let is_told = !shape.is_optional || shape.kind != Kind::Text || attribute.comparison == Comparison::BlankIsNone;
        if is_blank(value) && !is_told {
            let what =
                "an empty cell is `None`, so CSV cannot hold an empty text; `compare = blank_is_none` makes them equal";
            return Err(CellError::in_column(column, what));
        }
        text_of_datum(value, shape).map_err(|what| CellError::in_column(column, what))?;
    }

    Ok(())
}

/// Writes the file with its records changed. What stays as it is is copied as it is written.
pub(crate) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut impl Write,
) -> Result<(), AdapterError> {
    let (mark, old) = old.map(text).transpose().map_err(|error| edits.failed(error))?.unwrap_or_default();
    out.write_all(mark.as_bytes()).map_err(|error| edits.failed(error))?;
    let mut copy = Copy { old: &old, out, line_break: line_break(&old), ends_line: true };
    let unreadable = |wrong| match wrong {
        Wrong::File(error) => edits.failed(error),
        Wrong::Line(line, what) | Wrong::Short(line, what) => edits.error(format_args!("line {line}: {what}")),
    };

    let mut rows = CsvRows::new(old.as_bytes(), M::FILE.delimiter).map_err(|error| edits.failed(error))?;
    let quoting = Quoting { delimiter: M::FILE.delimiter };
    let (mut row, mut next_row) = (StringRecord::new(), StringRecord::new());
    let header = if rows.next(&mut row).map_err(unreadable)?.is_some() {
        Header::find::<M>(&row).map_err(|what| edits.error(what))?
    } else {
        let names: StringRecord = M::FILE.columns.iter().map(|column| column.name).collect();
        copy.row(&quoting.row(names.iter().map(|name| (name, false)))).map_err(|error| edits.failed(error))?;
        Header::find::<M>(&names).map_err(|what| edits.error(what))?
    };

    let mut at = rows.next(&mut row).map_err(unreadable)?;
    let begin = at.as_ref().map_or(old.len(), |at| at.byte);
    let mut begin = copy.rest(0, begin).map_err(|error| edits.failed(error))?;
    let mut last = 0..0;
    while at.is_some() {
        at = rows.next(&mut next_row).map_err(unreadable)?;
        let end = at.as_ref().map_or(old.len(), |at| at.byte);
        let edit = edits.edit_text(header.read(&row), |column| header.written(&row, column))?;
        let place = begin..copy.line_break_behind(end);
        begin = match &edit {
            TextEdit::Keep => copy.rest(begin, end),
            TextEdit::Drop => Ok(place.end),
            TextEdit::Set(record) => {
                let cells = header.changed(&row, &record.columns).map_err(|what| edits.error(what))?;
                let text = old.get(place.clone()).unwrap_or_default();
                let new = quoting.edited(text, &row, &cells);
                let expected = (0..row.len()).map(|at| match cells.iter().find(|(cell, _)| *cell == at) {
                    Some((_, text)) => text.as_str(),
                    None => row.get(at).unwrap_or_default(),
                });

                let found = quoting.read(&new).filter(|found| found.iter().eq(expected));
                let found = found.ok_or_else(|| edits.error(UNFAITHFUL))?;
                edits.verify_read(header.read(&found), record.after())?;
                copy.text(&new).map(|()| place.end)
            }
        }
        .map_err(|error| edits.failed(error))?;
        last = place;
        std::mem::swap(&mut row, &mut next_row);
    }

    let style = quoting.style(old.get(last).unwrap_or_default(), header.width);
    for values in edits.created_text() {
        let values = values?;
        let cells = header.new_row(&values).map_err(|what| edits.error(what))?;
        let new = quoting.row(cells.iter().map(String::as_str).zip(style.iter().copied()));
        let found = quoting.read(&new).ok_or_else(|| edits.error(UNFAITHFUL))?;
        edits.verify_read(header.read(&found), &values)?;
        copy.row(&new).map_err(|error| edits.failed(error))?;
    }

    Ok(())
}

/// How cells are written in a row.
#[derive(Clone, Copy)]
struct Quoting {
    delimiter: u8,
}

impl Quoting {
    /// Whether a cell is another one without quotation marks.
    fn needs_marks(self, cell: &str) -> bool {
        cell.bytes().any(|byte| byte == self.delimiter || matches!(byte, b'"' | b'\r' | b'\n'))
    }

    fn cell(self, cell: &str, is_quoted: bool) -> Cow<'_, str> {
        if is_quoted || self.needs_marks(cell) {
            Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")))
        } else {
            Cow::Borrowed(cell)
        }
    }

    /// A row of cells, with quotation marks around those that are marked or need them.
    fn row<'c>(self, cells: impl Iterator<Item = (&'c str, bool)>) -> String {
        let mut row = String::new();
        for (position, (cell, is_quoted)) in cells.enumerate() {
            if position > 0 {
                row.push(char::from(self.delimiter));
            }
            row.push_str(&self.cell(cell, is_quoted));
        }

        // A row of one empty cell would be an empty line.
        if row.is_empty() { "\"\"".to_owned() } else { row }
    }

    /// A row with other texts in some of its cells; the others stay as they are written, and so do the quotation marks of
    /// those that change.
    fn edited(self, text: &str, row: &StringRecord, changed: &[(usize, String)]) -> String {
        let begin = text.len() - text.trim_start_matches(['\r', '\n']).len();
        let (space, text) = text.split_at(begin);
        let places = self.places(text);
        let end = places.last().map_or(text.len(), |place| place.end);
        let new = |at: usize| changed.iter().find(|(cell, _)| *cell == at).map(|(_, text)| text.as_str());
        let cell = |(at, place): (usize, &Range<usize>)| {
            let old = text.get(place.clone()).unwrap_or_default();
            new(at).map_or(Cow::Borrowed(old), |new| self.cell(new, old.starts_with('"')))
        };

        let cells: Vec<_> = if places.len() == row.len() {
            places.iter().enumerate().map(cell).collect()
        } else {
            row.iter().enumerate().map(|(at, old)| self.cell(new(at).unwrap_or(old), false)).collect()
        };

        let cells = cells.join(char::from(self.delimiter).encode_utf8(&mut [0; 4]));
        let cells = if cells.is_empty() { "\"\"" } else { &cells };

        format!("{space}{cells}{}", text.get(end..).unwrap_or_default())
    }

    /// The positions of a row's cells.
    fn places(self, row: &str) -> Vec<Range<usize>> {
        let (mut places, mut begin, mut in_marks) = (Vec::new(), 0, false);
        for (at, byte) in row.bytes().enumerate() {
            match byte {
                // Two within a quotation close it and open it again.
                b'"' if in_marks || at == begin || row.get(begin..).is_some_and(|cell| cell.starts_with('"')) => {
                    in_marks = !in_marks;
                }
                _ if in_marks => {}
                b'\r' | b'\n' => {
                    places.push(begin..at);
                    return places;
                }
                byte if byte == self.delimiter => {
                    places.push(begin..at);
                    begin = at + 1;
                }
                _ => {}
            }
        }

        places.push(begin..row.len());
        places
    }

    /// Which cells of a new row get quotation marks: those that have them here without a need.
    fn style(self, row: &str, width: usize) -> Vec<bool> {
        let row = row.trim_start_matches(['\r', '\n']);
        let is_quoted = |place: &Range<usize>| {
            let cell = row.get(place.clone()).unwrap_or_default();
            let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
            inner.is_some_and(|inner| !self.needs_marks(inner))
        };
        let places = self.places(row);
        (0..width).map(|at| places.get(at).is_some_and(is_quoted)).collect()
    }

    /// The cells of a row, as they are read.
    fn read(self, row: &str) -> Option<StringRecord> {
        let mut builder = ReaderBuilder::new();
        let reader = builder.delimiter(self.delimiter).has_headers(false).flexible(true);
        // The reader drops a byte order mark at the very start, where this row is not.
        let behind = ["\n", row].concat();
        let mut rows = reader.from_reader(behind.as_bytes()).into_records();
        let first = rows.next()?.ok()?;
        rows.next().is_none().then_some(first)
    }
}

/// The new file, with parts copied from the old.
struct Copy<'a, W> {
    old: &'a str,
    out: W,
    line_break: &'static str,
    /// Whether the text written last ends with a line break. The last line of a file may lack one.
    ends_line: bool,
}

impl<W: Write> Copy<'_, W> {
    fn text(&mut self, text: &str) -> io::Result<()> {
        if let Some(last) = text.bytes().next_back() {
            self.ends_line = last == b'\n';
        }
        self.out.write_all(text.as_bytes())
    }

    /// Copies a part of the old file up to the start of a row, and returns that position.
    fn rest(&mut self, begin: usize, end: usize) -> io::Result<usize> {
        let end = self.line_break_behind(end);
        self.text(self.old.get(begin..end).unwrap_or_default())?;
        Ok(end)
    }

    /// The position after a line break. The reader ends a line between its two line-break characters.
    fn line_break_behind(&self, end: usize) -> usize {
        let is_between = self.old.get(..end).is_some_and(|before| before.ends_with('\r'))
            && self.old.get(end..).is_some_and(|behind| behind.starts_with('\n'));
        end + usize::from(is_between)
    }

    /// Writes a row.
    fn row(&mut self, row: &str) -> io::Result<()> {
        if !self.ends_line {
            self.text(self.line_break)?;
        }
        self.text(row)?;
        self.text(self.line_break)
    }
}

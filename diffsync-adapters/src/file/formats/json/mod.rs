//! JSON: a list of objects, or an object that holds one.

mod edit;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::ops::Range;

use diffsync_core::adapter::AdapterError;
use diffsync_core::data::Side;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::edit::Layout;
pub(crate) use self::edit::record;
use super::encoding::{not_utf8, skip_bom, text};
use super::lines::line_break;
use crate::file::model::FileModel;
use crate::file::model::edits::{Edits, TextEdit};
use crate::file::model::records::Records;
use crate::file::model::schema::no_list;
use crate::file::model::values::DatumRow;
use crate::nested::json::Scan;
pub(crate) use crate::nested::json::{changed, check, datum, joined, text_of};

/// Reads all records, one after the other.
pub(crate) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let input = skip_bom(file).map_err(|error| records.unreadable(error))?;
    let place = ReadPosition { line: Cell::new(1), ..ReadPosition::default() };
    let mut document = serde_json::Deserializer::from_reader(Counting { input, place: &place });
    let mut failed = None;
    let list = List { cells: DatumRow::new(M::FILE.columns), records, place: &place, failed: &mut failed };
    let read = match M::FILE.list {
        None => list.deserialize(&mut document),
        Some(key) => Under { key, list }.deserialize(&mut document),
    };

    let read = read.and_then(|()| document.end());
    match (failed, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(syntax(error, 0, true, records)),
        (None, Ok(())) => Ok(()),
    }
}

/// The error of a text, with the place; `before` is the number of lines before it, and `is_last` if nothing follows it.
pub(crate) fn syntax<M: FileModel>(
    error: serde_json::Error,
    before: u64,
    is_last: bool,
    records: &Records<'_, M>,
) -> AdapterError {
    let is_cut_off = is_last && error.is_eof();
    if error.is_io() {
        return records.unreadable(error.into());
    }
    syntax_at(
        &error,
        before,
        0,
        if is_cut_off { "; the file looks cut off: get the complete file" } else { "" },
        records,
    )
}

/// The same of a text that begins in this column.
fn syntax_at<M: FileModel>(
    error: &serde_json::Error,
    before: u64,
    column: usize,
    advice: &str,
    records: &Records<'_, M>,
) -> AdapterError {
    let (line, mut place) = (error.line(), error.column());
    let text = error.to_string();
    let what = text.strip_suffix(&format!(" at line {line} column {place}")).unwrap_or(&text);
    if line <= 1 {
        place += column;
    }
    let line = u64::try_from(line.max(1)).unwrap_or_default() + before;
    records.error(format_args!("line {line}, column {place}: {what}{advice}"))
}

/// A text that is read, and the position of the next byte.
#[derive(Default)]
struct ReadPosition {
    line: Cell<u64>,
    column: Cell<usize>,
    /// The last byte that was read.
    last: Cell<u8>,
    /// The text of the current element so far. The JSON parser returns neither the digits of a number nor, outside of errors,
    /// its position.
    element: RefCell<Option<Vec<u8>>>,
}

impl ReadPosition {
    /// Begins an element, whose first byte was just looked at.
    fn begin(&self) -> (u64, usize) {
        *self.element.borrow_mut() = Some(vec![self.last.get()]);
        (self.line.get(), self.column.get())
    }

    fn element(&self) -> Vec<u8> {
        self.element.borrow_mut().take().unwrap_or_default()
    }
}

/// A text that counts the lines that were read of it.
struct Counting<'a, R> {
    input: R,
    place: &'a ReadPosition,
}

impl<R: BufRead> Read for Counting<'_, R> {
    /// Reads only one byte at a time, so that the position is always that of the next byte.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (Some(&byte), Some(place)) = (self.input.fill_buf()?.first(), buffer.first_mut()) else { return Ok(0) };
        *place = byte;
        self.input.consume(1);

        if byte == b'\n' {
            self.place.line.set(self.place.line.get() + 1);
            self.place.column.set(0);
        } else {
            self.place.column.set(self.place.column.get() + 1);
        }

        self.place.last.set(byte);
        if let Some(element) = self.place.element.borrow_mut().as_mut() {
            element.push(byte);
        }

        Ok(1)
    }
}

/// Reads a list into the records.
struct List<'a, 'r, M: FileModel> {
    cells: DatumRow,
    records: &'a mut Records<'r, M>,
    place: &'a ReadPosition,
    /// Why reading was ended, if not by the JSON of the document.
    failed: &'a mut Option<AdapterError>,
}

impl<'de, M: FileModel> DeserializeSeed<'de> for List<'_, '_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, M: FileModel> Visitor<'de> for List<'_, '_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some((line, column)) = list.next_element_seed(Element(self.place))? {
            let element = self.place.element();
            self.cells.begin(Some(line));
            let added = match record_cells(&element, &mut self.cells) {
                Ok(()) => self.records.add(M::read(&mut self.cells), Some(line)),
                Err(NotARecord::NotUtf8) => Err(self.records.error(not_utf8(&element, line - 1))),
                Err(NotARecord::Json(error)) => {
                    Err(syntax_at(&error, line - 1, column.saturating_sub(1), "", self.records))
                }
            };

            if let Err(error) = added {
                *self.failed = Some(error);
                return Err(Error::custom("the rest is not read"));
            }
        }

        self.records.note_keys(&self.cells).map_err(|error| {
            *self.failed = Some(error);
            Error::custom("the keys are not those of the model")
        })
    }
}

/// Why a text is not a record.
pub(crate) enum NotARecord {
    NotUtf8,
    Json(serde_json::Error),
}

/// Fills the cells from an object.
pub(crate) fn record_cells(object: &[u8], cells: &mut DatumRow) -> Result<(), NotARecord> {
    let object = str::from_utf8(object).map_err(|_| NotARecord::NotUtf8)?;
    cells.clear();
    let cells = RefCell::new(cells);
    crate::nested::json::object(
        object,
        |key| cells.borrow_mut().position(key),
        |column, value| cells.borrow_mut().fill(column, value),
    )
    .map_err(NotARecord::Json)
}

/// Reads an element of the list, and returns the line and column where it begins.
struct Element<'a>(&'a ReadPosition);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = (u64, usize);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(u64, usize), D::Error> {
        // Its first byte was looked at, to see that the list goes on.
        let begin = self.0.begin();
        IgnoredAny::deserialize(deserializer)?;
        Ok(begin)
    }
}

/// How many other keys are named where that of the list is not there.
const NAMED: usize = 40;

/// Reads the list under a key of a document.
struct Under<'a, 'r, M: FileModel> {
    key: &'static str,
    list: List<'a, 'r, M>,
}

impl<'de, M: FileModel> DeserializeSeed<'de> for Under<'_, '_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: FileModel> Visitor<'de> for Under<'_, '_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the key `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (side, mut list) = (self.list.records.side(), Some(self.list));
        let mut others = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key != self.key {
                map.next_value::<IgnoredAny>()?;
                if others.len() < NAMED {
                    others.push(key);
                }
            } else if let Some(list) = list.take() {
                map.next_value_seed(list)?;
            } else {
                return Err(Error::custom(format!("the key `{key}` appears twice")));
            }
        }

        // In a target the key is created together with the first record.
        match (list, side) {
            (Some(_), Side::Source) => {
                let others: Vec<_> = others.iter().map(String::as_str).collect();
                Err(Error::custom(no_list(self.key, &others)))
            }
            _ => Ok(()),
        }
    }
}

/// Writes the file with its records changed. Every other letter of it stays.
pub(crate) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut impl Write,
) -> Result<(), AdapterError> {
    let (mark, document) = old.map(text).transpose().map_err(|error| edits.failed(error))?.unwrap_or_default();
    let document = match (M::FILE.list, document.trim().is_empty()) {
        (_, false) => document,
        (None, true) => "[]\n".to_owned(),
        (Some(_), true) => "{}\n".to_owned(),
    };

    let document = match M::FILE.list {
        None => document,
        Some(key) => with_list(document, key).map_err(|error| edits.failed(error))?,
    };

    let list = find_list(&document, M::FILE.list).map_err(|error| edits.failed(error))?;
    let new = rewritten(&document, list.clone(), edits)?;
    let parts =
        [mark, document.get(..list.start).unwrap_or_default(), &new, document.get(list.end..).unwrap_or_default()];

    parts.iter().try_for_each(|part| out.write_all(part.as_bytes())).map_err(|error| edits.failed(error))
}

/// The document with the key of the list in it.
fn with_list(mut document: String, key: &str) -> serde_json::Result<String> {
    let entries = Scan::of(&document, 0).entries()?;
    if entries.iter().any(|entry| entry.key == key) {
        return Ok(document);
    }

    let key = serde_json::to_string(key)?;
    match entries.last() {
        Some(last) => {
            // The new key follows in the way of the one before it.
            let space: String = document
                .get(..last.begin)
                .unwrap_or_default()
                .chars()
                .rev()
                .take_while(|letter| letter.is_whitespace())
                .collect();
            let space: String = if space.is_empty() { " ".to_owned() } else { space.chars().rev().collect() };
            document.insert_str(last.value.end, &format!(",{space}{key}: []"));
        }
        None => document = format!("{{\n  {key}: []\n}}\n"),
    }

    Ok(document)
}

fn find_list(document: &str, key: Option<&str>) -> serde_json::Result<Range<usize>> {
    match key {
        None => Scan::of(document, 0).value(),
        Some(key) => {
            let entry = Scan::of(document, 0).entries()?.into_iter().find(|entry| entry.key == key);
            entry.map(|entry| entry.value).ok_or_else(|| Error::custom(format!("there is no key `{key}`")))
        }
    }
}

/// The list with its records changed, in the way its records are set.
fn rewritten<M: FileModel>(document: &str, list: Range<usize>, edits: &Edits<'_, M>) -> Result<String, AdapterError> {
    let failed = |error: serde_json::Error| edits.failed(error);
    let line_break = line_break(document);
    let part = |range: Range<usize>| document.get(range).unwrap_or_default();
    let outer = part(0..list.start).rsplit('\n').next().unwrap_or_default();
    let outer: String = outer.chars().take_while(|letter| letter.is_whitespace()).collect();
    let text = part(list);
    let old = Scan::of(text, 0).items().map_err(failed)?;

    let mut items = Vec::with_capacity(old.len());
    let mut cells = DatumRow::new(M::FILE.columns);
    for (position, place) in old.iter().enumerate() {
        let item = text.get(place.clone()).unwrap_or_default();
        if let Some(item) = edited_record(item, &mut cells, edits)? {
            items.push((Some(position), item));
        }
    }

    let first = old.first().cloned();
    let shown = first.clone().map(|first| text.get(first).unwrap_or_default());
    let inner =
        first.map_or(format!("{line_break}{outer}  "), |first| text.get(1..first.start).unwrap_or_default().to_owned());
    let indent = inner.rsplit('\n').next().unwrap_or_default().to_owned();
    let layout = Layout {
        line: format!("{line_break}{indent}"),
        indent: shown.map_or("  ".to_owned(), |item| edit::indent_of(item, &indent)),
    };
    let is_long = |place: &Range<usize>| text.get(place.clone()).is_some_and(|item| item.contains('\n'));
    let layout = (old.is_empty() || old.iter().any(is_long)).then_some(&layout);

    for values in edits.created_text() {
        let values = values?;
        let item = edit::record(M::FILE.columns, &values, layout).map_err(failed)?;
        edits.verify_new(&datum(&item).map_err(failed)?, &values)?;
        items.push((None, item));
    }

    if !old.is_empty() || items.is_empty() {
        return Ok(joined(text, &old, &items));
    }

    let items: Vec<_> = items.iter().map(|(_, item)| item.as_str()).collect();
    Ok(format!("[{inner}{}{line_break}{outer}]", items.join(&format!(",{inner}"))))
}

/// The text of a record after the run, unless it goes.
pub(crate) fn edited_record<M: FileModel>(
    item: &str,
    cells: &mut DatumRow,
    edits: &Edits<'_, M>,
) -> Result<Option<String>, AdapterError> {
    record_cells(item.as_bytes(), cells).map_err(|error| match error {
        NotARecord::NotUtf8 => edits.error("it is not UTF-8"),
        NotARecord::Json(error) => edits.failed(error),
    })?;

    let read = M::read(cells);
    let mut whole = None;
    let edit = edits.edit_text(read, |column| {
        let record = whole.get_or_insert_with(|| datum(item).unwrap_or_default());
        record.get(M::FILE.columns.get(column)?.name).cloned()
    })?;

    match &edit {
        TextEdit::Keep => Ok(Some(item.to_owned())),
        TextEdit::Drop => Ok(None),
        TextEdit::Set(record) => {
            let new = edit::edited(item, M::FILE.columns, &record.columns).map_err(|error| edits.failed(error))?;
            let found = datum(&new).map_err(|error| edits.failed(error))?;
            let expected = edit.expected(M::FILE.columns, &datum(item).map_err(|error| edits.failed(error))?);
            edits.verify(&found, &edit, expected.as_ref())?;
            Ok(Some(new))
        }
    }
}

//! JSON: a list of objects, or an object that holds one.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::ops::Range;

use diffsync_core::{AdapterError, Side};
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use super::cells::ValueCells;
use super::edits::{Edit, Edits};
use super::encoding::{behind_mark, text};
use super::model::{Column, FileModel};
use super::records::Records;

/// Reads all records, one after the other.
pub(super) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let input = behind_mark(file).map_err(|error| records.unreadable(error))?;
    let line = Cell::new(1);
    let mut document = serde_json::Deserializer::from_reader(Counting { input, line: &line });
    let mut failed = None;
    let list = List { cells: ValueCells::new(M::FILE.columns), records, line: &line, failed: &mut failed };
    let read = match M::FILE.list {
        None => list.deserialize(&mut document),
        Some(key) => Under { key, list }.deserialize(&mut document),
    };
    let read = read.and_then(|()| document.end());
    match (failed, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(syntax(error, 0, records)),
        (None, Ok(())) => Ok(()),
    }
}

/// What is wrong with a text, and where; `before` is the number of lines before it.
pub(super) fn syntax<M: FileModel>(error: serde_json::Error, before: u64, records: &Records<'_, M>) -> AdapterError {
    if error.is_io() {
        return records.unreadable(error.into());
    }
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let what = said.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&said);
    let line = u64::try_from(line).unwrap_or_default() + before;
    records.error(format_args!("line {line}, column {column}: {what}"))
}

/// A text that counts the lines that were read of it: what reads JSON says where it is only in its errors.
struct Counting<'a, R> {
    input: R,
    line: &'a Cell<u64>,
}

impl<R: BufRead> Read for Counting<'_, R> {
    /// Reads one byte, which is as many as are asked for, so that the line is the one of the byte that comes next.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (Some(&byte), Some(place)) = (self.input.fill_buf()?.first(), buffer.first_mut()) else { return Ok(0) };
        *place = byte;
        self.input.consume(1);
        self.line.set(self.line.get() + u64::from(byte == b'\n'));
        Ok(1)
    }
}

/// Reads a list into the records.
struct List<'a, 'r, M: FileModel> {
    cells: ValueCells,
    records: &'a mut Records<'r, M>,
    /// The line that is being read.
    line: &'a Cell<u64>,
    /// Why reading was ended, if not by what stands in the document.
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
        while let Some(line) = list.next_element_seed(Element { cells: &mut self.cells, line: self.line })? {
            if let Err(error) = self.records.add(M::read(&mut self.cells), Some(line)) {
                *self.failed = Some(error);
                return Err(Error::custom("the rest is not read"));
            }
        }
        Ok(())
    }
}

/// Reads an element of the list into the cells, and says in which line it begins.
struct Element<'a> {
    cells: &'a mut ValueCells,
    line: &'a Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        // Its first byte was looked at, to see that the list goes on.
        let line = self.line.get();
        self.cells.deserialize(deserializer)?;
        Ok(line)
    }
}

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
        while let Some(key) = map.next_key::<String>()? {
            if key != self.key {
                map.next_value::<IgnoredAny>()?;
            } else if let Some(list) = list.take() {
                map.next_value_seed(list)?;
            } else {
                return Err(Error::custom(format!("the key `{key}` is there twice")));
            }
        }
        // In a target the key is made when there is something to stand under it.
        match (list, side) {
            (Some(_), Side::Source) => Err(Error::custom(format!("there is no key `{}`", self.key))),
            _ => Ok(()),
        }
    }
}

/// Writes the file with its records changed. Every other letter of it stays.
pub(super) fn write<M: FileModel>(
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
        Some(last) => document.insert_str(last.value.end, &format!(",\n  {key}: []")),
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
    let old = Scan::of(document, list.start).items().map_err(failed)?;
    let part = |range: Range<usize>| document.get(range).unwrap_or_default();
    let indent = part(0..list.start).rsplit('\n').next().unwrap_or_default();
    let indent: String = indent.chars().take_while(|letter| letter.is_whitespace()).collect();
    let before = match old.first() {
        Some(first) => part(list.start + 1..first.start).to_owned(),
        None => format!("\n{indent}  "),
    };
    let behind = match old.last() {
        Some(end) => part(end.end..list.end - 1).to_owned(),
        None => format!("\n{indent}"),
    };
    let is_pretty = old.is_empty() || old.iter().any(|item| part(item.clone()).contains('\n'));
    let mut items = Vec::with_capacity(old.len());
    let mut cells = ValueCells::new(M::FILE.columns);
    for item in old {
        let item = part(item);
        cells.deserialize(&mut serde_json::Deserializer::from_str(item)).map_err(failed)?;
        match edits.edit(M::read(&mut cells))? {
            Edit::Keep => items.push(item.to_owned()),
            Edit::Drop => {}
            Edit::Set(values) => items.push(edited(item, M::FILE.columns, &values).map_err(failed)?),
        }
    }
    for values in edits.created() {
        let record = Record { columns: M::FILE.columns, values: &values? };
        let item = if is_pretty { serde_json::to_string_pretty(&record) } else { serde_json::to_string(&record) };
        let line = format!("\n{}", before.rsplit('\n').next().unwrap_or_default());
        items.push(item.map_err(failed)?.replace('\n', &line));
    }
    if items.is_empty() {
        return Ok("[]".to_owned());
    }
    let separator = if before.is_empty() { ", ".to_owned() } else { format!(",{before}") };
    Ok(format!("[{before}{}{behind}]", items.join(&separator)))
}

/// An object with other values under some of its keys; its other letters stay.
pub(super) fn edited(object: &str, columns: &[Column], values: &[(usize, Value)]) -> serde_json::Result<String> {
    let entries = Scan::of(object, 0).entries()?;
    let begin = object.find('{').map_or(0, |brace| brace + 1);
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for (column, value) in values {
        let name = columns.get(*column).map_or("", |column| column.name);
        let value = serde_json::to_string(value)?;
        if let Some(entry) = entries.iter().find(|entry| entry.key == name) {
            changes.push((entry.value.clone(), value));
            continue;
        }
        let name = serde_json::to_string(name)?;
        let change = match (entries.first(), entries.last()) {
            (Some(first), Some(last)) => {
                let before = object.get(begin..first.begin).unwrap_or_default();
                let before = if before.is_empty() { " " } else { before };
                (last.value.end..last.value.end, format!(",{before}{name}: {value}"))
            }
            _ if changes.is_empty() => (begin..begin, format!("{name}: {value}")),
            _ => (begin..begin, format!(", {name}: {value}")),
        };
        changes.push(change);
    }
    // Stable, so that what is added stays in order.
    changes.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut new, mut at) = (String::with_capacity(object.len()), 0);
    for (range, change) in changes {
        new.push_str(object.get(at..range.start).unwrap_or_default());
        new.push_str(&change);
        at = range.end;
    }
    new.push_str(object.get(at..).unwrap_or_default());
    Ok(new)
}

/// A record as an object.
pub(super) struct Record<'a> {
    pub(super) columns: &'a [Column],
    pub(super) values: &'a [Value],
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (column, value) in self.columns.iter().zip(self.values) {
            map.serialize_entry(column.name, value)?;
        }
        map.end()
    }
}

/// Finds where in a text its values stand.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// A key and where its value stands.
struct Entry {
    key: String,
    /// Where the key begins.
    begin: usize,
    value: Range<usize>,
}

impl<'a> Scan<'a> {
    fn of(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next value, whatever it is.
    fn value(&mut self) -> serde_json::Result<Range<usize>> {
        self.space();
        let start = self.at;
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<IgnoredAny>();
        values.next().ok_or_else(|| serde_json::Error::custom("there is nothing"))??;
        self.at += values.byte_offset();
        Ok(start..self.at)
    }

    /// The values of a list.
    fn items(mut self) -> serde_json::Result<Vec<Range<usize>>> {
        let mut items = Vec::new();
        self.expect(b'[')?;
        while !self.skip(b']') {
            items.push(self.value()?);
            self.skip(b',');
        }
        Ok(items)
    }

    /// The keys of an object with their values.
    fn entries(mut self) -> serde_json::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.expect(b'{')?;
        while !self.skip(b'}') {
            let key = self.value()?;
            self.expect(b':')?;
            let value = self.value()?;
            self.skip(b',');
            let begin = key.start;
            let key = serde_json::from_str(self.text.get(key).unwrap_or_default())?;
            entries.push(Entry { key, begin, value });
        }
        Ok(entries)
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// Whether this comes next, which is skipped.
    fn skip(&mut self, byte: u8) -> bool {
        self.space();
        let is_next = self.rest().as_bytes().first() == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> serde_json::Result<()> {
        if self.skip(byte) { Ok(()) } else { Err(Error::custom(format!("expected `{}`", char::from(byte)))) }
    }
}

//! A document with its records changed: each table is edited by itself, and all other letters stay.

use std::ops::Range;

use toml_edit::{Array, ArrayOfTables, Document, DocumentMut, Item, Table};

use super::value::change_key;
use crate::file::formats::lines::{Lines, line_break, with_line_breaks_of};
use crate::file::model::edits::TextEdit;
use crate::file::model::schema::Column;
use crate::nested::change::Change;
use crate::nested::datum::Datum;

/// The text with its records changed.
pub(crate) fn edited(
    text: &str,
    document: &Document<&str>,
    key: &str,
    columns: &[Column],
    changes: &[TextEdit],
    created: &[Vec<Datum>],
) -> Result<String, String> {
    match document.get(key) {
        Some(Item::ArrayOfTables(tables)) => in_tables(text, document, tables, key, columns, changes, created),
        Some(Item::Value(value)) if value.as_array().is_some_and(|array| !array.is_empty()) => {
            inline(text, key, columns, changes, created)
        }
        list => {
            let mut mutable: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
            if created.is_empty() && list.is_none() {
                mutable.insert(key, Array::new().into());
            } else if !created.is_empty() {
                mutable.remove(key);
            }

            let text = with_line_breaks_of(text, &mutable.to_string());
            let new = new_tables(key, columns, created, !text.trim().is_empty())?;
            let new = with_line_breaks_of(&text, &new);
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { line_break(&text) };
            Ok(if new.is_empty() { text } else { format!("{text}{end}{new}") })
        }
    }
}

fn set(table: &mut dyn toml_edit::TableLike, columns: &[Column], changes: &[(usize, Change)]) -> Result<(), String> {
    changes.iter().try_for_each(|(column, change)| {
        columns.get(*column).map_or(Ok(()), |column| {
            change_key(table, column.name, change).map_err(|what| format!("`{}`: {what}", column.name))
        })
    })
}

fn new_table(columns: &[Column], values: &[Datum]) -> Result<Table, String> {
    let mut table = Table::new();
    let values: Vec<_> = values.iter().cloned().map(Change::Set).enumerate().collect();
    set(&mut table, columns, &values)?;
    Ok(table)
}

/// New tables, each after an empty line; the first only if it is preceded by something.
fn new_tables(key: &str, columns: &[Column], created: &[Vec<Datum>], has_space: bool) -> Result<String, String> {
    let mut text = String::new();
    for values in created {
        let mut document = DocumentMut::new();
        let tables: ArrayOfTables = [new_table(columns, values)?].into_iter().collect();
        document.insert(key, Item::ArrayOfTables(tables));
        let table = document.to_string();
        if has_space || !text.is_empty() {
            text.push('\n');
        }
        text.push_str(table.trim_start_matches('\n'));
    }

    Ok(text)
}

/// The text with changes in a list of inline tables.
fn inline(
    text: &str,
    key: &str,
    columns: &[Column],
    changes: &[TextEdit],
    created: &[Vec<Datum>],
) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let array = document.get_mut(key).and_then(Item::as_array_mut).ok_or("its list is not an array")?;
    for (value, change) in array.iter_mut().zip(changes) {
        if let (TextEdit::Set(record), Some(table)) = (change, value.as_inline_table_mut()) {
            set(table, columns, &record.columns)?;
        }
    }

    let kept = changes.iter().enumerate().filter(|(_, change)| !matches!(change, TextEdit::Drop));
    let mut pieces: Vec<_> = kept.map(|(position, _)| crate::nested::change::Piece::Old(position, None)).collect();
    for values in created {
        let entries = columns.iter().zip(values).filter(|(_, value)| **value != Datum::Null);
        let entries = entries.map(|(column, value)| (column.name.to_owned(), value.clone())).collect();
        pieces.push(crate::nested::change::Piece::New(Datum::Map(entries)));
    }

    if pieces.len() != changes.len() || !created.is_empty() {
        super::value::change_array(array, &pieces)?;
    }

    Ok(with_line_breaks_of(text, &document.to_string()))
}

/// A table of the list.
struct Block {
    /// The start of its comments.
    comments: usize,
    /// The start of its header.
    header: usize,
    /// The end of its last line.
    end: usize,
}

/// The text with changes in an array of tables.
fn in_tables(
    text: &str,
    document: &Document<&str>,
    tables: &ArrayOfTables,
    key: &str,
    columns: &[Column],
    changes: &[TextEdit],
    created: &[Vec<Datum>],
) -> Result<String, String> {
    let blocks = blocks(text, document, tables, key).ok_or("the positions of its tables are unknown")?;
    let mut patches: Vec<(Range<usize>, String)> = Vec::new();
    let is_left = changes.iter().any(|change| !matches!(change, TextEdit::Drop));

    // Whether the empty lines before the table go with the one above it.
    let mut takes_below = true;
    for (position, (block, change)) in blocks.iter().zip(changes).enumerate() {
        match change {
            TextEdit::Keep => takes_below = false,
            TextEdit::Drop => {
                let (mut range, is_below) = gone(text, block, takes_below);
                takes_below = is_below;
                if position + 1 == blocks.len() && (!is_left || !created.is_empty()) {
                    // Another text replaces it.
                    range.end = block.end;
                }
                patches.push((range, String::new()));
            }
            TextEdit::Set(record) => {
                takes_below = false;
                let old = text.get(block.header..block.end).unwrap_or_default();
                let mut part: DocumentMut = old.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
                let tables = part.get_mut(key).and_then(Item::as_array_of_tables_mut);
                let table = tables.and_then(|tables| tables.get_mut(0)).ok_or("a table is missing")?;
                set(table, columns, &record.columns)?;
                let new = part.to_string();
                // The last line of a file need not end.
                let new = if old.ends_with('\n') { new.as_str() } else { new.trim_end_matches('\n') };
                patches.push((block.header..block.end, with_line_breaks_of(old, new)));
            }
        }
    }

    let last = blocks.last().ok_or("there is no table")?;
    if !created.is_empty() {
        let second = blocks.get(1).map(|block| text.get(..block.comments).unwrap_or_default());
        let has_space = second.is_none_or(|before| {
            before.trim_end_matches([' ', '\t', '\r']).ends_with("\n\n") || before.ends_with("\n\r\n")
        });

        let is_blank =
            |before: &str| before.trim().is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
        let is_first =
            !is_left && patches.first().is_some_and(|(range, _)| is_blank(text.get(..range.start).unwrap_or_default()));
        let mut new = new_tables(key, columns, created, has_space)?;
        if is_first {
            new = new.trim_start_matches('\n').to_owned();
        }

        let is_ended = text.get(..last.end).unwrap_or_default().ends_with('\n');
        let before = if is_ended || (!is_left && is_first) { "" } else { line_break(text) };
        patches.push((last.end..last.end, format!("{before}{}", with_line_breaks_of(text, &new))));
    } else if !is_left {
        // A source without its list is an error. The key must come before all tables.
        let first = first_header(document, text);
        let at = patches.first().map_or(0, |(range, _)| range.start);
        let at = if blocks.first().is_some_and(|block| block.header == first) { at } else { content_end(text, first) };
        patches.push((at..at, format!("{} = []{}", toml_edit::Key::new(key), line_break(text))));
    }

    patches.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut new, mut at) = (String::with_capacity(text.len()), 0);
    for (range, change) in patches {
        new.push_str(text.get(at..range.start).ok_or("two changes overlap")?);
        new.push_str(&change);
        at = range.end;
    }

    new.push_str(text.get(at..).unwrap_or_default());
    Ok(new)
}

/// For each table whether it has comments, which go with it.
pub(super) fn commented(text: &str, document: &Document<&str>, tables: &ArrayOfTables, key: &str) -> Vec<bool> {
    if !text.contains('#') {
        return Vec::new();
    }
    // A `#` inside quotation marks begins no comment; an odd number of marks comes before it on its line then.
    let has_comment = |line: &str| {
        let mut marks = line.match_indices('#').filter_map(|(at, _)| line.get(..at));
        marks.any(|before| ['"', '\''].iter().all(|quote| before.matches(*quote).count().is_multiple_of(2)))
    };

    let blocks = blocks(text, document, tables, key).unwrap_or_default();
    blocks
        .iter()
        .map(|block| text.get(block.comments..block.end).is_some_and(|it| it.lines().any(has_comment)))
        .collect()
}

/// The positions of the tables.
fn blocks(text: &str, document: &Document<&str>, tables: &ArrayOfTables, key: &str) -> Option<Vec<Block>> {
    let mut others = Vec::new();
    document.iter().filter(|(name, _)| *name != key).for_each(|(_, item)| headers(item, &mut others));
    let own: Vec<usize> = tables.iter().map(|table| Some(table.span()?.start)).collect::<Option<_>>()?;
    let mut all: Vec<usize> = others.into_iter().chain(own.iter().copied()).collect();
    all.sort_unstable();

    let lines = Lines::of(text);
    let mut texts = Vec::new();
    multi_line(text, document.as_table(), &mut texts);

    let is_comment = |line: usize| {
        let start = lines.start(line);
        let is_text = || texts.iter().any(|range| range.contains(&start));
        text.get(start..lines.start(line + 1)).unwrap_or_default().trim_start().starts_with('#') && !is_text()
    };

    let mut blocks = Vec::with_capacity(own.len());
    for header in own {
        let next = all.get(all.partition_point(|&other| other <= header)).copied().unwrap_or(text.len());
        let mut line = lines.at(header);
        while line > 0 && is_comment(line - 1) {
            line -= 1;
        }

        // An apparent comment or empty line may be the end of a multi-line string.
        let last_text = texts.iter().map(|range| range.end).filter(|&end| header < end && end <= next).max();
        let end = last_text.map_or(0, |end| lines.start(lines.at(end) + 1));
        blocks.push(Block { comments: lines.start(line), header, end: content_end(text, next).max(end) });
    }

    // A comment at the head of the file is about the file, unless other tables have theirs as well.
    let others_have = blocks.iter().skip(1).any(|block| block.comments < block.header);
    if let Some(first) = blocks.first_mut()
        && first.comments == 0
        && !others_have
    {
        first.comments = first.header;
    }

    Some(blocks)
}

/// Collects the positions of multi-line values.
fn multi_line(text: &str, table: &dyn toml_edit::TableLike, found: &mut Vec<Range<usize>>) {
    for (_, item) in table.iter() {
        match item {
            Item::None => {}
            Item::Value(value) => {
                let span = value.span().filter(|span| text.get(span.clone()).is_some_and(|value| value.contains('\n')));
                found.extend(span);
            }
            Item::Table(table) => multi_line(text, table, found),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| multi_line(text, table, found)),
        }
    }
}

/// Collects the positions of the headers of tables.
fn headers(item: &Item, found: &mut Vec<usize>) {
    match item {
        Item::Table(table) => of_table(table, found),
        Item::ArrayOfTables(tables) => tables.iter().for_each(|table| of_table(table, found)),
        Item::None | Item::Value(_) => {}
    }
}

fn of_table(table: &Table, found: &mut Vec<usize>) {
    if !table.is_implicit() && !table.is_dotted() {
        found.extend(table.span().map(|span| span.start));
    }
    table.iter().for_each(|(_, item)| headers(item, found));
}

/// The first header of all.
fn first_header(document: &Document<&str>, text: &str) -> usize {
    let mut found = Vec::new();
    document.iter().for_each(|(_, item)| headers(item, &mut found));
    found.into_iter().min().unwrap_or(text.len())
}

/// The end of the last line before a position that holds more than space and comments.
fn content_end(text: &str, before: usize) -> usize {
    let mut end = before;
    for line in text.get(..before).unwrap_or_default().split_inclusive('\n').rev() {
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            break;
        }
        end -= line.len();
    }

    end
}

/// What goes with a table: its comments, and the empty lines before it or, where something above it stays without a table
/// of its own, those below it. Says also whether it is those below.
fn gone(text: &str, block: &Block, is_first: bool) -> (Range<usize>, bool) {
    let before = text.get(..block.comments).unwrap_or_default();
    let is_top = before.trim().is_empty();
    let stays_above = before.trim_end().rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with('#'));
    if !is_top && !is_first && !stays_above {
        let start = before.trim_end().len();
        // To the end of that line.
        let rest = text.get(start..block.comments).and_then(|space| space.find('\n'));
        return (start + rest.map_or(0, |at| at + 1)..block.end, false);
    }

    let rest = text.get(block.end..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let blank = rest.get(..blank).and_then(|blank| blank.rfind('\n')).map_or(0, |at| at + 1);
    (if is_top { 0 } else { block.comments }..block.end + blank, true)
}

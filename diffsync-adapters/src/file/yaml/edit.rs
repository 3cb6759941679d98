//! A document with its records changed, line by line, so that all that is not changed stays as it is written.

use std::ops::Range;

use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use super::document::{Document, Record};
use crate::file::edits::Edit;
use crate::file::lines::Lines;
use crate::file::model::{Column, FileModel};

/// Why a document is not edited.
pub(super) const TOO_FANCY: &str =
    "its records are written in a way that cannot be edited; write them as a list with a `-` and lines `key: value`";

/// The text with its records changed.
pub(super) fn edited<M: FileModel>(
    text: &str,
    document: &Document<M>,
    changes: &[Edit],
    created: &[Vec<Value>],
) -> Result<String, String> {
    let columns = M::FILE.columns;
    let Some(list) = &document.list else {
        let (head, indent) = M::FILE.list.map_or((String::new(), 0), |key| (format!("{}:\n", key_text(key)), 2));
        let text = end_line(text);
        return Ok(format!(
            "{text}{head}{}",
            if created.is_empty() { empty(indent) } else { items(columns, created, indent) }
        ));
    };
    let start = offset(list.referenced).ok_or(TOO_FANCY)?;
    let lines = Lines::of(text);
    if text.get(start..).is_some_and(|list| list.starts_with('[')) {
        return if list.value.is_empty() { filled::<M>(text, start, created) } else { Err(TOO_FANCY.into()) };
    }
    let indent = dash_indent(&lines, &list.value).ok_or(TOO_FANCY)?;
    let chunks = chunks(&lines, &list.value, indent).ok_or(TOO_FANCY)?;
    let (Some(begin), Some(end)) = (chunks.first(), chunks.last()) else { return Err(TOO_FANCY.into()) };
    let mut new = text.get(..begin.start).unwrap_or_default().to_owned();
    let head = new.len();
    for ((chunk, item), change) in chunks.iter().zip(&list.value).zip(changes) {
        match change {
            Edit::Drop => {}
            Edit::Keep => new.push_str(text.get(chunk.clone()).unwrap_or_default()),
            Edit::Set(values) => new.push_str(&item_with(&lines, chunk.clone(), item, columns, values)?),
        }
    }
    if !created.is_empty() {
        new = end_line(&new);
        new.push_str(&items(columns, created, indent));
    }
    if new.len() == head {
        new.push_str(&empty(if M::FILE.list.is_some() { indent + 2 } else { 0 }));
    }
    new.push_str(text.get(end.end..).unwrap_or_default());
    Ok(new)
}

/// The text with records in the place of `[]`.
fn filled<M: FileModel>(text: &str, start: usize, created: &[Vec<Value>]) -> Result<String, String> {
    if created.is_empty() {
        return Ok(text.to_owned());
    }
    let end = text.get(start..).and_then(|list| list.find(']')).map_or(text.len(), |end| start + end + 1);
    let (head, indent) = match M::FILE.list {
        None => (text.get(..start).unwrap_or_default().to_owned(), 0),
        Some(_) => (format!("{}\n", text.get(..start).unwrap_or_default().trim_end_matches([' ', '\n'])), 2),
    };
    let tail = text.get(end..).unwrap_or_default();
    let tail = tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix('\n')).unwrap_or(tail);
    if !tail.is_empty() && !text.get(end..).is_some_and(|rest| rest.starts_with(['\r', '\n'])) {
        return Err(TOO_FANCY.into());
    }
    Ok(format!("{head}{}{tail}", items(M::FILE.columns, created, indent)))
}

fn empty(indent: usize) -> String {
    format!("{}[]\n", " ".repeat(indent))
}

fn end_line(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// Records as items of a list.
fn items(columns: &[Column], records: &[Vec<Value>], indent: usize) -> String {
    let mut text = String::new();
    for record in records {
        for (position, (column, value)) in columns.iter().zip(record).enumerate() {
            text.push_str(&" ".repeat(indent));
            text.push_str(if position == 0 { "- " } else { "  " });
            text.push_str(&entry(column, value));
            text.push('\n');
        }
    }
    text
}

fn entry(column: &Column, value: &Value) -> String {
    format!("{}: {}", key_text(column.name), value_text(value, false))
}

fn key_text(key: &str) -> String {
    value_text(&Value::from(key), false)
}

/// A value on one line: plain if it can be, else as JSON, which is YAML as well.
fn value_text(value: &Value, in_braces: bool) -> String {
    if let Value::String(text) = value
        && !in_braces
        && text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '.' | '/' | ':'))
        && let Ok(text) = serde_saphyr::to_string(text)
        && !text.trim_end_matches('\n').contains('\n')
    {
        return text.trim_end_matches('\n').to_owned();
    }
    let mut text = String::new();
    for letter in value.to_string().chars() {
        match letter {
            // Characters that YAML takes for line breaks, or does not allow.
            '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                text.extend(format!("\\u{:04x}", u32::from(letter)).chars());
            }
            letter => text.push(letter),
        }
    }
    text
}

/// Lines as YAML sees them.
impl<'a> Lines<'a> {
    fn text(&self, line: usize) -> &'a str {
        self.text.get(self.start(line)..self.start(line + 1)).unwrap_or_default()
    }

    fn indent(&self, line: usize) -> usize {
        let text = self.text(line);
        text.len() - text.trim_start_matches(' ').len()
    }

    fn is_blank(&self, line: usize) -> bool {
        self.text(line).trim().is_empty()
    }

    fn is_comment(&self, line: usize) -> bool {
        self.text(line).trim_start().starts_with('#')
    }

    /// The line behind the last one, from `line` on, that is indented more than this.
    fn end_of_block(&self, line: usize, indent: usize) -> usize {
        let mut end = line;
        for line in line..self.starts.len() {
            if self.is_blank(line) {
                continue;
            }
            if self.indent(line) <= indent {
                break;
            }
            end = line + 1;
        }
        end
    }
}

fn offset(location: Location) -> Option<usize> {
    usize::try_from(location.span().byte_offset()?).ok()
}

/// How far the dashes of a list are indented: the first item follows one.
fn dash_indent<M>(lines: &Lines<'_>, items: &[Spanned<Record<M>>]) -> Option<usize> {
    let first = lines.at(offset(items.first()?.referenced)?);
    let dash = (0..=first).rev().find(|&line| !lines.is_blank(line) && !lines.is_comment(line))?;
    let dash = if lines.text(dash).trim_start().starts_with('-') { dash } else { dash.checked_sub(1)? };
    lines.text(dash).trim_start().starts_with('-').then(|| lines.indent(dash))
}

/// The part of the text that each item takes: its lines, with the comments right above it.
fn chunks<M>(lines: &Lines<'_>, items: &[Spanned<Record<M>>], indent: usize) -> Option<Vec<Range<usize>>> {
    let mut starts = Vec::with_capacity(items.len());
    let mut last = 0;
    for (position, item) in items.iter().enumerate() {
        let has_dash = |line: &usize| lines.indent(*line) == indent && lines.text(*line).trim_start().starts_with('-');
        let dash = (last..=lines.at(offset(item.referenced)?)).rev().find(has_dash)?;
        let mut start = dash;
        // The comments above the first item may be about the whole list, so they stay.
        while position > 0 && start > last + 1 && lines.is_comment(start - 1) && lines.indent(start - 1) <= indent {
            start -= 1;
        }
        starts.push(lines.start(start));
        last = dash;
    }
    starts.push(lines.start(lines.end_of_block(last + 1, indent)));
    Some(starts.iter().zip(starts.iter().skip(1)).map(|(&start, &end)| start..end).collect())
}

/// An item with other values under some of its keys.
fn item_with<M>(
    lines: &Lines<'_>,
    chunk: Range<usize>,
    item: &Spanned<Record<M>>,
    columns: &[Column],
    values: &[(usize, Value)],
) -> Result<String, String> {
    let start = offset(item.referenced).ok_or(TOO_FANCY)?;
    let in_braces = lines.text.get(start..).is_some_and(|item| item.starts_with('{'));
    let indent = start - lines.start(lines.at(start));
    let end = lines.start(lines.end_of_block(lines.at(start) + 1, indent.saturating_sub(1))).min(chunk.end);
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for (position, value) in values {
        let Some(column) = columns.get(*position) else { continue };
        let old = item.value.cells.iter().find(|(at, _)| at == position).map(|(_, old)| old.referenced);
        let place = old.and_then(|old| value_place(lines, old, column));
        let change = match (place, in_braces) {
            (Some(place), _) => (place, value_text(value, in_braces)),
            (None, true) => (start + 1..start + 1, format!("{}: {}, ", key_text(column.name), value_text(value, true))),
            (None, false) => {
                let line = format!("{}{}\n", " ".repeat(indent), entry(column, value));
                match old_lines(lines, lines.at(start)..lines.at(end.max(1) - 1) + 1, indent, column)? {
                    Some((block, is_first)) => (block, if is_first { line.trim_start().to_owned() } else { line }),
                    None => (end..end, line),
                }
            }
        };
        changes.push(change);
    }
    changes.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut new, mut at) = (String::new(), chunk.start);
    for (range, change) in changes {
        new.push_str(lines.text.get(at..range.start).ok_or(TOO_FANCY)?);
        if range.start == end && !new.ends_with('\n') {
            new.push('\n');
        }
        new.push_str(&change);
        at = range.end;
    }
    new.push_str(lines.text.get(at..chunk.end).ok_or(TOO_FANCY)?);
    Ok(new)
}

/// Where a value stands, if it is on the same line as its key and on no other.
fn value_place(lines: &Lines<'_>, value: Location, column: &Column) -> Option<Range<usize>> {
    let start = offset(value)?;
    let length = usize::try_from(value.span().byte_len()?).ok().filter(|&length| length > 0)?;
    let text = lines.text.get(start..start + length)?;
    let before = lines.text.get(lines.start(lines.at(start))..start)?.trim_end().strip_suffix(':')?.trim_end();
    let names = [column.name.to_owned(), format!("\"{}\"", column.name), format!("'{}'", column.name)];
    let of_key = names.iter().filter_map(|name| before.strip_suffix(name.as_str()));
    let is_keys = of_key.into_iter().any(|before| before.is_empty() || before.ends_with([' ', '{', ',', '-']));
    (is_keys && !text.contains('\n') && !text.starts_with(['[', '{'])).then_some(start..start + length)
}

/// The lines of a key whose value takes several, and whether it is the item's first.
fn old_lines(
    lines: &Lines<'_>,
    item: Range<usize>,
    indent: usize,
    column: &Column,
) -> Result<Option<(Range<usize>, bool)>, String> {
    let first = item.start;
    let names = [column.name.to_owned(), format!("\"{}\"", column.name), format!("'{}'", column.name)];
    let is_key = |line: &usize| {
        let text = lines.text(*line);
        let text = if *line == first { text.get(indent..) } else { Some(text.trim_start_matches(' ')) };
        let at_indent = *line == first || lines.indent(*line) == indent;
        let behind = text.and_then(|text| names.iter().find_map(|name| text.strip_prefix(name.as_str())));
        at_indent && behind.is_some_and(|behind| behind.trim_start().starts_with(':'))
    };
    let Some(key) = item.clone().find(is_key) else { return Ok(None) };
    let is_list_item = |line: usize| lines.indent(line) == indent && lines.text(line).trim_start().starts_with("- ");
    let mut end = key + 1;
    while end < item.end && (lines.is_blank(end) || lines.indent(end) > indent || is_list_item(end)) {
        end += 1;
    }
    let value = lines.text.get(lines.start(key)..lines.start(end)).unwrap_or_default();
    let value = value.split_once(':').map_or("", |(_, value)| value.trim_start_matches(' '));
    let is_text = value.starts_with(['|', '>']);
    if !is_text && has_comment(value) {
        let place = key + 1;
        return Err(format!(
            "there is a comment within the value of `{}` in line {place}; change it by hand",
            column.name
        ));
    }
    let start = if key == first { lines.start(key) + indent } else { lines.start(key) };
    Ok(Some((start..lines.start(end), key == first)))
}

/// Whether there is a comment in a value: a `#` behind a space, outside of quotes. Where it is not sure that a quotation
/// mark opens something, it is taken for a letter, so that no comment is overlooked.
fn has_comment(value: &str) -> bool {
    let (mut quoted_by, mut escaped) = (None, false);
    // What was before, what was before that was no space, and whether a quotation ended there.
    let (mut before, mut last, mut closed) = (' ', ':', false);
    for letter in value.chars() {
        let just_closed = std::mem::take(&mut closed);
        match quoted_by {
            Some('"') if escaped => escaped = false,
            Some('"') if letter == '\\' => escaped = true,
            Some(mark) if letter == mark => {
                quoted_by = None;
                closed = true;
            }
            None if letter == '#' && before.is_whitespace() => return true,
            // Two are one within a quotation.
            None if letter == '\'' && before == '\'' && just_closed => quoted_by = Some(letter),
            None if matches!(letter, '"' | '\'') && matches!(last, ':' | '-' | ',' | '[' | '{') => {
                quoted_by = Some(letter);
            }
            Some(_) | None => {}
        }
        before = letter;
        if !letter.is_whitespace() {
            last = letter;
        }
    }
    quoted_by.is_some() && value.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_told_from_a_text() {
        for text in
            ["a # b", "[a, # b\n  c]", "\n  # a\n  - b\n", "\n  - 'a # b' # c\n", "it's 'a # b'", "[\"a\\\"\" # b\n]"]
        {
            assert!(has_comment(text), "{text}");
        }
        for text in ["[a#b]", "[\"a # b\"]", "\n  - 'it''s # a'\n  - \"a\\\" # b\"\n", "[\"\\n\", \" \", \"! #\"]"] {
            assert!(!has_comment(text), "{text}");
        }
    }

    #[test]
    fn a_text_on_one_line_is_read_as_it_is() {
        let traps = [
            "a\u{0}b",
            "\u{1b}[0m",
            "a\r\nb",
            "\r",
            "\u{85}",
            "\u{2028}",
            "\u{feff}a",
            "\u{7f}",
            "a: b",
            "- a",
            "no",
            "~",
            "1e3",
            "",
            " a",
            "a ",
            "/",
            ":",
            "a:",
            "\t",
            "\u{301}",
            "'",
            "\"",
            "\\",
            "2026-01-01",
            "0x10",
            "12:30:00",
            "-",
            "---",
            ".",
            "...",
            "a #b",
            "\u{e9}",
        ];
        for trap in traps {
            for in_braces in [false, true] {
                let text = value_text(&Value::from(trap), in_braces);
                let item =
                    if in_braces { format!("- {{a: {text}, b: 1}}\n") } else { format!("- a: {text}\n  b: 1\n") };
                let read = serde_saphyr::from_str::<Vec<Value>>(&item).map_err(|error| error.to_string());
                assert_eq!(read.map(|items| items[0]["a"].clone()), Ok(Value::from(trap)), "{item}");
            }
        }
    }
}

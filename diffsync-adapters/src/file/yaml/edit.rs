//! A document with its records changed, so that all that is not changed stays as it is written.

use std::collections::HashSet;
use std::ops::Range;

use super::Place;
use super::document::{Document, Kind, Node, Style, datum};
use super::write::{entry, items, key_text, value_text};
use crate::file::change::{Change, Piece};
use crate::file::datum::Datum;
use crate::file::edits::TextEdit;
use crate::file::json::joined;
use crate::file::lines::{Lines, line_break};
use crate::file::model::FileModel;

/// Why a document is not edited.
pub(super) const TOO_FANCY: &str =
    "its records are written in a way that cannot be edited; write them as a list with a `-` and lines `key: value`";

/// A part of the text, and what takes its place.
type Patch = (Range<usize>, String);

/// The text with its records changed.
pub(super) fn edited<M: FileModel>(
    text: &str,
    document: &Document<'_>,
    place: &Place<'_, '_>,
    changes: &[TextEdit],
    created: &[Vec<Datum>],
) -> Result<String, String> {
    let editor = Editor { text, lines: Lines::of(text), line_break: line_break(text), document };
    let columns = M::FILE.columns;
    let new = |indent: &str| items(columns, created, indent, editor.line_break);
    let patches = match place {
        Place::Nothing | Place::NoKey => {
            let (head, indent) = M::FILE
                .list
                .map_or((String::new(), ""), |key| (format!("{}:{}", key_text(key), editor.line_break), "  "));
            let list = if created.is_empty() { format!("{indent}[]{}", editor.line_break) } else { new(indent) };
            let before = if text.is_empty() || text.ends_with('\n') { "" } else { editor.line_break };
            vec![(text.len()..text.len(), format!("{before}{head}{list}"))]
        }
        Place::Empty { .. } if created.is_empty() => Vec::new(),
        Place::Empty { key, value } => editor.filled(key, value.begin.max(key.span.end), value.span.end, &new("  "))?,
        Place::List { list, items: [], .. } if created.is_empty() && list.span.start < text.len() => Vec::new(),
        Place::List { key: Some(key), list, items: [] } => {
            editor.filled(key, list.span.start, list.span.end, &new("  "))?
        }
        Place::List { key: None, list, items: [] } => {
            let end = editor.lines.start(editor.lines.at(list.span.end) + 1);
            let tail = text.get(list.span.end..end).unwrap_or_default();
            if !tail.trim().is_empty() {
                return Err(TOO_FANCY.into());
            }
            vec![(list.span.start..end, new(""))]
        }
        Place::List { list, .. } if !list.is_block() => {
            let is_kept = changes.iter().all(|change| !matches!(change, TextEdit::Drop));
            if !created.is_empty() || !is_kept {
                return Err(TOO_FANCY.into());
            }
            let mut patches = Vec::new();
            let Kind::List { items, .. } = &list.kind else { return Err(TOO_FANCY.into()) };
            for (item, change) in items.iter().zip(changes) {
                if let TextEdit::Set(record) = change {
                    patches.extend(editor.record(item, columns, &record.columns, list.span.end, true)?);
                }
            }
            patches
        }
        Place::List { key, list, items } => {
            let piece = |(position, change): (usize, &TextEdit)| match change {
                TextEdit::Keep => Some((position, None)),
                TextEdit::Drop => None,
                TextEdit::Set(record) => Some((position, Some(record.columns.clone()))),
            };
            let pieces: Vec<_> = changes.iter().enumerate().map(piece).collect();
            let indent = editor.indent_of(list);
            let chunks = editor.chunks(list, items, key.map_or(0, |key| key.span.end), true)?;
            editor.no_alias_to_what_goes(&chunks, &pieces_kept(&pieces))?;
            let mut parts = String::new();
            for (position, columns_changed) in pieces.iter().flatten() {
                let (Some(chunk), Some(item)) = (chunks.get(*position), items.get(*position)) else { continue };
                let patches = match columns_changed {
                    Some(changes) => editor.record(item, columns, changes, chunk.end, false)?,
                    None => Vec::new(),
                };
                parts.push_str(&editor.patched(chunk.clone(), patches)?);
            }
            if !created.is_empty() {
                editor.end_line(&mut parts, chunks.first().map_or(0, |chunk| chunk.start));
                parts.push_str(&new(&indent));
            }
            let range = chunks.first().map_or(0, |chunk| chunk.start)..chunks.last().map_or(0, |chunk| chunk.end);
            match key {
                _ if !parts.is_empty() => vec![(range, parts)],
                None => vec![(range, format!("[]{}", editor.line_break))],
                Some(key) => editor.emptied(key.span.end, range, "[]"),
            }
        }
    };
    editor.patched(0..text.len(), patches)
}

/// Which of the old items stay.
fn pieces_kept<T>(pieces: &[Option<(usize, T)>]) -> HashSet<usize> {
    pieces.iter().flatten().map(|(position, _)| *position).collect()
}

struct Editor<'d, 'a> {
    text: &'a str,
    lines: Lines<'a>,
    line_break: &'static str,
    document: &'d Document<'a>,
}

impl Editor<'_, '_> {
    fn part(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// A part of the text with changes in it.
    fn patched(&self, range: Range<usize>, mut patches: Vec<Patch>) -> Result<String, String> {
        patches.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut new, mut at) = (String::new(), range.start);
        for (place, change) in patches {
            new.push_str(self.text.get(at..place.start).ok_or(TOO_FANCY)?);
            new.push_str(&change);
            at = place.end;
        }
        new.push_str(self.text.get(at..range.end).ok_or(TOO_FANCY)?);
        Ok(new)
    }

    /// Ends the last line of a new text that stands behind this position.
    fn end_line(&self, new: &mut String, before: usize) {
        let is_ended =
            if new.is_empty() { before == 0 || self.part(0..before).ends_with('\n') } else { new.ends_with('\n') };
        if !is_ended {
            new.push_str(self.line_break);
        }
    }

    /// The space before the first thing on a line, if there is nothing but space.
    fn indent_of(&self, node: &Node<'_>) -> String {
        " ".repeat(self.column(node.begin))
    }

    fn column(&self, at: usize) -> usize {
        at - self.lines.start(self.lines.at(at))
    }

    fn line_at(&self, line: usize) -> &str {
        self.part(self.lines.start(line)..self.lines.start(line + 1))
    }

    fn is_comment(&self, line: usize) -> bool {
        self.line_at(line).trim_start().starts_with('#')
    }

    /// Lines in the place of the empty list or the nothing that stands under a key.
    fn filled(&self, key: &Node<'_>, begin: usize, end: usize, new: &str) -> Result<Vec<Patch>, String> {
        let colon = self.behind_colon(key)?;
        let (begin, end) = (begin.max(colon), end.max(colon));
        let space = self.part(colon..begin);
        let next_line = self.lines.start(self.lines.at(end) + 1);
        let tail = self.part(end..next_line).trim_end_matches(['\r', '\n']);
        if !(tail.trim().is_empty() || tail.starts_with([' ', '\t']) && tail.trim_start().starts_with('#')) {
            return Err(TOO_FANCY.into());
        }
        // What stands between the key and an empty list in brackets may be comments.
        let head = space.trim_end();
        Ok(vec![(colon..next_line, format!("{head}{}{}{new}", tail.trim_end(), self.line_break))])
    }

    /// Brackets in the place of the last of a list or a map in lines.
    fn emptied(&self, behind_key: usize, range: Range<usize>, brackets: &str) -> Vec<Patch> {
        let head = self.part(behind_key..range.start);
        if head.trim() == ":" {
            return vec![(behind_key..range.end, format!(": {brackets}{}", self.line_break))];
        }
        // There are comments between them.
        let indent = " ".repeat(self.column(range.start) + 2);
        vec![(range, format!("{indent}{brackets}{}", self.line_break))]
    }

    fn behind_colon(&self, key: &Node<'_>) -> Result<usize, String> {
        let colon = self.text.get(key.span.end..).and_then(|rest| rest.find(':')).ok_or(TOO_FANCY)?;
        Ok(key.span.end + colon + 1)
    }

    /// The part of the text that each item of a list takes: its lines, with the comments right above it.
    fn chunks(
        &self,
        list: &Node<'_>,
        items: &[Node<'_>],
        lowest: usize,
        is_top: bool,
    ) -> Result<Vec<Range<usize>>, String> {
        let indent = self.column(list.span.start);
        let is_dash = |line: usize| {
            let text = self.line_at(line);
            text.len() - text.trim_start_matches(' ').len() == indent && text.trim_start().starts_with('-')
        };
        let first = self.lines.at(list.span.start);
        let mut dashes = Vec::with_capacity(items.len());
        let mut before: Option<usize> = None;
        for item in items {
            let from = before.map_or(first, |before| before + 1);
            let dash = (from..=self.lines.at(item.begin)).rev().find(|line| is_dash(*line)).ok_or(TOO_FANCY)?;
            dashes.push(dash);
            before = Some(dash);
        }
        let attached = |dash: usize, from: usize| {
            let mut start = dash;
            while start > from && self.is_comment(start - 1) && self.column_of(start - 1) <= indent {
                start -= 1;
            }
            start
        };
        let starts_of_others: Vec<_> =
            dashes.iter().zip(dashes.iter().skip(1)).map(|(&last, &dash)| attached(dash, last + 1)).collect();
        let lowest_line = if lowest == 0 { 0 } else { self.lines.at(lowest) + 1 };
        let dash = dashes.first().copied().ok_or(TOO_FANCY)?;
        let mut start = attached(dash, lowest_line);
        // A comment at the head of the file is about the file, unless other records have theirs as well.
        let is_head = start == 0 || self.line_at(start - 1).starts_with("---");
        let others_have = starts_of_others.iter().zip(dashes.iter().skip(1)).any(|(start, dash)| start < dash);
        if is_top && lowest == 0 && is_head && !others_have {
            start = dash;
        }
        let mut starts = vec![self.lines.start(start)];
        starts.extend(starts_of_others.iter().map(|&line| self.lines.start(line)));
        let end = self.end_of_lines(list.end(self.text), indent);
        starts.push(end);
        Ok(starts.iter().zip(starts.iter().skip(1)).map(|(&start, &end)| start..end).collect())
    }

    fn column_of(&self, line: usize) -> usize {
        let text = self.line_at(line);
        text.len() - text.trim_start_matches(' ').len()
    }

    /// The end of the line of a position, and of the comments below that are indented more than this.
    fn end_of_lines(&self, at: usize, indent: usize) -> usize {
        let mut end = self.lines.at(at.max(1) - usize::from(self.part(0..at).ends_with('\n'))) + 1;
        let first = end;
        for line in first..self.lines.starts.len() {
            if self.line_at(line).trim().is_empty() {
                continue;
            }
            if !self.is_comment(line) || self.column_of(line) <= indent {
                break;
            }
            end = line + 1;
        }
        self.lines.start(end)
    }

    /// Makes sure that no alias elsewhere reads what is changed or goes.
    fn no_alias_to(&self, range: &Range<usize>) -> Result<(), String> {
        self.no_alias_outside(range, &[])
    }

    /// The same, but for aliases that go themselves.
    fn no_alias_outside(&self, range: &Range<usize>, gone: &[&Range<usize>]) -> Result<(), String> {
        for anchor in &self.document.anchors {
            let is_in = range.contains(&anchor.range.start);
            let is_around = anchor.range.start <= range.start && range.end <= anchor.range.end;
            if !is_in && !is_around {
                continue;
            }
            let is_gone = |at: usize| range.contains(&at) || gone.iter().any(|gone| gone.contains(&at));
            let aliases = self.document.aliases.iter().filter(|alias| anchor.is(alias.id));
            if let Some(alias) = aliases.into_iter().find(|alias| !is_gone(alias.at)) {
                return Err(format!(
                    "line {} has the anchor `&{}`, and line {} reads it through `*{}`, so a change would be one of both; \
                     write the value out in line {}",
                    anchor.line, anchor.name, alias.line, anchor.name, alias.line
                ));
            }
        }
        Ok(())
    }

    fn no_alias_to_what_goes(&self, chunks: &[Range<usize>], kept: &HashSet<usize>) -> Result<(), String> {
        if self.document.aliases.is_empty() {
            return Ok(());
        }
        let gone = chunks.iter().enumerate().filter(|(position, _)| !kept.contains(position));
        let gone: Vec<_> = gone.map(|(_, chunk)| chunk).collect();
        // What goes together may name each other.
        gone.iter().try_for_each(|chunk| self.no_alias_outside(chunk, &gone))
    }

    /// The changes of a record.
    fn record(
        &self,
        item: &Node<'_>,
        columns: &[crate::file::model::Column],
        changes: &[(usize, Change)],
        end: usize,
        in_flow: bool,
    ) -> Result<Vec<Patch>, String> {
        let named = |(at, change): &(usize, Change)| Some((columns.get(*at)?.name.to_owned(), change.clone()));
        let set: Vec<_> = changes.iter().filter_map(named).collect();
        match &item.kind {
            Kind::Map { is_flow: true, .. } => self.flow_map(item, &set, &[]),
            Kind::Map { entries, .. } if !in_flow => self.block_map(item, entries, &set, &[], end),
            _ => Err(format!(
                "line {}: the record is an alias, so a change would be one of another record as well; write it out",
                item.line
            )),
        }
    }

    /// The changes within a value. It may begin behind `after`, and its lines end before `end`.
    fn value(
        &self,
        node: &Node<'_>,
        change: &Change,
        after: usize,
        end: usize,
        in_flow: bool,
    ) -> Result<Vec<Patch>, String> {
        match (change, &node.kind) {
            (Change::Map { set, gone }, Kind::Map { is_flow: true, .. }) => self.flow_map(node, set, gone),
            (Change::Map { set, gone }, Kind::Map { entries, .. }) => {
                let names: HashSet<_> = gone.iter().map(String::as_str).collect();
                let is_left = entries.iter().any(|(key, _)| key.text().is_none_or(|key| !names.contains(key)));
                if is_left || !set.is_empty() && self.is_own_line(node) {
                    self.block_map(node, entries, set, gone, end)
                } else {
                    self.replaced(node, &self.applied(change, node)?, after, in_flow)
                }
            }
            (Change::List(pieces), Kind::List { is_flow: true, items }) => self.flow_list(node, items, pieces),
            (Change::List(pieces), Kind::List { items, .. }) if !pieces.is_empty() && self.is_own_line(node) => {
                self.block_list(node, items, pieces, after)
            }
            (Change::Set(value), _) => self.replaced(node, value, after, in_flow),
            _ => self.replaced(node, &self.applied(change, node)?, after, in_flow),
        }
    }

    fn applied(&self, change: &Change, node: &Node<'_>) -> Result<Datum, String> {
        change.applied(&datum(node, &self.document.targets())).ok_or_else(|| TOO_FANCY.to_owned())
    }

    /// Whether a block begins on a line of its own.
    fn is_own_line(&self, node: &Node<'_>) -> bool {
        self.part(self.lines.start(self.lines.at(node.span.start))..node.span.start).trim().is_empty()
    }

    /// Another value in the place of one.
    fn replaced(&self, node: &Node<'_>, value: &Datum, after: usize, in_flow: bool) -> Result<Vec<Patch>, String> {
        self.no_alias_to(&(node.begin..node.end(self.text)))?;
        let new = value_text(value, in_flow);
        let is_on_line = !node.is_block() && !self.part(after.min(node.begin)..node.span.end).contains('\n');
        if node.is_empty() {
            let at = node.span.start.max(after);
            let space = if self.part(0..at).ends_with([' ', '\t']) { "" } else { " " };
            return Ok(vec![(at..at, format!("{space}{new}"))]);
        }
        if is_on_line {
            // An anchor stays; a tag is of the old value.
            let begin =
                if node.anchor.is_some() || matches!(value, Datum::Text(_)) { node.span.start } else { node.begin };
            return Ok(vec![(begin..node.span.end, new)]);
        }
        let end = node.end(self.text);
        if self.has_comment(node, after..end) {
            let line = self.lines.at(after) + 1;
            let key =
                self.part(self.lines.start(line - 1)..after).trim().trim_start_matches("- ").trim_end_matches(':');
            return Err(format!("there is a comment within the value of `{key}` in line {line}; change it by hand"));
        }
        Ok(vec![(after..end, format!(" {new}"))])
    }

    /// Whether there is a comment in a part of the text that holds a value: a `#` behind a space, outside of its scalars.
    fn has_comment(&self, node: &Node<'_>, range: Range<usize>) -> bool {
        let mut scalars = Vec::new();
        gather(node, &mut scalars);
        let text = self.part(range.clone());
        text.match_indices('#').map(|(at, _)| range.start + at).any(|at| {
            let is_spaced = self.part(0..at).ends_with([' ', '\t', '\n']);
            is_spaced && !scalars.iter().any(|scalar: &Range<usize>| scalar.contains(&at))
        })
    }

    fn flow_map(&self, node: &Node<'_>, set: &[(String, Change)], gone: &[String]) -> Result<Vec<Patch>, String> {
        let Kind::Map { entries, .. } = &node.kind else { return Err(TOO_FANCY.into()) };
        let end_of = |key: &Node<'_>, value: &Node<'_>| value.end(self.text).max(key.span.end);
        let mut parts = Vec::new();
        for (position, (key, value)) in entries.iter().enumerate() {
            let name = key.text();
            if name.is_some_and(|name| gone.iter().any(|gone| gone == name)) {
                self.no_alias_to(&(key.begin..end_of(key, value)))?;
                continue;
            }
            let change = name.and_then(|name| set.iter().find(|(key, _)| key == name));
            let range = key.begin..end_of(key, value);
            let part = match change {
                Some((name, Change::Set(new))) if value.is_empty() && value.begin == value.span.start => {
                    format!("{}: {}", self.key_as_written(key, name), value_text(new, true))
                }
                Some((_, change)) => {
                    let after = self.behind_colon(key)?;
                    self.patched(range.clone(), self.value(value, change, after, range.end, true)?)?
                }
                None => self.part(range.clone()).to_owned(),
            };
            parts.push((Some(position), part));
        }
        let mut is_new = false;
        for (key, change) in set.iter().filter(|(name, _)| !entries.iter().any(|(key, _)| key.text() == Some(name))) {
            is_new = true;
            let value = change.applied(&Datum::Null).ok_or(TOO_FANCY)?;
            parts.push((None, format!("{}: {}", key_text(key), value_text(&value, true))));
        }
        let places: Vec<_> = entries.iter().map(|(key, value)| key.begin..end_of(key, value)).collect();
        if is_new {
            // Who reads the map through an alias would get what is new as well.
            self.no_alias_to(&(node.span.start..node.span.start))?;
        }
        self.joined(node, &places, &parts)
    }

    fn key_as_written(&self, key: &Node<'_>, name: &str) -> String {
        let written = self.part(key.begin..key.span.end);
        if written.is_empty() { key_text(name) } else { written.to_owned() }
    }

    fn flow_list(&self, node: &Node<'_>, items: &[Node<'_>], pieces: &[Piece]) -> Result<Vec<Patch>, String> {
        self.no_alias_to(&(node.span.start..node.span.start))?;
        let place = |item: &Node<'_>| item.begin..item.end(self.text);
        let mut parts = Vec::new();
        for piece in pieces {
            let (position, text) = match piece {
                Piece::New(value) => (None, value_text(value, true)),
                Piece::Old(position, change) => {
                    let item = items.get(*position).ok_or(TOO_FANCY)?;
                    let patches = match change {
                        Some(change) => self.value(item, change, item.begin, item.span.end, true)?,
                        None => Vec::new(),
                    };
                    (Some(*position), self.patched(place(item), patches)?)
                }
            };
            parts.push((position, text));
        }
        self.joined(node, &items.iter().map(place).collect::<Vec<_>>(), &parts)
    }

    /// What stands between the brackets of a value, with other parts.
    fn joined(
        &self,
        node: &Node<'_>,
        places: &[Range<usize>],
        parts: &[(Option<usize>, String)],
    ) -> Result<Vec<Patch>, String> {
        let is_kept = parts.len() >= places.len()
            && places
                .iter()
                .enumerate()
                .all(|(position, _)| parts.get(position).is_some_and(|part| part.0 == Some(position)));
        let has_comment = self.has_comment(node, node.span.clone());
        if has_comment && (!is_kept || parts.len() > places.len()) {
            let line = node.line;
            return Err(format!("there is a comment within the brackets in line {line}; change them by hand"));
        }
        let start = node.span.start;
        let places: Vec<_> = places.iter().map(|place| place.start - start..place.end - start).collect();
        // The last comma may be followed by nothing, which `joined` keeps as it is.
        Ok(vec![(node.span.clone(), joined(self.part(node.span.clone()), &places, parts))])
    }

    fn block_map(
        &self,
        node: &Node<'_>,
        entries: &[(Node<'_>, Node<'_>)],
        set: &[(String, Change)],
        gone: &[String],
        end: usize,
    ) -> Result<Vec<Patch>, String> {
        let indent = entries.first().map_or(0, |(key, _)| self.column(key.begin));
        let last_end = node.end(self.text);
        let mut patches = Vec::new();
        let mut before_last_dropped = None;
        for (position, (key, value)) in entries.iter().enumerate() {
            let name = key.text();
            let next = entries.get(position + 1).map(|(key, _)| key.begin);
            if name.is_some_and(|name| gone.iter().any(|gone| gone == name)) {
                let stop = value.end(self.text).max(key.span.end);
                self.no_alias_to(&(key.begin..stop))?;
                match next {
                    Some(next) => patches.push((key.begin..next, String::new())),
                    None => before_last_dropped = Some(position),
                }
                continue;
            }
            let Some((_, change)) = name.and_then(|name| set.iter().find(|(key, _)| key == name)) else { continue };
            let after = self.behind_colon(key)?;
            patches.extend(self.value(value, change, after, next.unwrap_or(end), false)?);
        }

        let added: Vec<_> =
            set.iter().filter(|(name, _)| !entries.iter().any(|(key, _)| key.text() == Some(name))).collect();
        let at = self.end_of_lines(last_end, indent.saturating_sub(1)).min(end.max(last_end));
        let mut lines = String::new();
        if !added.is_empty() {
            // Who reads the map through an alias would get what is new as well.
            self.no_alias_to(&(node.span.start..node.span.start))?;
        }
        for (key, change) in added {
            let value = change.applied(&Datum::Null).ok_or(TOO_FANCY)?;
            lines.extend([" ".repeat(indent).as_str(), &entry(key, &value), self.line_break]);
        }
        if let Some(position) = before_last_dropped {
            // With the space before it, unless it is the only one.
            let (key, _) = entries.get(position).ok_or(TOO_FANCY)?;
            let line = self.lines.start(self.lines.at(key.begin));
            let is_alone = self.part(line..key.begin).trim().is_empty();
            let start = if is_alone && position > 0 { line } else { key.begin };
            let lines = if start == line { lines } else { lines.trim_start().to_owned() };
            // What goes before it reaches up to it.
            if let Some((range, _)) = patches.last_mut()
                && range.end > start
            {
                range.end = start;
            }
            patches.push((start..at, lines));
        } else if !lines.is_empty() {
            let is_ended = self.part(0..at).ends_with('\n');
            let lines =
                if is_ended { lines } else { format!("{}{}", self.line_break, lines.trim_end_matches(['\r', '\n'])) };
            patches.push((at..at, lines));
        }
        Ok(patches)
    }

    fn block_list(
        &self,
        node: &Node<'_>,
        items: &[Node<'_>],
        pieces: &[Piece],
        after: usize,
    ) -> Result<Vec<Patch>, String> {
        self.no_alias_to(&(node.span.start..node.span.start))?;
        let indent = self.column(node.span.start);
        let chunks = self.chunks(node, items, after, false)?;
        let kept = |piece: &Piece| match piece {
            Piece::Old(position, _) => Some(*position),
            Piece::New(_) => None,
        };
        self.no_alias_to_what_goes(&chunks, &pieces.iter().filter_map(kept).collect())?;
        let mut parts = String::new();
        let begin = chunks.first().map_or(0, |chunk| chunk.start);
        for piece in pieces {
            self.end_line(&mut parts, begin);
            match piece {
                Piece::New(value) => {
                    parts.extend([" ".repeat(indent).as_str(), "- ", &value_text(value, false), self.line_break]);
                }
                Piece::Old(position, change) => {
                    let (item, chunk) =
                        (items.get(*position).ok_or(TOO_FANCY)?, chunks.get(*position).ok_or(TOO_FANCY)?);
                    let dash = self.part(chunk.start..item.begin).rfind('-').ok_or(TOO_FANCY)?;
                    let patches = match change {
                        Some(change) => self.value(item, change, chunk.start + dash + 1, chunk.end, false)?,
                        None => Vec::new(),
                    };
                    parts.push_str(&self.patched(chunk.clone(), patches)?);
                }
            }
        }
        let end = chunks.last().map_or(begin, |chunk| chunk.end);
        if !self.part(0..end).ends_with('\n') {
            // The last line of the file had no end, and so it stays.
            parts.truncate(parts.trim_end_matches(['\r', '\n']).len());
        }
        Ok(vec![(begin..end, parts)])
    }
}

/// Where the scalars of a value stand.
fn gather(node: &Node<'_>, scalars: &mut Vec<Range<usize>>) {
    match &node.kind {
        Kind::Scalar { style: Style::Empty, .. } | Kind::Alias(_) => {}
        Kind::Scalar { .. } => scalars.push(node.span.clone()),
        Kind::List { items, .. } => items.iter().for_each(|item| gather(item, scalars)),
        Kind::Map { entries, .. } => entries.iter().for_each(|(key, value)| {
            gather(key, scalars);
            gather(value, scalars);
        }),
    }
}

//! A document with its records changed, so that all that is not changed stays as it is written. What a value in lines
//! becomes is in `block`, and what one in brackets becomes in `flow`.

use std::collections::HashSet;
use std::ops::Range;

use super::RecordsNode;
use super::document::{Document, Node, NodeKind, datum};
use super::write::{items, key_text, value_text};
use crate::file::formats::lines::{Lines, line_break};
use crate::file::model::FileModel;
use crate::file::model::edits::TextEdit;
use crate::nested::change::Change;
use crate::nested::datum::Datum;

/// Why a document is not edited.
pub(crate) const TOO_FANCY: &str =
    "its records are written in a way that cannot be edited; write them as a list with a `-` and lines `key: value`";

/// A part of the text, and what takes its place.
pub(crate) type Patch = (Range<usize>, String);

/// The text with its records changed.
pub(crate) fn edited<M: FileModel>(
    text: &str,
    document: &Document<'_>,
    place: &RecordsNode<'_, '_>,
    changes: &[TextEdit],
    created: &[Vec<Datum>],
) -> Result<String, String> {
    let editor = Editor { text, lines: Lines::of(text), line_break: line_break(text), document };
    let columns = M::FILE.columns;
    let new = |indent: &str| items(columns, created, indent, editor.line_break);
    let patches = match place {
        RecordsNode::Nothing | RecordsNode::NoKey => {
            let (head, indent) = M::FILE
                .list
                .map_or((String::new(), ""), |key| (format!("{}:{}", key_text(key), editor.line_break), "  "));
            let list = if created.is_empty() { format!("{indent}[]{}", editor.line_break) } else { new(indent) };
            let before = if text.is_empty() || text.ends_with('\n') { "" } else { editor.line_break };
            vec![(text.len()..text.len(), format!("{before}{head}{list}"))]
        }
        RecordsNode::Empty { .. } if created.is_empty() => Vec::new(),
        RecordsNode::Empty { key, value } => {
            editor.filled(key, value.begin.max(key.span.end), value.span.end, &new("  "))?
        }
        RecordsNode::List { list, items: [], .. } if created.is_empty() && list.span.start < text.len() => Vec::new(),
        RecordsNode::List { key: Some(key), list, items: [] } => {
            editor.filled(key, list.span.start, list.span.end, &new("  "))?
        }
        RecordsNode::List { key: None, list, items: [] } => {
            let end = editor.lines.start(editor.lines.at(list.span.end) + 1);
            let tail = text.get(list.span.end..end).unwrap_or_default();
            if !tail.trim().is_empty() {
                return Err(TOO_FANCY.into());
            }
            vec![(list.span.start..end, new(""))]
        }
        RecordsNode::List { list, .. } if !list.is_block() => {
            let is_kept = changes.iter().all(|change| !matches!(change, TextEdit::Drop));
            if !created.is_empty() || !is_kept {
                return Err(TOO_FANCY.into());
            }

            let mut patches = Vec::new();
            let NodeKind::List { items, .. } = &list.kind else { return Err(TOO_FANCY.into()) };
            for (item, change) in items.iter().zip(changes) {
                if let TextEdit::Set(record) = change {
                    patches.extend(editor.record(item, columns, &record.columns, list.span.end, true)?);
                }
            }
            patches
        }
        RecordsNode::List { key, list, items } => {
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

/// For each record whether it has comments, which go with it.
pub(super) fn commented(text: &str, document: &Document<'_>, place: &RecordsNode<'_, '_>) -> Vec<bool> {
    let RecordsNode::List { key, list, items } = place else { return Vec::new() };
    if !text.contains('#') || !list.is_block() {
        return Vec::new();
    }
    let editor = Editor { text, lines: Lines::of(text), line_break: line_break(text), document };
    let chunks = editor.chunks(list, items, key.map_or(0, |key| key.span.end), true).unwrap_or_default();
    let has_comment = |(chunk, item): (&Range<usize>, &Node<'_>)| {
        let mut marks = text.get(chunk.clone()).unwrap_or_default().match_indices('#').map(|(at, _)| chunk.start + at);
        marks.any(|at| {
            text.get(..at).is_some_and(|before| before.ends_with([' ', '\t', '\n'])) && !is_in_scalar(item, at)
        })
    };
    chunks.iter().zip(*items).map(has_comment).collect()
}

/// Whether a position is within a text of the node.
fn is_in_scalar(node: &Node<'_>, at: usize) -> bool {
    match &node.kind {
        NodeKind::Scalar { .. } => node.span.contains(&at),
        NodeKind::List { items, .. } => items.iter().any(|item| is_in_scalar(item, at)),
        NodeKind::Map { entries, .. } => {
            entries.iter().any(|(key, value)| is_in_scalar(key, at) || is_in_scalar(value, at))
        }
        NodeKind::Alias(_) => false,
    }
}

/// Which of the old items stay.
fn pieces_kept<T>(pieces: &[Option<(usize, T)>]) -> HashSet<usize> {
    pieces.iter().flatten().map(|(position, _)| *position).collect()
}

/// A document that is being edited.
pub(crate) struct Editor<'d, 'a> {
    pub(crate) text: &'a str,
    pub(crate) lines: Lines<'a>,
    pub(crate) line_break: &'static str,
    document: &'d Document<'a>,
}

impl Editor<'_, '_> {
    pub(crate) fn part(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// A part of the text with changes in it.
    pub(crate) fn patched(&self, range: Range<usize>, mut patches: Vec<Patch>) -> Result<String, String> {
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

    pub(crate) fn behind_colon(&self, key: &Node<'_>) -> Result<usize, String> {
        let colon = self.text.get(key.span.end..).and_then(|rest| rest.find(':')).ok_or(TOO_FANCY)?;
        Ok(key.span.end + colon + 1)
    }

    /// Makes sure that no alias elsewhere reads what is changed or goes.
    pub(crate) fn no_alias_to(&self, range: &Range<usize>) -> Result<(), String> {
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

    pub(crate) fn no_alias_to_what_goes(&self, chunks: &[Range<usize>], kept: &HashSet<usize>) -> Result<(), String> {
        if self.document.aliases.is_empty() {
            return Ok(());
        }
        let gone = chunks.iter().enumerate().filter(|(position, _)| !kept.contains(position));
        let gone: Vec<_> = gone.map(|(_, chunk)| chunk).collect();
        // Removed parts may refer to each other.
        gone.iter().try_for_each(|chunk| self.no_alias_outside(chunk, &gone))
    }

    /// The changes of a record.
    fn record(
        &self,
        item: &Node<'_>,
        columns: &[crate::file::model::schema::Column],
        changes: &[(usize, Change)],
        end: usize,
        in_flow: bool,
    ) -> Result<Vec<Patch>, String> {
        let named = |(at, change): &(usize, Change)| Some((columns.get(*at)?.name.to_owned(), change.clone()));
        let set: Vec<_> = changes.iter().filter_map(named).collect();
        match &item.kind {
            NodeKind::Map { is_flow: true, .. } => self.flow_map(item, &set, &[]),
            NodeKind::Map { entries, .. } if !in_flow => self.block_map(item, entries, &set, &[], end),
            _ => Err(format!(
                "line {}: the record is an alias, so a change would be one of another record as well; write it out",
                item.line
            )),
        }
    }

    /// The changes within a value. It may begin after `after`, and its lines end before `end`.
    pub(crate) fn value(
        &self,
        node: &Node<'_>,
        change: &Change,
        after: usize,
        end: usize,
        in_flow: bool,
    ) -> Result<Vec<Patch>, String> {
        match (change, &node.kind) {
            (Change::Map { set, gone }, NodeKind::Map { is_flow: true, .. }) => self.flow_map(node, set, gone),
            (Change::Map { set, gone }, NodeKind::Map { entries, .. }) => {
                let names: HashSet<_> = gone.iter().map(String::as_str).collect();
                let is_left = entries.iter().any(|(key, _)| key.text().is_none_or(|key| !names.contains(key)));
                if is_left || !set.is_empty() && self.is_own_line(node) {
                    self.block_map(node, entries, set, gone, end)
                } else {
                    self.replaced(node, &self.applied(change, node)?, after, in_flow)
                }
            }
            (Change::List(pieces), NodeKind::List { is_flow: true, items }) => self.flow_list(node, items, pieces),
            (Change::List(pieces), NodeKind::List { items, .. }) if !pieces.is_empty() && self.is_own_line(node) => {
                self.block_list(node, items, pieces, after)
            }
            (Change::Set(value), _) => self.replaced(node, value, after, in_flow),
            _ => self.replaced(node, &self.applied(change, node)?, after, in_flow),
        }
    }

    fn applied(&self, change: &Change, node: &Node<'_>) -> Result<Datum, String> {
        change.applied(&datum(node, &self.document.targets())).ok_or_else(|| TOO_FANCY.to_owned())
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
}

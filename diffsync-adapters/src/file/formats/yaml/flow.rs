//! Changes of maps and lists that are written in brackets.

use std::ops::Range;

use super::document::{Node, NodeKind, Style};
use super::edit::{Editor, Patch, TOO_FANCY};
use super::write::{key_text, value_text};
use crate::file::formats::json::joined;
use crate::nested::change::{Change, Piece};
use crate::nested::datum::Datum;

impl Editor<'_, '_> {
    pub(crate) fn flow_map(
        &self,
        node: &Node<'_>,
        set: &[(String, Change)],
        gone: &[String],
    ) -> Result<Vec<Patch>, String> {
        let NodeKind::Map { entries, .. } = &node.kind else { return Err(TOO_FANCY.into()) };
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

    pub(crate) fn flow_list(
        &self,
        node: &Node<'_>,
        items: &[Node<'_>],
        pieces: &[Piece],
    ) -> Result<Vec<Patch>, String> {
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

    /// The text between the brackets of a value, with other parts.
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

    /// Whether there is a comment in a part of the text that holds a value: a `#` after a space, outside of its scalars.
    pub(crate) fn has_comment(&self, node: &Node<'_>, range: Range<usize>) -> bool {
        let mut scalars = Vec::new();
        gather(node, &mut scalars);
        let text = self.part(range.clone());
        text.match_indices('#').map(|(at, _)| range.start + at).any(|at| {
            let is_spaced = self.part(0..at).ends_with([' ', '\t', '\n']);
            is_spaced && !scalars.iter().any(|scalar: &Range<usize>| scalar.contains(&at))
        })
    }
}

/// The positions of the scalars of a value.
fn gather(node: &Node<'_>, scalars: &mut Vec<Range<usize>>) {
    match &node.kind {
        NodeKind::Scalar { style: Style::Empty, .. } | NodeKind::Alias(_) => {}
        NodeKind::Scalar { .. } => scalars.push(node.span.clone()),
        NodeKind::List { items, .. } => items.iter().for_each(|item| gather(item, scalars)),
        NodeKind::Map { entries, .. } => entries.iter().for_each(|(key, value)| {
            gather(key, scalars);
            gather(value, scalars);
        }),
    }
}

//! Changes of maps and lists that are written in lines.

use std::ops::Range;

use super::document::Node;
use super::edit::{Editor, Patch, TOO_FANCY};
use super::write::{entry, value_text};
use crate::nested::change::{Change, Piece};
use crate::nested::datum::Datum;

impl Editor<'_, '_> {
    /// Ends the last line of a new text after this position.
    pub(crate) fn end_line(&self, new: &mut String, before: usize) {
        let is_ended =
            if new.is_empty() { before == 0 || self.part(0..before).ends_with('\n') } else { new.ends_with('\n') };
        if !is_ended {
            new.push_str(self.line_break);
        }
    }

    /// The space before the first thing on a line, if there is nothing but space.
    pub(crate) fn indent_of(&self, node: &Node<'_>) -> String {
        " ".repeat(self.column(node.begin))
    }

    pub(crate) fn column(&self, at: usize) -> usize {
        at - self.lines.start(self.lines.at(at))
    }

    fn line_at(&self, line: usize) -> &str {
        self.part(self.lines.start(line)..self.lines.start(line + 1))
    }

    fn is_comment(&self, line: usize) -> bool {
        self.line_at(line).trim_start().starts_with('#')
    }

    fn column_of(&self, line: usize) -> usize {
        let text = self.line_at(line);
        text.len() - text.trim_start_matches(' ').len()
    }

    /// Whether a block begins on a line of its own.
    pub(crate) fn is_own_line(&self, node: &Node<'_>) -> bool {
        self.part(self.lines.start(self.lines.at(node.span.start))..node.span.start).trim().is_empty()
    }

    /// Lines in the place of an empty list, or of a key's missing value.
    pub(crate) fn filled(&self, key: &Node<'_>, begin: usize, end: usize, new: &str) -> Result<Vec<Patch>, String> {
        let colon = self.behind_colon(key)?;
        let (begin, end) = (begin.max(colon), end.max(colon));
        let space = self.part(colon..begin);
        let next_line = self.lines.start(self.lines.at(end) + 1);
        let tail = self.part(end..next_line).trim_end_matches(['\r', '\n']);
        if !(tail.trim().is_empty() || tail.starts_with([' ', '\t']) && tail.trim_start().starts_with('#')) {
            return Err(TOO_FANCY.into());
        }

        // There may be comments between the key and an empty list in brackets.
        let head = space.trim_end();
        Ok(vec![(colon..next_line, format!("{head}{}{}{new}", tail.trim_end(), self.line_break))])
    }

    /// Brackets in the place of the last of a list or a map in lines.
    pub(crate) fn emptied(&self, behind_key: usize, range: Range<usize>, brackets: &str) -> Vec<Patch> {
        let head = self.part(behind_key..range.start);
        if head.trim() == ":" {
            return vec![(behind_key..range.end, format!(": {brackets}{}", self.line_break))];
        }
        // There are comments between them.
        let indent = " ".repeat(self.column(range.start) + 2);
        vec![(range, format!("{indent}{brackets}{}", self.line_break))]
    }

    /// The part of the text that each item of a list takes: its lines, with the comments right above it.
    pub(crate) fn chunks(
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

    pub(crate) fn block_map(
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
            // A removed entry before it ends here.
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

    pub(crate) fn block_list(
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

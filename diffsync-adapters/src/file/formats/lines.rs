//! The lines of a text.

/// How the first line of a text ends, which is how new lines do.
pub(crate) fn line_break(text: &str) -> &'static str {
    match text.find('\n') {
        Some(end) if text.get(..end).is_some_and(|line| line.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}

/// The lines of a text, each with its line break.
fn split(text: &str) -> Vec<(&str, &str)> {
    let lines = text.split_inclusive('\n');
    lines.map(|line| line.split_at(line.trim_end_matches(['\r', '\n']).len())).collect()
}

/// A text with the line breaks that its lines have in an old one; new lines get that of the first.
pub(crate) fn with_line_breaks_of(old: &str, new: &str) -> String {
    if !old.contains("\r\n") {
        return new.to_owned();
    }

    let (before, after) = (split(old), split(new));
    let default = line_break(old);
    let common = |(one, other): &(&(&str, &str), &(&str, &str))| one.0 == other.0;
    let head = before.iter().zip(&after).take_while(common).count();
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(common).count();
    let tail = tail.min(before.len() - head).min(after.len() - head);

    let mut text = String::with_capacity(old.len().max(new.len()) + after.len());

    // In the middle a line is the next old one of the same text.
    let mut at = head;
    for (position, (line, end)) in after.iter().enumerate() {
        text.push_str(line);
        if end.is_empty() {
            continue;
        }

        let from_end = after.len() - position;
        let same = if position < head {
            before.get(position)
        } else if from_end <= tail {
            before.get(before.len() - from_end)
        } else {
            let middle = before.get(at..before.len() - tail).unwrap_or_default();
            let found = middle.iter().take(1000).position(|(old, _)| old == line);
            found.and_then(|found| {
                at += found + 1;
                before.get(at - 1)
            })
        };
        text.push_str(same.map(|(_, end)| *end).filter(|end| !end.is_empty()).unwrap_or(default));
    }

    text
}

/// The positions of a text's lines.
pub(crate) struct Lines<'a> {
    pub(crate) text: &'a str,
    pub(crate) starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let behind_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(behind_breaks).collect() }
    }

    /// The line that a position is in, counted from nought.
    pub(crate) fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
    }

    pub(crate) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The line and the column of a position, both counted from one.
    pub(crate) fn place(&self, offset: usize) -> (u64, usize) {
        let line = self.at(offset);
        let before = self.text.get(self.start(line)..offset).unwrap_or_default();
        (u64::try_from(line + 1).unwrap_or_default(), before.chars().count() + 1)
    }
}

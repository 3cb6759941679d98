//! The lines of a text.

/// Where the lines of a text begin.
pub(super) struct Lines<'a> {
    pub(super) text: &'a str,
    pub(super) starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let behind_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(behind_breaks).collect() }
    }

    /// The line that a position is in, counted from nought.
    pub(super) fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
    }

    pub(super) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The line and the column of a position, both counted from one.
    pub(super) fn place(&self, offset: usize) -> (u64, usize) {
        let line = self.at(offset);
        let before = self.text.get(self.start(line)..offset).unwrap_or_default();
        (u64::try_from(line + 1).unwrap_or_default(), before.chars().count() + 1)
    }
}

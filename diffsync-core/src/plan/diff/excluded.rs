//! The records that take no part in a diff.

use fixedbitset::FixedBitSet;

use super::table_diff::TableDiff;
use crate::data::graph::add_descendants;

/// Rows that are excluded from the diff, by reason.
#[derive(Debug, Default, Clone)]
pub(super) struct Excluded {
    pub(super) rejected: FixedBitSet,
    pub(super) left_out: FixedBitSet,
}

impl Excluded {
    pub(super) fn rejected(rejected: FixedBitSet) -> Self {
        Self { left_out: FixedBitSet::with_capacity(rejected.len()), rejected }
    }

    pub(super) fn none_of(rows: usize) -> Self {
        Self::rejected(FixedBitSet::with_capacity(rows))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rejected.is_clear() && self.left_out.is_clear()
    }

    /// Counts a row if it is excluded, and returns whether it is. A rejected row counts as rejected, even if it is also left
    /// out.
    pub(super) fn counts(&self, row: usize, diff: &mut TableDiff) -> bool {
        if self.rejected.contains(row) {
            diff.rejected += 1;
        } else if self.left_out.contains(row) {
            diff.left_out += 1;
        } else {
            return false;
        }
        true
    }

    /// The two sets, each paired with that of `other`.
    pub(super) fn each<'a>(&'a mut self, other: &'a Self) -> [(&'a mut FixedBitSet, &'a FixedBitSet); 2] {
        [(&mut self.rejected, &other.rejected), (&mut self.left_out, &other.left_out)]
    }

    pub(super) fn sets(&mut self) -> [&mut FixedBitSet; 2] {
        [&mut self.rejected, &mut self.left_out]
    }

    /// Adds the descendants of each set's rows.
    pub(super) fn add_descendants(&mut self, parent: impl Fn(usize) -> Option<u32>) {
        for set in self.sets() {
            add_descendants(set, &parent);
        }
    }

    /// Excludes a row for the same reason as another row.
    pub(super) fn follow(&mut self, row: usize, other: &Self, at: Option<u32>) {
        let Some(at) = at else { return };
        for (mine, its) in self.each(other) {
            if its.contains(at as usize) {
                mine.insert(row);
            }
        }
    }
}

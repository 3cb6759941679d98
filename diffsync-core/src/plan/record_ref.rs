//! A record of a plan, named by its position.

use crate::data::dataset::At;
use crate::data::side::Side;

/// A record of a plan, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordRef {
    pub(crate) side: Side,
    pub(crate) at: At,
}

impl RecordRef {
    pub(crate) fn new(side: Side, model: usize, row: u32) -> Self {
        Self { side, at: At { model, row } }
    }

    /// The side whose record it is.
    #[must_use]
    pub fn side(self) -> Side {
        self.side
    }

    /// The position of the record in its table.
    pub(crate) fn row(self) -> u32 {
        self.at.row
    }

    /// The position of its model among the diff's tables.
    #[must_use]
    pub fn model(self) -> usize {
        self.at.model
    }
}

//! Flags: how a run treats single records or models.

use bitflags::bitflags;

bitflags! {
    /// What a run leaves alone of the records with these flags.
    ///
    /// They are set on a model (`#[sync(flags(skip_unmatched_dst))]`), on one table while it is loaded
    /// ([`Table::set_flags`](crate::Table::set_flags)), so that they can follow a variable, on one record
    /// ([`Table::flag`](crate::Table::flag)), or on a whole run; flags from all places are combined. The
    /// descendants of a record that is left out are left out, too. All flags act when the diff is calculated.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Flags: u8 {
        /// The record takes no part in the run.
        const IGNORE = 1;
        /// A record that only the source holds is not created.
        const SKIP_UNMATCHED_SRC = 1 << 1;
        /// A record that only the target holds is not deleted.
        const SKIP_UNMATCHED_DST = 1 << 2;
        /// A record that only one side holds is neither created nor deleted.
        const SKIP_UNMATCHED_BOTH = Self::SKIP_UNMATCHED_SRC.bits() | Self::SKIP_UNMATCHED_DST.bits();
        /// The target deletes the record's descendants by itself, so they are not deleted separately.
        const SKIP_CHILDREN_ON_DELETE = 1 << 3;
        /// The record is not deleted: its delete is held, and reported as such.
        const PREVENT_DESTROY = 1 << 4;
    }
}

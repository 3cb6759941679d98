//! Flags: what a run leaves alone.

use bitflags::bitflags;

bitflags! {
    /// What a run leaves alone of the records they are set on.
    ///
    /// They are set on a model (`#[sync(flags(skip_unmatched_dst))]`), on one table while it is loaded
    /// ([`Table::set_flags`](crate::Table::set_flags)), so that they can follow a variable, on one record
    /// ([`Table::flag`](crate::Table::flag)), or on a whole run; what is set anywhere holds. A record that is left out
    /// takes all that lives under it along. All of them act when the diff is calculated and are part of it.
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
        /// The target deletes what lives under the record together with it: those deletes are not asked for.
        const SKIP_CHILDREN_ON_DELETE = 1 << 3;
        /// The record is not deleted: its delete is held back, and said to be.
        const PREVENT_DESTROY = 1 << 4;
    }
}

//! Why an operation is held back.

use crate::plan::record_ref::RecordRef;

/// Why an operation was held back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldReason {
    /// A guard held back all operations of its kind.
    Guard,
    /// The record must not be deleted: `prevent_destroy`.
    PreventDestroy,
    /// The identifier of the record to delete differs from that of a new one only in case or surrounding space, so the system
    /// may treat the two as the same record.
    PossibleDuplicate {
        /// The new record.
        new: RecordRef,
    },
    /// A record could not be written because a unique value of it is taken, perhaps by the record to delete.
    Conflict {
        /// The record that could not be written.
        with: RecordRef,
    },
    /// The target stored another record under the identifier of the record to delete.
    WrittenOver {
        /// The record that the target stored.
        by: RecordRef,
    },
    /// The record to delete is under one that is held for a conflict, or because it was overwritten.
    Under {
        /// The record that is held.
        held: RecordRef,
    },
}

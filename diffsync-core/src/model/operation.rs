//! The operations on a record, and those that a target can do.

use std::fmt;

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// An operation on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Create it in the target.
    Create,
    /// Change attributes of the target's record.
    Update,
    /// Delete it from the target.
    Delete,
}

impl Operation {
    /// All operations, in the order in which they are executed.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        })
    }
}

bitflags! {
    /// The operations that a target can do with records of a model.
    ///
    /// All others are planned as unsupported: they are shown and counted as such, and never attempted.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Operations: u8 {
        /// It creates records.
        const CREATE = 1;
        /// It updates records.
        const UPDATE = 1 << 1;
        /// It deletes records.
        const DELETE = 1 << 2;
    }
}

impl Operations {
    /// Whether an operation is among them.
    #[must_use]
    pub const fn allow(self, operation: Operation) -> bool {
        self.contains(match operation {
            Operation::Create => Self::CREATE,
            Operation::Update => Self::UPDATE,
            Operation::Delete => Self::DELETE,
        })
    }
}

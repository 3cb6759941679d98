//! The undo plan of a run, and what it cannot restore.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SavedOperation;

/// The operations that undo a run, and what they cannot restore.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UndoPlan {
    pub(crate) operations: Vec<SavedOperation>,
    /// The records and values that it cannot restore.
    pub unrestorable: Vec<Unrestorable>,
}

impl UndoPlan {
    /// The number of operations.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.operations.len()
    }
}

#[cfg(feature = "testkit")]
impl UndoPlan {
    /// The plan as if it had been written and read.
    pub(crate) fn into_plan(self) -> super::SavedPlan {
        let header = super::PlanHeader::anonymous(super::PlanKind::Undo);
        super::SavedPlan { header, approvals: Vec::new(), unrestorable: self.unrestorable, operations: self.operations }
    }
}

/// Something that an undo plan does not restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unrestorable {
    /// What is not restored, and why.
    #[serde(rename = "lost")]
    pub reason: String,
    /// The model's name.
    pub model: String,
    /// The record's identifier, or `None` if it concerns the whole model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

impl fmt::Display for Unrestorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.record {
            Some(record) => write!(f, "{} {record}: {}", self.model, self.reason),
            None => write!(f, "{}: {}", self.model, self.reason),
        }
    }
}

//! The undo plan of a run.

#[cfg(feature = "testkit")]
use super::header::{PlanHeader, PlanKind};
use super::operation::SavedOperation;
#[cfg(feature = "testkit")]
use super::saved_plan::SavedPlan;
use super::unrestorable::Unrestorable;

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
    pub(crate) fn into_plan(self) -> SavedPlan {
        let header = PlanHeader::anonymous(PlanKind::Undo);
        SavedPlan { header, approvals: Vec::new(), unrestorable: self.unrestorable, operations: self.operations }
    }
}

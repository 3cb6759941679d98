//! A plan that was read from a file.

use super::header::PlanHeader;
use super::key::holds_secret;
use super::operation::SavedOperation;
use super::signature::Signature;
use super::unrestorable::Unrestorable;

/// A plan that was read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// Its job, kind and options.
    pub header: PlanHeader,
    /// The approvals since it was created.
    pub approvals: Vec<Signature>,
    /// What an undo plan cannot restore.
    pub unrestorable: Vec<Unrestorable>,
    pub(crate) operations: Vec<SavedOperation>,
}

impl SavedPlan {
    /// The number of operations.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// Whether it holds secrets, so that applying it needs the key that sealed them.
    #[must_use]
    pub fn holds_secrets(&self) -> bool {
        let mut values =
            self.operations.iter().flat_map(|operation| operation.before.values().chain(operation.after.values()));
        values.any(holds_secret)
    }
}

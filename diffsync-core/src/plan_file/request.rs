//! Applying a plan file, as an option of a run.

use std::sync::Arc;

use super::key::PlanKey;
use super::saved_plan::SavedPlan;

/// What to do on drift: with operations of a saved plan that no longer match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DriftPolicy {
    /// Refuse the run, and list them.
    #[default]
    Refuse,
    /// Skip them, and execute the others.
    Skip,
}

/// A saved plan to apply, as part of [`RunOptions`](crate::run::RunOptions).
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// The plan.
    pub plan: Arc<SavedPlan>,
    /// The key that sealed its secrets.
    pub key: PlanKey,
    /// What to do on drift.
    pub policy: DriftPolicy,
}

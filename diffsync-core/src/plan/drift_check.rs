//! The check of a saved plan for drift.

use crate::data::refusal::Drift;

/// What the check of a saved plan for drift found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DriftCheck {
    /// The number of operations that had already been applied.
    pub(crate) done: usize,
    /// The number of operations of an undo plan that the run's flags and filters leave out.
    pub(crate) left_out: usize,
    pub(crate) drift: Vec<Drift>,
}

//! How a saved plan fits the current state of the two systems.

use crate::data::refusal::Drift;

/// How the operations of a saved plan fit the current state of the two systems.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PlanFit {
    /// The number of operations that had already been applied.
    pub(crate) done: usize,
    /// The number of operations of an undo plan that the run's flags and filters leave out.
    pub(crate) left_out: usize,
    pub(crate) moved: Vec<Drift>,
}

//! How a saved plan fits what the two systems now hold.

use crate::data::refusal::Drift;

/// How the operations of a saved plan stand to what the two systems now hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PlanFit {
    /// The target holds already what these would bring about.
    pub(crate) done: usize,
    /// The run's flags and filters leave these out of what takes a run back.
    pub(crate) left_out: usize,
    pub(crate) moved: Vec<Drift>,
}

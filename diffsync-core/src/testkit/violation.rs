//! A law that a target breaks.

use thiserror::Error;

/// A law that a target breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{law}: {what} (seed {seed})")]
pub struct Violation {
    /// The law.
    pub law: &'static str,
    /// The seed of the data.
    pub seed: u64,
    /// What happened.
    pub what: String,
}

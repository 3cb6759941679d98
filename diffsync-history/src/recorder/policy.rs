//! What happens to a run whose history cannot be written.

/// What happens to a run whose history cannot be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HistoryPolicy {
    /// It is ended as a failure, and it writes to its target only once its diff is recorded.
    Required,
    /// It goes on. What could not be recorded is counted, and missing.
    #[default]
    BestEffort,
}

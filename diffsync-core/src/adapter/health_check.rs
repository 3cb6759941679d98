//! The health check of a system, before anything is loaded from it.

use serde::Serialize;

use crate::data::side::Side;

/// The results of a system's health check: whether it can be reached, accepts the login, grants the rights that the job
/// needs, and has a supported version.
///
/// ```
/// use diffsync_core::adapter::HealthCheck;
/// use diffsync_core::data::Side;
///
/// let mut health = HealthCheck::new(Side::Target);
/// health.passed("connection", "PostgreSQL 15.14");
/// health.failed("rights", "`inventory` may not write to `sites`; grant it INSERT, UPDATE and DELETE");
/// assert!(!health.is_healthy());
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct HealthCheck {
    side: Side,
    findings: Vec<CheckResult>,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The name of the check: `connection`, `login`, `rights`, `version`.
    pub what: String,
    /// Whether the check passed.
    pub passed: bool,
    /// What was found, and what to do if the check failed.
    pub detail: String,
}

impl HealthCheck {
    /// An empty health check for a system on this side.
    #[must_use]
    pub fn new(side: Side) -> Self {
        Self { side, findings: Vec::new() }
    }

    /// Which side the system is on: a target must also be writable.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Adds a check that passed.
    pub fn passed(&mut self, what: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(CheckResult { what: what.into(), passed: true, detail: detail.into() });
    }

    /// Adds a check that failed; the detail says what was found and what to do.
    pub fn failed(&mut self, what: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(CheckResult { what: what.into(), passed: false, detail: detail.into() });
    }

    /// The results, in the order of the checks; empty if the adapter checks nothing.
    #[must_use]
    pub fn findings(&self) -> &[CheckResult] {
        &self.findings
    }

    /// Whether no check failed.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.passed)
    }
}

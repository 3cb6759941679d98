//! A look at a system before anything is loaded from it.

use serde::Serialize;

use crate::data::side::Side;

/// What a look at one system found: whether it can be reached, lets us in, lets us do what is to be done, and is of a
/// version that is known.
///
/// ```
/// use diffsync_core::adapter::HealthCheck;
/// use diffsync_core::data::Side;
///
/// let mut checkup = HealthCheck::new(Side::Target);
/// checkup.passed("connection", "PostgreSQL 15.14");
/// checkup.failed("rights", "`inventory` may not write to `sites`; grant it INSERT, UPDATE and DELETE");
/// assert!(!checkup.is_healthy());
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct HealthCheck {
    side: Side,
    findings: Vec<CheckResult>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// What was looked at: `connection`, `login`, `rights`, `version`.
    pub what: String,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was seen; if it is not as it should be, what to do.
    pub detail: String,
}

impl HealthCheck {
    /// A checkup of a system that is to be this side.
    #[must_use]
    pub fn new(side: Side) -> Self {
        Self { side, findings: Vec::new() }
    }

    /// Which side the system is to be: a target must let itself be written to.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Takes note of something that is as it should be.
    pub fn passed(&mut self, what: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(CheckResult { what: what.into(), passed: true, detail: detail.into() });
    }

    /// Takes note of something that is not as it should be: what was seen, and what to do.
    pub fn failed(&mut self, what: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(CheckResult { what: what.into(), passed: false, detail: detail.into() });
    }

    /// What was looked at, in order. An adapter that looks at nothing finds nothing.
    #[must_use]
    pub fn findings(&self) -> &[CheckResult] {
        &self.findings
    }

    /// Whether nothing failed.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.passed)
    }
}

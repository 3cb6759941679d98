//! Who created or approved a plan file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// A name.
    pub by: String,
    /// A time, as in `2026-11-22T17:13:37Z`.
    pub at: String,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.by, self.at)
    }
}

//! What an undo plan cannot restore.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that an undo plan does not restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unrestorable {
    /// What is not restored, and why.
    #[serde(rename = "lost")]
    pub reason: String,
    /// The model's name.
    pub model: String,
    /// The record's identifier, or `None` if it concerns the whole model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

impl fmt::Display for Unrestorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.record {
            Some(record) => write!(f, "{} {record}: {}", self.model, self.reason),
            None => write!(f, "{}: {}", self.model, self.reason),
        }
    }
}

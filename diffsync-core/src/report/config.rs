//! A job's configuration in the report.

use serde::Serialize;
use serde_json::Value;

/// One line of a job's configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfigItem {
    /// Its name.
    pub name: String,
    /// Its help text.
    pub help: String,
    /// Its value.
    pub value: Value,
}

//! How a job was set up.

use serde::Serialize;
use serde_json::Value;

/// One line of a job's configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfigItem {
    /// What it is called.
    pub name: String,
    /// What it means.
    pub help: String,
    /// Its value.
    pub value: Value,
}

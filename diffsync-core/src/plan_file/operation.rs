//! One operation of a plan file.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::operation::Operation;

/// One operation of a saved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedOperation {
    pub(crate) op: Operation,
    pub(crate) model: String,
    pub(crate) id: Value,
    /// Whether the target does it by itself, with the record's parent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cascaded: bool,
    /// The values in the target: all values of a deleted record, or the changing values of an updated one.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) before: Map<String, Value>,
    /// The values that are written.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) after: Map<String, Value>,
}

/// An identifier as it is in the file, for messages about models that are not known.
pub(crate) fn id_text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

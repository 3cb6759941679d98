//! Identifiers without the case and the space that many systems ignore.

use serde_json::Value;

/// A value with each of its texts folded.
pub(crate) fn folded(value: &Value, fold: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(fold(text)),
        Value::Array(values) => values.iter().map(|value| folded(value, fold)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), folded(value, fold)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// A text in lower case.
pub(crate) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

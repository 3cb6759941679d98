//! Paths in JSON bodies: `custom_fields.external_id`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The row with only the fields that are needed.
pub(crate) fn retain(row: Value, needs: &BTreeSet<String>) -> Value {
    match row {
        Value::Object(mut fields) => {
            fields.retain(|name, _| needs.contains(name));
            Value::Object(fields)
        }
        other => other,
    }
}

/// The value at a path through objects.
pub(crate) fn get<'a, S: AsRef<str>>(row: &'a Value, at: &[S]) -> Option<&'a Value> {
    at.iter().try_fold(row, |value, step| value.get(step.as_ref()))
}

/// Sets the value at a path through objects, which are created where they are missing.
pub(crate) fn set<S: AsRef<str>>(body: &mut Map<String, Value>, at: &[S], value: Value) {
    let Some((first, rest)) = at.split_first() else { return };
    if rest.is_empty() {
        body.insert(first.as_ref().to_owned(), value);
        return;
    }

    let inner = body.entry(first.as_ref()).or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        set(inner, rest, value);
    }
}

/// A value as it is written in a URL, or as a key.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

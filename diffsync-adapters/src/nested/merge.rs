//! Changes in a stored JSON document.

use serde_json::Value;

use super::change::in_place;
use super::json::{changed, datum};

/// The document that replaces the stored one. `before` is its value as the field's type reads it, and `after` is the new
/// value, both as the type writes them: a key that is in neither stays, and so does a value that is the same in both.
///
/// # Errors
///
/// If it is unclear where in the new value the unknown keys belong. The text is a sentence with the column as its subject.
pub(crate) fn merged_text(stored: &str, before: &str, after: &str) -> Result<String, String> {
    let stored = stored.trim();
    let read = |text| datum(text).map_err(|error| format!("holds JSON that cannot be changed in part: {error}"));
    let (written, before, after) = (read(stored)?, read(before)?, read(after)?);

    let Some(change) = in_place(&written, before, after, false)? else { return Ok(stored.to_owned()) };
    changed(stored, &change).map_err(|error| format!("cannot be changed in part: {error}"))
}

/// The same for values.
#[cfg_attr(not(feature = "rest"), allow(dead_code, reason = "only the bodies of JSON APIs are values"))]
pub(crate) fn merged(stored: &Value, before: &Value, after: &Value) -> Result<Value, String> {
    let text = merged_text(&stored.to_string(), &before.to_string(), &after.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("cannot be changed in part: {error}"))
}

/// Whether a value is an object or a list that holds one: only there can be keys that a type does not know.
#[cfg_attr(not(feature = "rest"), allow(dead_code, reason = "only the bodies of JSON APIs are values"))]
pub(crate) fn has_keys(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(has_keys),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_keeps_the_keys_and_the_digits_that_its_type_does_not_know() {
        let check = |stored: &str, before: &str, after: &str, expected: &str| {
            assert_eq!(merged_text(stored, before, after).as_deref(), Ok(expected));
        };
        check(
            r#" {"floor": 12345678901234567890123, "city": "ams", "at": {"x": 1.50}} "#,
            r#"{"city":"ams"}"#,
            r#"{"city":"fra"}"#,
            r#"{"floor": 12345678901234567890123, "city": "fra", "at": {"x": 1.50}}"#,
        );
        check(r#"{"a": 1, "x": 2}"#, r#"{"a":1}"#, "null", "null");
        check(r#"[{"n": 1, "x": 2}]"#, r#"[{"n":1}]"#, r#"[{"n":0},{"n":1}]"#, r#"[{"n":0}, {"n": 1, "x": 2}]"#);
        // A value that is unchanged for the type keeps its text.
        check(r#"{"a": 1.0}"#, r#"{"a":1.0}"#, r#"{"a":1.0}"#, r#"{"a": 1.0}"#);
    }

    #[test]
    fn unknown_keys_in_items_that_cannot_be_told_apart_are_an_error() {
        let error =
            merged(&json!([{"n": "b", "x": 1}, {"n": "a"}]), &json!([{"n": "a"}, {"n": "b"}]), &json!([{"n": "a"}]));
        assert_eq!(
            error,
            Err("holds a list with keys that the model does not know, and it is unclear which items of it change; \
                 change it by hand"
                .to_owned())
        );
        assert!(has_keys(&json!([1, [{}]])) && !has_keys(&json!([1, ["{}"]])));
    }
}

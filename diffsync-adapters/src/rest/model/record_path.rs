//! The paths of records: that of the collection, with the key as its last segment.

use diffsync_core::adapter::TargetError;
use serde_json::Value;

use super::RestModel;
use super::json_path::plain;

/// The path of a record.
pub(crate) fn path_of<M: RestModel>(record: &M) -> Result<String, TargetError> {
    Ok(format!("{}/{}", M::REST.path, segment(&key_of(record)?)?))
}

/// The server's key of a record that it has.
pub(crate) fn key_of<M: RestModel>(record: &M) -> Result<Value, TargetError> {
    let key = record.remote_key()?;
    if key.is_null() {
        return Err(TargetError::new(format!("the server returned no key for the {} when it was read", M::NAME)));
    }
    Ok(key)
}

/// A key as one segment of a path.
pub(crate) fn segment(key: &Value) -> Result<String, TargetError> {
    let text = plain(key);
    if matches!(text.as_str(), "" | "." | "..") {
        return Err(TargetError::new(format!("the key {text:?} cannot be part of a URL")));
    }

    let encoded = text.bytes().map(|byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_.~:@".contains(&byte);
        if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    Ok(encoded.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_one_segment_of_a_path_whatever_it_holds() {
        let written = |key: Value| segment(&key).map_err(|error| error.to_string());
        assert_eq!(written(json!(7)), Ok("7".into()));
        assert_eq!(written(json!("a-b_c.d~e:f@g")), Ok("a-b_c.d~e:f@g".into()));
        assert_eq!(written(json!("a/b?c#d%e ü")), Ok("a%2Fb%3Fc%23d%25e%20%C3%BC".into()));
        for key in ["", ".", ".."] {
            assert_eq!(written(json!(key)), Err(format!("the key {key:?} cannot be part of a URL")));
        }
    }
}

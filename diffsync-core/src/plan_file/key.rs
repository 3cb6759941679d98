//! The key that seals secrets, so that a saved plan can compare them without showing them.

use std::fmt::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use thiserror::Error;

use crate::model::schema::{Comparison, FieldSchema, ModelSchema};
use crate::value::canonical::order;
use crate::value::secret::{SEALED, Seal, sealed};

/// The shortest key, in bytes.
const SHORTEST: usize = 16;

/// The key that seals the secrets of a saved plan. The file holds an HMAC-SHA-256 (RFC 2104) of each, which also depends on
/// the record and the attribute, so that equal secrets do not look equal.
#[derive(Clone, PartialEq, Eq)]
pub struct PlanKey(Arc<[u8]>);

/// A key that is too short to keep a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the key for plan files has {0} bytes, but needs at least {SHORTEST}")]
pub struct KeyTooShort(usize);

impl PlanKey {
    /// A key of at least 16 bytes; 32 random ones are best.
    ///
    /// # Errors
    ///
    /// If it is shorter.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyTooShort> {
        if bytes.len() < SHORTEST { Err(KeyTooShort(bytes.len())) } else { Ok(Self(bytes.into())) }
    }

    /// Seals the secrets of an attribute of a record. A secret without an order has the same seal in any order.
    fn seal(&self, model: &'static str, id: &Arc<str>, attribute: &'static str, has_order: bool) -> Seal {
        let (key, id) = (self.clone(), Arc::clone(id));
        Rc::new(move |secret| {
            let mut secret = secret.clone();
            if !has_order {
                sort(&mut secret);
            }

            // The parts are in a JSON array, so that no two lists of parts give the same text.
            let parts = serde_json::json!([model, &*id, attribute, secret]).to_string();

            let mut text = String::with_capacity(64);
            for byte in key.hmac(parts.as_bytes()) {
                // Writing to a string does not fail.
                let _ = write!(text, "{byte:02x}");
            }
            text
        })
    }

    /// Reads an attribute of a record as a saved plan holds it: with its secrets sealed, and sorted if it has no order.
    pub(crate) fn read(
        &self,
        schema: &'static ModelSchema,
        id: &Arc<str>,
        position: usize,
        read: impl Fn(usize) -> Result<Value, serde_json::Error>,
    ) -> Result<Value, serde_json::Error> {
        let mut value = self.read_as_it_is(schema, id, position, read)?;
        in_one_order(&schema.attributes[position], &mut value);
        Ok(value)
    }

    /// Reads an attribute of a record in its own order, so that it can be restored.
    pub(crate) fn read_as_it_is(
        &self,
        schema: &'static ModelSchema,
        id: &Arc<str>,
        position: usize,
        read: impl Fn(usize) -> Result<Value, serde_json::Error>,
    ) -> Result<Value, serde_json::Error> {
        let attribute = &schema.attributes[position];
        sealed(&self.seal(schema.name, id, attribute.name, has_order(attribute)), || read(position))
    }

    fn hmac(&self, bytes: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for PlanKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlanKey([secret])")
    }
}

/// Whether the order of an attribute's values matters. Sets are always written in a fixed order.
fn has_order(attribute: &FieldSchema) -> bool {
    !matches!(attribute.comparison, Comparison::Unordered | Comparison::Contains)
}

/// Sorts a value that has no order, so that it can be compared.
pub(crate) fn in_one_order(attribute: &FieldSchema, value: &mut Value) {
    if !has_order(attribute) {
        sort(value);
    }
}

fn sort(value: &mut Value) {
    match value {
        Value::Array(values) => {
            values.iter_mut().for_each(sort);
            values.sort_by(order);
        }
        Value::Object(entries) => entries.values_mut().for_each(sort),
        _ => {}
    }
}

/// Whether a value from a saved plan holds a sealed secret.
pub(crate) fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Object(entries) => entries.contains_key(SEALED) || entries.values().any(holds_secret),
        Value::Array(values) => values.iter().any(holds_secret),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_seal_depends_on_key_record_attribute_and_secret() {
        let key = PlanKey::new(b"0123456789abcdef").unwrap();
        let other = PlanKey::new(b"0123456789abcdeF").unwrap();
        let seal =
            |key: &PlanKey, id: &str, attribute, secret| key.seal("country", &id.into(), attribute, true)(&secret);
        let first = seal(&key, "france", "community", json!("hunter2"));
        assert_eq!(first, seal(&key, "france", "community", json!("hunter2")));
        for different in [
            seal(&other, "france", "community", json!("hunter2")),
            seal(&key, "niue", "community", json!("hunter2")),
            seal(&key, "france", "password", json!("hunter2")),
            seal(&key, "france", "community", json!("hunter3")),
        ] {
            assert_ne!(first, different);
        }
    }

    #[test]
    fn a_secret_without_order_has_one_seal_in_every_order() {
        let key = PlanKey::new(b"0123456789abcdef").unwrap();
        let seal = |secret, has_order| key.seal("country", &"france".into(), "keys", has_order)(&secret);
        assert_eq!(seal(json!(["a", "b"]), false), seal(json!(["b", "a"]), false));
        assert_ne!(seal(json!(["a", "b"]), false), seal(json!(["a", "c"]), false));
        assert_ne!(seal(json!(["a", "b"]), true), seal(json!(["b", "a"]), true));
    }

    #[test]
    fn what_has_no_order_is_sorted_at_every_depth() {
        let mut value = json!({"b": [3, 1, [2, 1]], "a": ["x", null]});
        sort(&mut value);
        assert_eq!(value, json!({"b": [1, 3, [1, 2]], "a": [null, "x"]}));
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_shown() {
        assert_eq!(
            PlanKey::new(b"short").unwrap_err().to_string(),
            "the key for plan files has 5 bytes, but needs at least 16"
        );
        assert_eq!(format!("{:?}", PlanKey::new(b"0123456789abcdef").unwrap()), "PlanKey([secret])");
    }
}

//! Choices, which GraphQL spells as constants: `A_10GBASE_X_SFPP` for `10gbase-x-sfpp`.
//!
//! A constant cannot be turned back, since many letters become `_`. So REST is asked for one record of each constant, and
//! says what it means.

use std::collections::{BTreeMap, BTreeSet};

use diffsync_core::adapter::AdapterError;
use serde_json::Value;

use crate::rest::Client;

/// How many records are asked for at once, so that the URL stays well below the 8,000 bytes at which servers hang up.
const RECORDS: usize = 100;

/// Replaces the constants in these fields of the rows by what REST gives, and says whether that could be done: not if the
/// records changed since, or a constant is not made of the letters of its value.
pub(super) async fn spell_out(
    client: &Client,
    path: &str,
    fields: &BTreeSet<&str>,
    rows: &mut [Value],
) -> Result<bool, AdapterError> {
    let mut examples: BTreeMap<(&str, String), String> = BTreeMap::new();
    for row in rows.iter() {
        let Some(key) = row.get("id").and_then(Value::as_str) else { continue };
        for field in fields {
            if let Some(constant) = row.get(*field).and_then(Value::as_str) {
                examples.entry((*field, constant.to_owned())).or_insert_with(|| key.to_owned());
            }
        }
    }

    let keys: Vec<&String> = examples.values().collect::<BTreeSet<_>>().into_iter().collect();
    let mut records = Vec::new();
    for keys in keys.chunks(RECORDS) {
        let mut request = client.get(path).query("depth", "0").query("limit", "1000");
        for key in keys {
            request = request.query("id", key);
        }
        let mut body = request.send().await?.body;
        match body.get_mut("results").map(Value::take) {
            Some(Value::Array(results)) => records.extend(results),
            _ => return Err(AdapterError::new(format!("the answer for `{path}` holds no `results`"))),
        }
    }

    let mut meanings: BTreeMap<(&str, String), Value> = BTreeMap::new();
    for ((field, constant), key) in examples {
        let record = records.iter().find(|record| record.get("id").and_then(Value::as_str) == Some(&key));
        let Some(meaning) = record.and_then(|record| record.get(field)) else { return Ok(false) };
        let value = meaning.get("value").unwrap_or(meaning);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !is_spelled(&value, &constant) {
            return Ok(false);
        }
        meanings.insert((field, constant), meaning.clone());
    }

    for row in rows {
        for field in fields {
            let Some(place) = row.get_mut(*field) else { continue };
            let Some(constant) = place.as_str().map(str::to_owned) else { continue };
            if let Some(meaning) = meanings.get(&(*field, constant)) {
                *place = meaning.clone();
            }
        }
    }

    Ok(true)
}

/// Whether a constant may stand for a value: whether their letters and digits are the same.
fn is_spelled(value: &str, constant: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
    };
    let (value, constant) = (letters(value), letters(constant));
    // A constant begins with no digit: `A_` is put before it.
    value == constant || Some(value.as_str()) == constant.strip_prefix('A') || !value.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stands_for_values_of_the_same_letters() {
        assert!(is_spelled("10gbase-x-sfpp", "A_10GBASE_X_SFPP"));
        assert!(is_spelled("America/New_York", "AMERICA_NEW_YORK"));
        assert!(is_spelled("network", "NETWORK"));
        assert!(is_spelled("19", "A_19"));
        assert!(!is_spelled("container", "NETWORK"));
        assert!(!is_spelled("1000base-t", "A_10GBASE_T"));
    }
}

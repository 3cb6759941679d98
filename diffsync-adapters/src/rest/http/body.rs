//! A page of rows, read without the fields that are not needed: these are skipped before they take any memory.
//!
//! As a [`Value`], even a small object takes some 700 bytes. So rows that are only iterated are packed: each is JSON text
//! until its turn.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Filters a body: keeps the needed fields of its rows, and everything besides the rows.
#[derive(Debug, Clone)]
pub(crate) struct RowFilter {
    /// The way to the rows.
    at: Arc<[String]>,
    /// The fields of a row that are needed.
    needs: Arc<BTreeSet<String>>,
    /// Whether the rows are packed.
    packs: bool,
}

impl RowFilter {
    /// A filter for rows at a JSON pointer, with the fields that are needed.
    pub(crate) fn new(rows: &str, needs: &BTreeSet<String>) -> Self {
        let steps = rows.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        Self { at: steps.collect(), needs: Arc::new(needs.clone()), packs: false }
    }

    /// The same with packed rows.
    pub(crate) fn packed(self) -> Self {
        Self { packs: true, ..self }
    }

    /// Reads a body.
    pub(crate) fn read(&self, body: &[u8]) -> Result<Value, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let value = Body { at: &self.at, row: Row { needs: &self.needs, packs: self.packs } }.deserialize(&mut json)?;
        json.end()?;
        Ok(value)
    }
}

/// A value on the path to the rows, or their list.
#[derive(Clone, Copy)]
struct Body<'a> {
    at: &'a [String],
    row: Row<'a>,
}

/// A row with the fields that are needed.
#[derive(Clone, Copy)]
struct Row<'a> {
    needs: &'a BTreeSet<String>,
    packs: bool,
}

/// A row as it was before it was packed.
pub(crate) fn unpacked(row: &Value) -> Cow<'_, Value> {
    match row {
        // Only objects are packed; a text that is a row of its own stays one.
        Value::String(text) => serde_json::from_str(text).map_or(Cow::Borrowed(row), Cow::Owned),
        row => Cow::Borrowed(row),
    }
}

macro_rules! scalars {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }

        fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
            Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
        }

        fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_unit<E: Error>(self) -> Result<Value, E> {
            Ok(Value::Null)
        }
    };
}

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = Value;

    scalars!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        if self.at.is_empty() {
            while let Some(row) = items.next_element_seed(self.row)? {
                all.push(row);
            }
        } else {
            while let Some(item) = items.next_element()? {
                all.push(item);
            }
        }

        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let value = match self.at.split_first() {
                Some((first, rest)) if *first == name => fields.next_value_seed(Body { at: rest, ..self })?,
                _ => fields.next_value()?,
            };
            all.insert(name, value);
        }

        Ok(Value::Object(all))
    }
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Value;

    scalars!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if self.needs.contains(&name) {
                all.insert(name, fields.next_value()?);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }

        let row = Value::Object(all);
        Ok(if self.packs { Value::String(row.to_string()) } else { row })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_rows_what_is_needed_is_kept_and_of_all_else_everything() {
        let needs = ["id", "tags"].map(str::to_owned).into_iter().collect();
        let read = |rows: &str, body: Value| RowFilter::new(rows, &needs).read(body.to_string().as_bytes()).unwrap();
        let row = json!({"id": 1, "tags": [{"id": 2, "name": "a"}], "name": "x", "more": {"id": 3}});
        let kept = json!({"id": 1, "tags": [{"id": 2, "name": "a"}]});
        assert_eq!(read("", json!([row, 7, null, "a", [1]])), json!([kept, 7, null, "a", [1]]));
        assert_eq!(
            read("/data/rows", json!({"count": 1, "data": {"rows": [row], "name": "n"}})),
            json!({"count": 1, "data": {"rows": [kept], "name": "n"}})
        );
        for other in [json!({"detail": [row]}), json!("x"), json!(1.5), json!(-1), json!(true), json!(null)] {
            assert_eq!(read("/results", other.clone()), other);
        }
        let packed = RowFilter::new("", &needs).packed().read(json!([row, 7, "a"]).to_string().as_bytes()).unwrap();
        let rows: Vec<Value> = packed.as_array().unwrap().iter().map(|row| unpacked(row).into_owned()).collect();
        assert_eq!(json!(rows), json!([kept, 7, "a"]));
        assert!(packed[0].is_string());
        assert!(RowFilter::new("", &needs).read(b"[1] 2").is_err() && RowFilter::new("", &needs).read(b"[{").is_err());
    }
}

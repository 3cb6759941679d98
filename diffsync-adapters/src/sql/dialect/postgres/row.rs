//! Rows as they are read.

use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres as Driver, Row as _, TypeInfo, ValueRef};

use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind, whole_or_text};

impl Row for PgRow {
    fn value(&self, position: usize, kind: ValueKind) -> Result<Value<'_>, String> {
        let unreadable = |error: &dyn std::fmt::Display| format!("cannot be read: {error}");
        let raw = self.try_get_raw(position).map_err(|error| unreadable(&error))?;
        if raw.is_null() {
            return Ok(Value::Null);
        }

        let bytes = raw.as_bytes().map_err(|error| unreadable(&error))?;
        let is_plain_text = raw.type_info().name() == "TEXT" || raw.type_info().name() == "VARCHAR";
        if is_plain_text {
            let text = std::str::from_utf8(bytes).map_err(|error| unreadable(&error))?;
            return whole_or_text(text, kind);
        }

        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        Ok(match raw.type_info().name() {
            "INT2" | "INT4" | "INT8" => {
                // The sign is in the first of these bytes.
                let shift = 64 - 8 * u32::try_from(bytes.len().clamp(1, 8)).unwrap_or(8);
                Value::Int((number(bytes) << shift).cast_signed() >> shift)
            }
            "BOOL" => Value::Bool(bytes.first() == Some(&1)),
            "FLOAT4" => {
                Value::Float(<f32 as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?.into())
            }
            "FLOAT8" => Value::Float(<f64 as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?),
            _ => Value::Bytes(bytes.into()),
        })
    }
}

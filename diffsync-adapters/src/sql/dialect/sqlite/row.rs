//! Rows as they are read.

use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite as Driver, TypeInfo, ValueRef};

use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind};

impl Row for SqliteRow {
    fn value(&self, position: usize, kind: ValueKind) -> Result<Value<'_>, String> {
        let unreadable = |error: &dyn std::fmt::Display| format!("cannot be read: {error}");
        let raw = self.try_get_raw(position).map_err(|error| unreadable(&error))?;
        if raw.is_null() {
            return Ok(Value::Null);
        }

        let is_text = matches!(kind, ValueKind::Text | ValueKind::Json | ValueKind::Uuid);
        let info = raw.type_info();
        match info.name() {
            "INTEGER" => {
                let value = <i64 as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?;
                // A column without a type of its own may hold the number that a text looks like.
                Ok(if is_text { Value::Text(value.to_string().into()) } else { Value::Int(value) })
            }
            "REAL" => {
                let value = <f64 as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?;
                Ok(if is_text { Value::Text(value.to_string().into()) } else { Value::Float(value) })
            }
            "TEXT" => {
                Ok(Value::Text(<&str as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?.into()))
            }
            _ => {
                Ok(Value::Bytes(<&[u8] as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?.into()))
            }
        }
    }
}

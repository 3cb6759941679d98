//! Encodes the fields of a model as values of columns, and decodes them.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use diffsync_core::value::{Secret, exposed};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::schema::{Place, SqlTable};
use super::value::{SqlType, Value, ValueKind};

/// A way to store a `T` in a column: as it is, as JSON or as a text.
pub trait Encoding<T> {
    /// The kind of value in the column.
    const KIND: ValueKind;
    /// Whether the column may hold null.
    const NULLABLE: bool;
    /// Whether the value is never shown.
    const SECRET: bool;

    /// The value to store in the column.
    fn encode(value: &T) -> Result<Value<'_>, String>;

    /// The field's value from that of the column.
    fn decode(value: Value<'_>) -> Result<T, String>;
}

/// As it is.
#[derive(Debug)]
pub enum Plain {}

/// `as = json`.
#[derive(Debug)]
pub enum Json {}

/// `as = text`.
#[derive(Debug)]
pub enum Text {}

/// An `Option` whose value has the encoding `F`.
#[derive(Debug)]
pub struct Optional<F>(F);

/// A secret whose value has the encoding `F`.
#[derive(Debug)]
pub struct Sensitive<F>(F);

impl<T: SqlType> Encoding<T> for Plain {
    const KIND: ValueKind = T::KIND;
    const NULLABLE: bool = T::NULLABLE;
    const SECRET: bool = T::SECRET;

    #[inline]
    fn encode(value: &T) -> Result<Value<'_>, String> {
        Ok(value.to_sql())
    }

    #[inline]
    fn decode(value: Value<'_>) -> Result<T, String> {
        T::from_sql(value)
    }
}

impl<T: Serialize + DeserializeOwned> Encoding<T> for Json {
    const KIND: ValueKind = ValueKind::Json;
    const NULLABLE: bool = false;
    const SECRET: bool = false;

    fn encode(value: &T) -> Result<Value<'_>, String> {
        // This is where its secrets belong.
        let text = serde_json::to_string(&exposed(value)).map_err(|error| format!("cannot be JSON: {error}"))?;
        // A NaN becomes null, and would not be read back.
        if text.contains("null") && serde_json::from_str::<T>(&text).is_err() {
            return Err("holds a number that JSON cannot hold".to_owned());
        }
        Ok(Value::Text(text.into()))
    }

    fn decode(value: Value<'_>) -> Result<T, String> {
        match value {
            Value::Text(text) => {
                serde_json::from_str(&text).map_err(|error| format!("is not the JSON expected: {error}"))
            }
            other => Err(other.type_mismatch("JSON")),
        }
    }
}

impl<T> Encoding<T> for Text
where
    T: Display + FromStr,
    T::Err: Display,
{
    const KIND: ValueKind = ValueKind::Text;
    const NULLABLE: bool = false;
    const SECRET: bool = false;

    fn encode(value: &T) -> Result<Value<'_>, String> {
        Ok(Value::Text(value.to_string().into()))
    }

    fn decode(value: Value<'_>) -> Result<T, String> {
        match value {
            Value::Text(text) => {
                text.parse().or_else(|error| host(&text).ok_or_else(|| format!("is {text:?}: {error}")))
            }
            other => Err(other.type_mismatch("a text")),
        }
    }
}

/// The network of one host, whose address a database shows without a mask.
fn host<T: FromStr>(text: &str) -> Option<T> {
    let address: IpAddr = text.parse().ok()?;
    let length = if address.is_ipv4() { 32 } else { 128 };
    format!("{text}/{length}").parse().ok()
}

impl<T, F: Encoding<T>> Encoding<Option<T>> for Optional<F> {
    const KIND: ValueKind = F::KIND;
    const NULLABLE: bool = true;
    const SECRET: bool = F::SECRET;

    fn encode(value: &Option<T>) -> Result<Value<'_>, String> {
        value.as_ref().map_or(Ok(Value::Null), F::encode)
    }

    fn decode(value: Value<'_>) -> Result<Option<T>, String> {
        if value == Value::Null { Ok(None) } else { F::decode(value).map(Some) }
    }
}

impl<T, F: Encoding<T>> Encoding<Secret<T>> for Sensitive<F> {
    const KIND: ValueKind = F::KIND;
    const NULLABLE: bool = F::NULLABLE;
    const SECRET: bool = true;

    fn encode(value: &Secret<T>) -> Result<Value<'_>, String> {
        F::encode(value.expose()).map_err(|_| "holds a secret that cannot be stored".into())
    }

    fn decode(value: Value<'_>) -> Result<Secret<T>, String> {
        // The inner error would quote the value that it did not expect.
        F::decode(value).map(Secret::new).map_err(|_| "holds a secret that is not of the type it must be".into())
    }
}

/// Reads the values of a row.
pub(crate) trait Row {
    /// The value at this position of what was selected, as one of this kind.
    fn value(&self, position: usize, kind: ValueKind) -> Result<Value<'_>, String>;
}

/// A row of a model's table, as the derive reads it.
#[allow(missing_debug_implementations, reason = "it may hold secrets")]
pub struct Fields<'a> {
    row: &'a dyn Row,
    table: &'static SqlTable,
}

/// Why a field could not be read.
#[derive(Debug)]
pub struct FieldError {
    /// The field.
    pub(crate) field: usize,
    /// A sentence whose subject is the column.
    pub(crate) reason: String,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(row: &'a dyn Row, table: &'static SqlTable) -> Self {
        Self { row, table }
    }

    /// Reads a field.
    #[inline]
    pub fn read<F: Encoding<T>, T>(&self, field: usize) -> Result<T, FieldError> {
        let failed = |reason| FieldError { field, reason };
        let value = self.row.value(field, F::KIND).map_err(|reason| {
            failed(if F::SECRET { "holds a secret that is not of the type it must be".into() } else { reason })
        })?;
        if value == Value::Null
            && let Some(dangling) = self.dangling(field)
        {
            return Err(failed(dangling));
        }

        F::decode(value).map_err(failed)
    }

    /// The error of a foreign key that is not null and leads nowhere.
    fn dangling(&self, field: usize) -> Option<String> {
        let Place::Lookup(lookup, _) = self.table.fields.get(field)?.place else { return None };
        let value = self.row.value(self.table.fields.len() + lookup, ValueKind::Text).ok()?;
        let foreign_key = &self.table.lookups.get(lookup)?.foreign_key;
        (value != Value::Null).then(|| {
            format!("is {}, and `{}` has no such row, or no natural key for it", value.shown(), foreign_key.table)
        })
    }

    /// A text after the fields and the foreign keys, if it is not null.
    pub(crate) fn extra(&self, position: usize) -> Option<String> {
        match self.row.value(self.table.fields.len() + self.table.lookups.len() + position, ValueKind::Text) {
            Ok(Value::Text(text)) => Some(text.into_owned()),
            _ => None,
        }
    }
}

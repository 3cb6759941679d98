//! The cells of one record: what stands in a file for each stored field.

use std::fmt;

use serde::Serialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use diffsync_core::exposed;

use super::model::Column;

/// The cells of a record that is being read.
pub trait Cells {
    /// Takes the value in a column.
    fn take<T: DeserializeOwned>(&mut self, column: usize) -> Result<T, CellError>;
}

/// The cells of a record that is being written.
pub trait WriteCells {
    /// Puts a value into a column.
    fn put<T: Serialize + DeserializeOwned + PartialEq>(&mut self, column: usize, value: &T) -> Result<(), CellError>;
}

/// Why a cell cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CellError(pub(super) String);

impl CellError {
    pub(super) fn in_column(column: &Column, what: impl fmt::Display) -> Self {
        Self(format!("`{}`: {what}", column.name))
    }
}

/// Why a record could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread<Id> {
    /// Its identifier could not be read, so nobody knows which record it is.
    Nameless(CellError),
    /// One of its attributes could not be read.
    Rejected(Id, CellError),
}

/// Cells that are plain values, as in a JSON object.
pub(super) struct ValueCells {
    columns: &'static [Column],
    values: Vec<Option<Value>>,
    /// For each column how its values are asked for, where that is not how they are.
    pub(super) asked: Vec<Asked>,
}

/// How a value is asked for in a file that has types of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// As it is.
    Plain,
    /// As text: a date, which is a number otherwise.
    #[cfg(feature = "parquet")]
    Text,
    /// As text that holds JSON.
    #[cfg(feature = "parquet")]
    Json,
}

impl Asked {
    fn value<'de, A: MapAccess<'de>>(self, map: &mut A) -> Result<Value, A::Error> {
        match self {
            Self::Plain => map.next_value(),
            #[cfg(feature = "parquet")]
            Self::Text => Ok(map.next_value::<Option<String>>()?.map_or(Value::Null, Value::String)),
            #[cfg(feature = "parquet")]
            Self::Json => Ok(match map.next_value::<Option<String>>()? {
                None => Value::Null,
                Some(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            }),
        }
    }
}

impl ValueCells {
    #[cfg(feature = "parquet")]
    pub(super) fn new(columns: &'static [Column]) -> Self {
        Self { columns, values: vec![None; columns.len()], asked: vec![Asked::Plain; columns.len()] }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Takes what was left over of the record before.
    pub(super) fn clear(&mut self) {
        self.values.fill(None);
    }
}

impl Cells for ValueCells {
    fn take<T: DeserializeOwned>(&mut self, column: usize) -> Result<T, CellError> {
        let value = self.values.get_mut(column).and_then(Option::take);
        let (is_missing, value) = (value.is_none(), value.unwrap_or_default());
        let is_null = value.is_null();
        T::deserialize(value).map_err(|error| {
            let column = self.columns.get(column);
            let what = match (is_missing, is_null) {
                (true, _) => "is missing".to_owned(),
                (false, true) => "is null".to_owned(),
                (false, false) => error.to_string(),
            };
            column.map_or_else(|| CellError(what.clone()), |column| CellError::in_column(column, &what))
        })
    }
}

/// Reads a map into the cells; keys that name no column are left alone.
impl<'de> DeserializeSeed<'de> for &mut ValueCells {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.clear();
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut ValueCells {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record with keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(column) = map.next_key_seed(ColumnSeed(self))? {
            let Some(column) = column else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let asked = self.asked.get(column).copied().unwrap_or(Asked::Plain);
            let value = asked.value(&mut map)?;
            if self.values.get_mut(column).is_some_and(|cell| cell.replace(value).is_some()) {
                let name = self.columns.get(column).map_or("", |column| column.name);
                return Err(de::Error::custom(format!("`{name}` is there twice in one record")));
            }
        }
        Ok(())
    }
}

/// Reads a key as the position of the column it names.
struct ColumnSeed<'a>(&'a ValueCells);

impl<'de> DeserializeSeed<'de> for ColumnSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for ColumnSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.position(name))
    }
}

/// The values of a record, in the order of its columns.
pub(super) struct Values {
    columns: &'static [Column],
    pub(super) values: Vec<Value>,
}

impl Values {
    /// The values of a record, with its secrets in them.
    pub(super) fn of<M: super::FileModel>(record: &M) -> Result<Vec<Value>, CellError> {
        let columns = M::FILE.columns;
        let mut cells = Self { columns, values: Vec::with_capacity(columns.len()) };
        record.write(&mut cells)?;
        Ok(cells.values)
    }
}

impl WriteCells for Values {
    fn put<T: Serialize + DeserializeOwned + PartialEq>(&mut self, column: usize, value: &T) -> Result<(), CellError> {
        let plain = serde_json::to_value(exposed(value)).map_err(|error| error.to_string());
        // What serde writes as null may be something else: a NaN, or `Some(None)`. It would come back as another value.
        let is_lost = |plain: &Value| holds_null(plain) && !T::deserialize(plain).is_ok_and(|it| it == *value);
        let plain = plain.and_then(|plain| {
            if is_lost(&plain) {
                return Err("holds a value that a file cannot hold: a NaN, an infinity, an option in an option".into());
            }
            Ok(plain)
        });
        let at = self.columns.get(column);
        let plain = plain.map_err(|error| CellError(format!("`{}`: {error}", at.map_or("", |column| column.name))))?;
        self.values.push(plain);
        Ok(())
    }
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(entries) => entries.values().any(holds_null),
        _ => false,
    }
}

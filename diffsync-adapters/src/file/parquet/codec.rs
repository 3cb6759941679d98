//! The values of a model's fields in Arrow's columns.
//!
//! Where the column's type is that of the field, a value goes from one to the other directly: through no other type that
//! might not hold it.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, make_array};
use arrow_schema::{DataType, FieldRef, Schema};
use diffsync_core::exposed;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_arrow::utils::Item;
use serde_arrow::{ArrayBuilder, Deserializer};
use serde_json::Value;

use super::super::cells::{CellError, Cells};
use super::super::model::{Column, FileModel};
use super::super::shape::Kind;
use super::super::text::text_of;

/// How the values of a field are kept in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As they are, without loss.
    Exact,
    /// As what the column's type makes of them: a text as a date, or as a number with so many decimals.
    Converted,
    /// As what the column's type makes of them, read as a plain value that need not be of the field's type.
    Plain,
    /// As text that holds JSON.
    Json,
}

/// How the values of the model's fields are kept.
pub(super) fn codings<M: FileModel>(schema: &Schema) -> Vec<Coding> {
    let coding = |column: &Column| {
        schema.field_with_name(column.name).map_or(Coding::Plain, |field| coding(column, field.data_type()))
    };
    M::FILE.columns.iter().map(coding).collect()
}

fn coding(column: &Column, there: &DataType) -> Coding {
    let kind = (column.shape)().kind;
    let own = (column.arrow)().map(|field| field.data_type().clone());
    let is_text = |it: &DataType| matches!(it, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match own {
        _ if is_text(there) && !matches!(kind, Kind::Text | Kind::Variant) => Coding::Json,
        _ if is_text(there) => Coding::Exact,
        Some(own) if own == *there => Coding::Exact,
        Some(own) if own.is_integer() && there.is_integer() => Coding::Converted,
        Some(own) if own.is_floating() && there.is_floating() => Coding::Converted,
        _ if kind == Kind::Text => Coding::Converted,
        _ => Coding::Plain,
    }
}

/// The type as which a column is read and written, which is its own but for the name of a time zone: the values are those
/// of UTC in either case.
fn codec_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        other => other.clone(),
    }
}

/// A column of one field, called as `Item` wants it.
fn item(field: &FieldRef) -> FieldRef {
    let data_type = codec_type(field.data_type());
    Arc::new(arrow_schema::Field::new("item", data_type, field.is_nullable()).with_metadata(field.metadata().clone()))
}

/// The same values as another type of the same form.
fn retyped(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, String> {
    if array.data_type() == data_type {
        return Ok(Arc::clone(array));
    }
    let data = array.to_data().into_builder().data_type(data_type.clone()).build();
    data.map(make_array).map_err(|error| error.to_string())
}

/// The columns of a model in one batch, ready to be read.
pub(super) struct Arrays(Vec<(FieldRef, [ArrayRef; 1])>);

impl Arrays {
    pub(super) fn of(batch: &RecordBatch, positions: &[usize]) -> Result<Self, String> {
        let column = |&at: &usize| {
            let field = item(&batch.schema().fields()[at]);
            let array = retyped(batch.column(at), field.data_type())?;
            Ok((field, [array]))
        };
        positions.iter().map(column).collect::<Result<_, String>>().map(Self)
    }
}

/// The cells of one row after the other.
pub(super) struct Rows<'a> {
    columns: &'static [Column],
    cells: Vec<(Coding, Deserializer<'a>)>,
    count: usize,
    next: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn of<M: FileModel>(arrays: &'a Arrays, codings: &[Coding]) -> Result<Self, String> {
        let cells = arrays.0.iter().zip(codings).map(|((field, array), coding)| {
            let cells = Deserializer::from_arrow(&[Arc::clone(field)], array);
            Ok((*coding, cells.map_err(|error| error.to_string())?))
        });
        let cells = cells.collect::<Result<Vec<_>, String>>()?;
        let count = arrays.0.first().map_or(0, |(_, [array])| array.len());
        Ok(Self { columns: M::FILE.columns, cells, count, next: 0 })
    }

    /// The one value of these arrays.
    pub(super) fn single<T: DeserializeOwned>(arrays: &'a Arrays, coding: Coding) -> Result<T, String> {
        let (field, array) = arrays.0.first().ok_or("is missing")?;
        let cells = Deserializer::from_arrow(&[Arc::clone(field)], array).map_err(|error| error.to_string())?;
        Self { columns: &[], cells: vec![(coding, cells)], count: 1, next: 1 }.read(0)
    }

    /// Goes to the next row, if there is one.
    pub(super) fn advance(&mut self) -> bool {
        self.next += 1;
        self.next <= self.count
    }

    /// The value of a column in this row.
    pub(super) fn read<T: DeserializeOwned>(&self, column: usize) -> Result<T, String> {
        let row = self.next.checked_sub(1);
        let cell = self.cells.get(column).zip(row).and_then(|((coding, cells), row)| Some((*coding, cells.get(row)?)));
        let Some((coding, cell)) = cell else { return Err("is missing".to_owned()) };
        let wrong = |error: serde_arrow::Error| error.message().to_owned();
        match coding {
            Coding::Exact | Coding::Converted => Item::<T>::deserialize(cell).map(|Item(it)| it).map_err(wrong),
            Coding::Plain => {
                let Item(value) = Item::<Value>::deserialize(cell).map_err(wrong)?;
                T::deserialize(value).map_err(|error| error.to_string())
            }
            Coding::Json => {
                let Item(text) = Item::<Option<String>>::deserialize(cell).map_err(wrong)?;
                let Some(text) = text else { return T::deserialize(Value::Null).map_err(|error| error.to_string()) };
                let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
                T::deserialize(value).map_err(|error| error.to_string())
            }
        }
    }

    fn is_null(&self, column: usize) -> bool {
        let cell = self.cells.get(column).and_then(|(_, cells)| cells.get(self.next.checked_sub(1)?));
        cell.is_some_and(|cell| Item::<Option<serde::de::IgnoredAny>>::deserialize(cell).is_ok_and(|it| it.0.is_none()))
    }
}

impl Cells for Rows<'_> {
    fn take<T: DeserializeOwned>(&mut self, column: usize) -> Result<T, CellError> {
        self.read(column).map_err(|error| {
            let what = if self.is_null(column) { "is null".to_owned() } else { error };
            let column = self.columns.get(column);
            column.map_or_else(|| CellError(what.clone()), |column| CellError::in_column(column, &what))
        })
    }
}

/// New values of one column.
pub(super) struct NewColumn {
    column: &'static Column,
    data_type: DataType,
    coding: Coding,
    builder: ArrayBuilder,
}

impl NewColumn {
    pub(super) fn of(column: &'static Column, field: &FieldRef, coding: Coding) -> Result<Self, String> {
        let builder =
            ArrayBuilder::from_arrow(&[item(field)]).map_err(|error| format!("`{}`: {error}", column.name))?;
        Ok(Self { column, data_type: field.data_type().clone(), coding, builder })
    }

    pub(super) fn push<T: Serialize>(&mut self, value: &T) -> Result<(), CellError> {
        let wrong = |error: String| CellError::in_column(self.column, error);
        let pushed = match self.coding {
            Coding::Json => {
                let value = serde_json::to_value(exposed(value)).map_err(|error| wrong(error.to_string()))?;
                let text = (!value.is_null()).then(|| text_of(&value, (self.column.shape)()));
                self.builder.push(Item(text))
            }
            Coding::Exact | Coding::Converted | Coding::Plain => self.builder.push(Item(exposed(value))),
        };
        pushed.map_err(|error| CellError::in_column(self.column, error.message()))
    }

    /// The values that were pushed since the last time.
    pub(super) fn take(&mut self) -> Result<ArrayRef, String> {
        let arrays = self.builder.to_arrow().map_err(|error| format!("`{}`: {error}", self.column.name))?;
        let array = arrays.into_iter().next().ok_or_else(|| format!("`{}` has no values", self.column.name))?;
        retyped(&array, &self.data_type)
    }
}

/// Whether two values of a field are the same; a NaN is the same as a NaN.
pub(super) fn same<T: PartialEq + Serialize>(one: &T, other: &T) -> bool {
    let plain = |value: &T| serde_json::to_value(exposed(value)).ok();
    one == other || (!equals_itself(one) && !equals_itself(other) && plain(one) == plain(other))
}

/// Not so if it holds a NaN.
#[allow(clippy::eq_op, reason = "that is the question")]
fn equals_itself<T: PartialEq>(value: &T) -> bool {
    value == value
}

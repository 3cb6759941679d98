//! Whether a file's columns can hold a record.

use std::fs::File;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Schema, SchemaRef};
use diffsync_core::value::exposed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::codec::{Arrays, ArrowRows, Coding, NewColumn, codings, same};
use super::edit::new_schema;
use super::roots;
use crate::file::model::FileModel;
use crate::file::model::row::{CellError, RowWriter};
use crate::file::model::schema::Column;

/// The columns of a file.
pub(crate) struct Columns {
    /// For each column of the model the file's.
    fields: Vec<FieldRef>,
    codings: Vec<Coding>,
    /// A column that the model does not know and that may not be null, so that no record can be new.
    demanded: Option<String>,
}

impl Columns {
    /// The columns of this file, or of the file to be created.
    pub(crate) fn of<M: FileModel>(file: Option<&File>) -> Result<Self, String> {
        let schema: SchemaRef = match file {
            None => new_schema::<M>(),
            Some(file) => {
                let file = file.try_clone().map_err(|error| error.to_string())?;
                let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
                builder.schema().clone()
            }
        };

        let fields = roots::<M>(&schema)?.into_iter().filter_map(|at| schema.fields().get(at).cloned()).collect();
        let is_known = |field: &FieldRef| M::FILE.columns.iter().any(|column| column.name == field.name());
        let demanded = schema.fields().iter().find(|field| !field.is_nullable() && !is_known(field));
        Ok(Self { fields, codings: codings::<M>(&schema), demanded: demanded.map(|field| field.name().clone()) })
    }

    /// Whether this record can be held so that it comes back as it is.
    pub(crate) fn check<M: FileModel>(&self, record: &M, is_new: bool) -> Result<(), CellError> {
        if let Some(column) = self.demanded.as_ref().filter(|_| is_new) {
            let what = format!("a new record has no value for the column `{column}`, which may not be null");
            return Err(CellError(what));
        }
        record.write(&mut Checked { columns: self, model: M::FILE.columns })
    }
}

/// Cells that are only looked at.
struct Checked<'a> {
    columns: &'a Columns,
    model: &'static [Column],
}

impl RowWriter for Checked<'_> {
    fn put<T: Serialize + DeserializeOwned + PartialEq>(&mut self, column: usize, value: &T) -> Result<(), CellError> {
        let Columns { fields, codings, .. } = self.columns;
        let (Some(model), Some(field), Some(coding)) =
            (self.model.get(column), fields.get(column), codings.get(column))
        else {
            return Ok(());
        };

        let is_optional = (model.shape)().is_optional;
        if is_optional && !field.is_nullable() && serde_json::to_value(exposed(value)).is_ok_and(|it| it.is_null()) {
            // Null in JSON is `None`, or a NaN within another type, and the column can hold neither.
            return Err(CellError::in_column(model, "is `None`, and its column may not be null"));
        }

        let is_certain = match coding {
            Coding::Exact => is_simple(field.data_type(), model) || is_plain(value, field),
            Coding::Json => is_plain(value, field),
            Coding::Converted | Coding::Plain => false,
        };
        if is_certain {
            return Ok(());
        }

        let back = round_trip::<T>(model, field, *coding, value)?;
        if same(&back, value) {
            return Ok(());
        }

        let holds = field.data_type();
        Err(CellError::in_column(
            model,
            format!("its column is of the type {holds}, and would return it as another value"),
        ))
    }
}

/// Whether each value of the type is held by its own column.
fn is_simple(data_type: &DataType, column: &Column) -> bool {
    let is_simple = data_type.is_integer() || matches!(data_type, DataType::Utf8 | DataType::Boolean);
    is_simple && !(column.shape)().is_optional
}

/// Whether no part of the value could be mistaken for null.
fn is_plain<T: Serialize + DeserializeOwned + PartialEq>(value: &T, field: &FieldRef) -> bool {
    let Ok(plain) = serde_json::to_value(exposed(value)) else { return false };
    if plain.is_null() && !field.is_nullable() {
        return false;
    }
    !holds_null(&plain) || T::deserialize(plain).is_ok_and(|it| it == *value)
}

/// The value as it comes back.
fn round_trip<T: Serialize + DeserializeOwned>(
    column: &'static Column,
    field: &FieldRef,
    coding: Coding,
    value: &T,
) -> Result<T, CellError> {
    let mut new = NewColumn::of(column, field, coding).map_err(CellError)?;
    new.push(value)?;
    let array = new.take().map_err(CellError)?;
    let of_column = |error: String| CellError::in_column(column, error);
    let schema = Schema::new(vec![field.clone()]);
    let batch = RecordBatch::try_new(schema.into(), vec![array]).map_err(|error| of_column(error.to_string()))?;
    let arrays = Arrays::of(&batch, &[0]).map_err(of_column)?;
    ArrowRows::single::<T>(&arrays, coding).map_err(of_column)
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(entries) => entries.values().any(holds_null),
        _ => false,
    }
}

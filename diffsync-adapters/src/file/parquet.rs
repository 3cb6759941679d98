//! Parquet: columns, in groups of rows.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter, ProjectionMask};
use ::parquet::basic::Compression;
use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{DataType, FieldRef, Schema, SchemaRef};
use arrow_select::interleave::interleave;
use diffsync_core::AdapterError;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_arrow::schema::{SchemaLike, TracingOptions};
use serde_arrow::utils::Item;
use serde_json::Value;

use super::cells::{Asked, ValueCells};
use super::edits::{Edit, Edits};
use super::model::{Column, FileModel};
use super::records::Records;
use super::shape::Kind;
use super::text::text_of;

/// The type of a column.
pub(crate) type Field = FieldRef;

/// How many rows are read or written at a time.
const ROWS: usize = 8192;

/// The column for values of a type, if the type says which.
pub(crate) fn field_of<T: DeserializeOwned>() -> Option<Field> {
    let options = TracingOptions::new()
        .enums_without_data_as_strings(true)
        .map_as_struct(false)
        .sequence_as_large_list(false)
        .strings_as_large_utf8(false);
    let fields = Vec::<FieldRef>::from_type::<Item<T>>(options).ok()?;
    fields.into_iter().next()
}

/// Reads all records, one group of rows after the other, and only the columns of the model.
pub(super) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let corrupt = |error: &dyn std::fmt::Display| format!("which cannot be read as Parquet: {error}");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| records.error(corrupt(&error)))?;
    let roots = roots::<M>(builder.schema()).map_err(|what| records.error(what))?;
    let projection = ProjectionMask::roots(builder.parquet_schema(), roots);
    let mut cells = cells::<M>(builder.schema());
    let batches = builder.with_projection(projection).with_batch_size(ROWS).build();
    for batch in batches.map_err(|error| records.error(corrupt(&error)))? {
        let batch = batch.map_err(|error| records.error(corrupt(&error)))?;
        let mut failed = None;
        let read = each_row(&batch, &mut cells, |cells| {
            let added = records.add(M::read(cells), None);
            added.map_err(|error| failed = Some(error)).is_ok()
        });
        if let Some(error) = failed {
            return Err(error);
        }
        read.map_err(|error| records.error(corrupt(&error)))?;
    }
    Ok(())
}

/// Where the model's columns stand.
fn roots<M: FileModel>(schema: &Schema) -> Result<Vec<usize>, String> {
    let find = |column: &Column| {
        schema
            .index_of(column.name)
            .map_err(|_| column.missing(schema.fields().iter().map(|field| field.name().as_str())))
    };
    M::FILE.columns.iter().map(find).collect()
}

/// Cells that ask for values as the columns' types need it.
fn cells<M: FileModel>(schema: &Schema) -> ValueCells {
    let mut cells = ValueCells::new(M::FILE.columns);
    for (asked, column) in cells.asked.iter_mut().zip(M::FILE.columns) {
        let kind = (column.shape)().kind;
        *asked = match schema.field_with_name(column.name).map(arrow_schema::Field::data_type) {
            Ok(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
                if !matches!(kind, Kind::Text | Kind::Variant) =>
            {
                Asked::Json
            }
            // As numbers they would mean something only together with their unit.
            Ok(time) if time.is_temporal() && kind == Kind::Text => Asked::Text,
            _ => Asked::Plain,
        };
    }
    cells
}

/// Calls a function with the cells of each row, until it says that it wants no more.
fn each_row(
    batch: &RecordBatch,
    cells: &mut ValueCells,
    row: impl FnMut(&mut ValueCells) -> bool,
) -> serde_arrow::Result<()> {
    struct Rows<'a, F>(&'a mut ValueCells, F);
    impl<'de, F: FnMut(&mut ValueCells) -> bool> Visitor<'de> for Rows<'_, F> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("rows")
        }
        fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<(), A::Error> {
            struct Row<'a>(&'a mut ValueCells);
            impl<'de> DeserializeSeed<'de> for Row<'_> {
                type Value = ();
                fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                    self.0.deserialize(deserializer)
                }
            }
            while rows.next_element_seed(Row(self.0))?.is_some() {
                if !(self.1)(self.0) {
                    return Err(A::Error::custom("the rest is not read"));
                }
            }
            Ok(())
        }
    }
    serde_arrow::Deserializer::from_record_batch(batch)?.deserialize_seq(Rows(cells, row))
}

/// Writes the file with its records changed. The columns that the model does not know stay.
pub(super) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut (impl Write + Send),
) -> Result<(), AdapterError> {
    let old = old.map(ParquetRecordBatchReaderBuilder::try_new).transpose().map_err(|error| edits.failed(error))?;
    let (schema, properties) = match &old {
        Some(old) => (Arc::clone(old.schema()), properties(old.metadata())),
        None => (schema::<M>(), WriterProperties::builder().set_compression(Compression::SNAPPY).build()),
    };
    roots::<M>(&schema).map_err(|what| edits.error(what))?;
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties));
    let writer = writer.as_mut().map_err(|error| edits.error(error))?;
    if let Some(old) = old {
        let batches: ParquetRecordBatchReader =
            old.with_batch_size(ROWS).build().map_err(|error| edits.failed(error))?;
        let mut cells = cells::<M>(&schema);
        for batch in batches {
            let batch = edited(&batch.map_err(|error| edits.failed(error))?, &mut cells, edits)?;
            writer.write(&batch).map_err(|error| edits.failed(error))?;
        }
    }
    let mut created = edits.created().peekable();
    while created.peek().is_some() {
        let rows: Vec<Vec<Value>> = created.by_ref().take(ROWS).collect::<Result<_, _>>()?;
        let batch = new_rows(&schema, M::FILE.columns, &rows).map_err(|what| edits.error(what))?;
        writer.write(&batch).map_err(|error| edits.failed(error))?;
    }
    writer.finish().map(drop).map_err(|error| edits.failed(error))
}

/// Writes the new file as the old was written.
fn properties(old: &ParquetMetaData) -> WriterProperties {
    let compression = old
        .row_groups()
        .first()
        .and_then(|group| group.columns().first())
        .map(::parquet::file::metadata::ColumnChunkMetaData::compression);
    let notes = old.file_metadata().key_value_metadata().cloned().map(|mut notes| {
        notes.retain(|note| note.key != ARROW_SCHEMA_META_KEY);
        notes
    });
    WriterProperties::builder()
        .set_compression(compression.unwrap_or(Compression::SNAPPY))
        .set_key_value_metadata(notes)
        .build()
}

/// The columns of a file that is not there yet.
fn schema<M: FileModel>() -> SchemaRef {
    let field = |column: &Column| {
        let shape = (column.shape)();
        let typed = (column.arrow)().map(|field| field.data_type().clone());
        arrow_schema::Field::new(column.name, typed.unwrap_or(DataType::Utf8), shape.is_optional)
    };
    Arc::new(Schema::new(M::FILE.columns.iter().map(field).collect::<Vec<_>>()))
}

/// A group of rows with its records changed.
fn edited<M: FileModel>(
    batch: &RecordBatch,
    cells: &mut ValueCells,
    edits: &Edits<'_, M>,
) -> Result<RecordBatch, AdapterError> {
    let columns = M::FILE.columns;
    let mut rows = Vec::with_capacity(batch.num_rows());
    // For each column the new values, and the rows of the result that get them.
    let mut new: Vec<(Vec<usize>, Vec<Value>)> = columns.iter().map(|_| (Vec::new(), Vec::new())).collect();
    let (mut at, mut failed) = (0, None);
    let read = each_row(batch, cells, |cells| {
        match edits.edit(M::read(cells)) {
            Ok(Edit::Drop) => {}
            Ok(Edit::Keep) => rows.push((0, at)),
            Ok(Edit::Set(values)) => {
                for (column, value) in values {
                    if let Some((rows_of, values_of)) = new.get_mut(column) {
                        rows_of.push(rows.len());
                        values_of.push(value);
                    }
                }
                rows.push((0, at));
            }
            Err(error) => failed = Some(error),
        }
        at += 1;
        failed.is_none()
    });
    if let Some(error) = failed {
        return Err(error);
    }
    read.map_err(|error| edits.failed(error))?;
    let schema = batch.schema();
    let arrays = schema.fields().iter().zip(batch.columns()).map(|(field, old)| {
        let column = columns.iter().position(|column| column.name == field.name());
        let change = column.and_then(|column| Some((columns.get(column)?, new.get(column)?)));
        match change.filter(|(_, (changed, _))| !changed.is_empty()) {
            None => interleave(&[old.as_ref()], &rows).map_err(|error| edits.failed(error)),
            Some((column, (changed, values))) => {
                let values = array(field, column, values.iter()).map_err(|what| edits.error(what))?;
                let mut rows = rows.clone();
                for (value, &row) in changed.iter().enumerate() {
                    if let Some(row) = rows.get_mut(row) {
                        *row = (1, value);
                    }
                }
                interleave(&[old.as_ref(), values.as_ref()], &rows).map_err(|error| edits.failed(error))
            }
        }
    });
    let arrays: Vec<ArrayRef> = arrays.collect::<Result<_, AdapterError>>()?;
    RecordBatch::try_new(schema, arrays).map_err(|error| edits.failed(error))
}

/// New rows. In columns that the model does not know there is nothing.
fn new_rows(schema: &SchemaRef, columns: &[Column], rows: &[Vec<Value>]) -> Result<RecordBatch, String> {
    let arrays = schema.fields().iter().map(|field| {
        let known = columns.iter().enumerate().find(|(_, column)| column.name == field.name());
        match known {
            Some((at, column)) => array(field, column, rows.iter().map(|row| row.get(at).unwrap_or(&Value::Null))),
            None if field.is_nullable() => Ok(new_null_array(field.data_type(), rows.len())),
            None => Err(format!("a new record has nothing for the column `{}`, which may not be null", field.name())),
        }
    });
    let arrays: Vec<ArrayRef> = arrays.collect::<Result<_, String>>()?;
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|error| error.to_string())
}

/// Values as a column.
fn array<'a>(field: &FieldRef, column: &Column, values: impl Iterator<Item = &'a Value>) -> Result<ArrayRef, String> {
    let shape = (column.shape)();
    let is_text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let values = values.map(|value| match value {
        Value::Null => Value::Null,
        value if is_text => Value::from(text_of(value, shape)),
        value => value.clone(),
    });
    let values: Vec<Item<Value>> = values.map(Item).collect();
    let named = Arc::new(field.as_ref().clone().with_name("item"));
    let arrays = serde_arrow::to_arrow(&[named], &values);
    let array = arrays.map_err(|error| format!("`{}`: {error}", column.name))?.into_iter().next();
    array.filter(|array| array.len() == values.len()).ok_or_else(|| format!("`{}` has no values", column.name))
}

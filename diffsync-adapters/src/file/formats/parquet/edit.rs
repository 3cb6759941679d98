//! Changing a file's records. What the model does not know goes from the old file to the new as it is.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::{Compression, Type};
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow_schema::{DataType, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave;
use diffsync_core::adapter::AdapterError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{Arrays, ArrowRows, Coding, NewColumn, codings, same};
use super::properties::properties;
use super::{ROWS, roots};
use crate::file::model::FileModel;
use crate::file::model::edits::{Edits, RecordEdit};
use crate::file::model::row::{CellError, RowWriter};
use crate::file::model::schema::Column;

/// Writes the file with its records changed. The columns that the model does not know stay.
pub(crate) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut (impl Write + Send),
) -> Result<(), AdapterError> {
    let Some(old) = old else {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let options = ArrowWriterOptions::new().with_properties(properties);
        let schema = new_schema::<M>();
        let writer = ArrowWriter::try_new_with_options(out, Arc::clone(&schema), options);
        let mut writer = writer.map_err(|error| edits.failed(error))?;
        add_new(&mut writer, &schema, &mut new_columns::<M>(&schema, edits)?, edits)?;
        return writer.finish().map(drop).map_err(|error| edits.failed(error));
    };

    let metadata = ArrowReaderMetadata::load(&old, ArrowReaderOptions::new()).map_err(|error| edits.failed(error))?;
    let schema = Arc::clone(metadata.schema());
    let positions = roots::<M>(&schema).map_err(|what| edits.error(what))?;
    let parquet_schema = metadata.parquet_schema().clone();
    if let Some(column) = parquet_schema.columns().iter().find(|column| column.physical_type() == Type::INT96) {
        let column = column.path().string();
        return Err(edits.error(format_args!(
            "the column `{column}` is of the type INT96, which is outdated and cannot be written; write the file anew with \
             timestamps of 64 bits"
        )));
    }

    let is_sorted = edits.new_records().is_empty();
    let properties = properties(&old, metadata.metadata(), |column| {
        is_sorted && M::FILE.columns.iter().all(|known| known.name != column)
    });
    let properties = properties.map_err(|error| edits.failed(error))?;

    // The schema of the file itself, since one derived from Arrow's differs in some types. Arrow's is in the metadata.
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_parquet_schema(parquet_schema)
        .with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(out, Arc::clone(&schema), options);
    let mut writer = writer.map_err(|error| edits.failed(error))?;

    let codings = codings::<M>(&schema);
    let mut new = new_columns::<M>(&schema, edits)?;
    for group in 0..metadata.metadata().num_row_groups() {
        // The groups stay. New rows are added to the last.
        writer.flush().map_err(|error| edits.failed(error))?;
        let file = old.try_clone().map_err(|error| edits.failed(error))?;
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
            .with_row_groups(vec![group])
            .with_batch_size(ROWS)
            .build();
        for batch in batches.map_err(|error| edits.failed(error))? {
            let batch = batch.map_err(|error| edits.failed(error))?;
            let batch = edited(&batch, &positions, &codings, &mut new, edits)?;
            writer.write(&batch).map_err(|error| edits.failed(error))?;
        }
    }

    add_new(&mut writer, &schema, &mut new, edits)?;
    writer.finish().map(drop).map_err(|error| edits.failed(error))
}

/// The columns of a file that does not exist yet.
pub(crate) fn new_schema<M: FileModel>() -> SchemaRef {
    let field = |column: &Column| {
        let shape = (column.shape)();
        let typed = (column.arrow)().map(|field| field.data_type().clone());
        arrow_schema::Field::new(column.name, typed.unwrap_or(DataType::Utf8), shape.is_optional)
    };
    Arc::new(Schema::new(M::FILE.columns.iter().map(field).collect::<Vec<_>>()))
}

/// Builders of new values, one for each column of the model.
fn new_columns<M: FileModel>(schema: &Schema, edits: &Edits<'_, M>) -> Result<Vec<NewColumn>, AdapterError> {
    let columns = M::FILE.columns.iter().zip(codings::<M>(schema)).map(|(column, coding)| {
        let (_, field) = schema.fields().find(column.name).ok_or_else(|| format!("there is no `{}`", column.name))?;
        NewColumn::of(column, field, coding)
    });
    columns.collect::<Result<_, String>>().map_err(|what| edits.error(what))
}

/// Some rows with their records changed.
fn edited<M: FileModel>(
    batch: &RecordBatch,
    positions: &[usize],
    codings: &[Coding],
    new: &mut [NewColumn],
    edits: &Edits<'_, M>,
) -> Result<RecordBatch, AdapterError> {
    let arrays = Arrays::of(batch, positions).map_err(|what| edits.error(what))?;
    let mut rows = ArrowRows::of::<M>(&arrays, codings).map_err(|what| edits.error(what))?;
    let mut stays = Vec::with_capacity(batch.num_rows());

    // For each column of the model the rows that get a new value.
    let mut changed: Vec<Vec<usize>> = vec![Vec::new(); positions.len()];
    while rows.advance() {
        let read = M::read(&mut rows);
        match edits.record_edit(read) {
            RecordEdit::Keep => {}
            RecordEdit::Drop => {
                stays.push(false);
                continue;
            }
            RecordEdit::Change(_, current) => {
                let mut cells = Differing { rows: &rows, row: stays.len(), new, changed: &mut changed };
                current.write(&mut cells).map_err(|CellError(error)| edits.error(error))?;
            }
        }
        stays.push(true);
    }

    let mut columns = batch.columns().to_vec();
    for ((&position, changed), new) in positions.iter().zip(&changed).zip(new) {
        let Some(old) = columns.get_mut(position).filter(|_| !changed.is_empty()) else { continue };
        let values = new.take().map_err(|what| edits.error(what))?;
        let mut from: Vec<(usize, usize)> = (0..batch.num_rows()).map(|row| (0, row)).collect();
        for (value, &row) in changed.iter().enumerate() {
            if let Some(from) = from.get_mut(row) {
                *from = (1, value);
            }
        }
        *old = interleave(&[old.as_ref(), values.as_ref()], &from).map_err(|error| edits.failed(error))?;
    }

    let batch = RecordBatch::try_new(batch.schema(), columns).map_err(|error| edits.failed(error))?;
    if stays.iter().all(|stays| *stays) {
        return Ok(batch);
    }

    filter_record_batch(&batch, &BooleanArray::from(stays)).map_err(|error| edits.failed(error))
}

/// Takes the values of a record that are not those of the row.
struct Differing<'a> {
    rows: &'a ArrowRows<'a>,
    row: usize,
    new: &'a mut [NewColumn],
    changed: &'a mut [Vec<usize>],
}

impl RowWriter for Differing<'_> {
    fn put<T: Serialize + DeserializeOwned + PartialEq>(&mut self, column: usize, value: &T) -> Result<(), CellError> {
        let old = self.rows.read::<T>(column).ok();
        if old.as_ref().is_some_and(|old| same(old, value)) {
            return Ok(());
        }

        if let Some((new, changed)) = self.new.get_mut(column).zip(self.changed.get_mut(column)) {
            let kept = old.map(|old| self.rows.kept(column, &old, value)).transpose()?.flatten();
            match kept {
                Some(kept) => new.push_kept(&kept)?,
                None => new.push(value)?,
            }
            changed.push(self.row);
        }

        Ok(())
    }
}

/// Takes all values of a record.
struct All<'a>(&'a mut [NewColumn]);

impl RowWriter for All<'_> {
    fn put<T: Serialize + DeserializeOwned + PartialEq>(&mut self, column: usize, value: &T) -> Result<(), CellError> {
        self.0.get_mut(column).map_or(Ok(()), |new| new.push(value))
    }
}

/// Adds the records that are new. In columns that the model does not know there is nothing.
fn add_new<M: FileModel>(
    writer: &mut ArrowWriter<impl Write + Send>,
    schema: &SchemaRef,
    new: &mut [NewColumn],
    edits: &Edits<'_, M>,
) -> Result<(), AdapterError> {
    for records in edits.new_records().chunks(ROWS) {
        for record in records {
            record.write(&mut All(new)).map_err(|CellError(error)| edits.error(error))?;
        }
        let arrays = schema.fields().iter().map(|field| {
            match M::FILE.columns.iter().position(|column| column.name == field.name()).and_then(|at| new.get_mut(at)) {
                Some(new) => new.take(),
                None if field.is_nullable() => Ok(new_null_array(field.data_type(), records.len())),
                None => {
                    Err(format!("a new record has no value for the column `{}`, which may not be null", field.name()))
                }
            }
        });

        let arrays: Vec<ArrayRef> = arrays.collect::<Result<_, String>>().map_err(|what| edits.error(what))?;
        let batch = RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|error| edits.failed(error))?;
        writer.write(&batch).map_err(|error| edits.failed(error))?;
    }

    Ok(())
}

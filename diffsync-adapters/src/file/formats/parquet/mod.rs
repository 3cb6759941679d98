//! Parquet: columns, in groups of rows.

mod check;
mod codec;
mod edit;
mod properties;

use std::fmt::Display;
use std::fs::File;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_schema::Schema;
use diffsync_core::adapter::AdapterError;

pub(crate) use self::check::Columns;
use self::codec::{Arrays, ArrowRows, codings};
pub(crate) use self::edit::write;
use crate::file::model::FileModel;
use crate::file::model::records::Records;
use crate::file::model::schema::Column;

/// How many rows are read or written at a time.
const ROWS: usize = 8192;

/// Reads all records, one group of rows after the other, and only the columns of the model.
pub(crate) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let corrupt = |error: &dyn Display| format!("which cannot be read as Parquet: {error}");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| records.error(corrupt(&error)))?;
    let wanted = roots::<M>(builder.schema()).map_err(|what| records.error(what))?;
    let codings = codings::<M>(builder.schema());
    let projection = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let batches = builder.with_projection(projection).with_batch_size(ROWS).build();

    for batch in batches.map_err(|error| records.error(corrupt(&error)))? {
        let batch = batch.map_err(|error| records.error(corrupt(&error)))?;
        // The projection keeps the order of the file.
        let positions = roots::<M>(batch.schema_ref()).map_err(|what| records.error(what))?;
        let arrays = Arrays::of(&batch, &positions).map_err(|error| records.error(corrupt(&error)))?;
        let mut rows = ArrowRows::of::<M>(&arrays, &codings).map_err(|error| records.error(corrupt(&error)))?;
        while rows.advance() {
            let read = M::read(&mut rows);
            records.add(read, None)?;
        }
    }

    Ok(())
}

/// The positions of the model's columns.
fn roots<M: FileModel>(schema: &Schema) -> Result<Vec<usize>, String> {
    let find = |column: &Column| {
        schema
            .index_of(column.name)
            .map_err(|_| column.missing(schema.fields().iter().map(|field| field.name().as_str())))
    };
    M::FILE.columns.iter().map(find).collect()
}

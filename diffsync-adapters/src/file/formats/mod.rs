//! The formats: how records are found in a file, and how they are changed in it.

#[cfg(feature = "csv")]
pub(crate) mod csv;
pub(crate) mod encoding;
pub(crate) mod json;
#[cfg(feature = "json")]
pub(crate) mod json_lines;
pub(crate) mod lines;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) mod text;
#[cfg(feature = "toml")]
pub(crate) mod toml;
#[cfg(feature = "yaml")]
pub(crate) mod yaml;

use std::fs::File;
use std::io::Write;

use diffsync_core::adapter::AdapterError;

use super::model::FileModel;
use super::model::edits::Edits;
use super::model::records::Records;
use super::model::row::CellError;
use super::model::schema::Format;
use super::model::values::RecordValues;

/// Reads all records of a file.
pub(crate) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    match M::FILE.format {
        #[cfg(feature = "csv")]
        Format::Csv => self::csv::read(file, records),
        #[cfg(feature = "json")]
        Format::Json => self::json::read(file, records),
        #[cfg(feature = "json")]
        Format::JsonLines => self::json_lines::read(file, records),
        #[cfg(feature = "yaml")]
        Format::Yaml => self::yaml::read(file, records),
        #[cfg(feature = "toml")]
        Format::Toml => self::toml::read(file, records),
        #[cfg(feature = "parquet")]
        Format::Parquet => self::parquet::read(file, records),
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        format => Err(not_enabled(format)),
    }
}

/// Writes a file with its records changed; `old` is what it holds, if it is there.
pub(crate) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut (impl Write + Send),
) -> Result<(), AdapterError> {
    match M::FILE.format {
        #[cfg(feature = "csv")]
        Format::Csv => self::csv::write(old, edits, out),
        #[cfg(feature = "json")]
        Format::Json => self::json::write(old, edits, out),
        #[cfg(feature = "json")]
        Format::JsonLines => self::json_lines::write(old, edits, out),
        #[cfg(feature = "yaml")]
        Format::Yaml => self::yaml::write(old, edits, out),
        #[cfg(feature = "toml")]
        Format::Toml => self::toml::write(old, edits, out),
        #[cfg(feature = "parquet")]
        Format::Parquet => self::parquet::write(old, edits, out),
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        format => Err(not_enabled(format)),
    }
}

/// Whether the format can hold a record so that it comes back as it is.
pub(crate) fn check<M: FileModel>(record: &M) -> Result<(), CellError> {
    match M::FILE.format {
        #[cfg(feature = "csv")]
        Format::Csv => self::csv::check::<M>(&RecordValues::of(record)?.values),
        #[cfg(feature = "json")]
        Format::Json | Format::JsonLines => {
            let values = RecordValues::of(record)?.values;
            M::FILE.columns.iter().zip(&values).try_for_each(|(column, value)| {
                self::json::check(value).map_err(|what| CellError::in_column(column, what))
            })
        }
        #[cfg(feature = "yaml")]
        Format::Yaml => RecordValues::of(record).map(drop),
        #[cfg(feature = "toml")]
        Format::Toml => self::toml::check::<M>(&RecordValues::of(record)?.values),
        // Parquet asks its columns, and the others are not built in.
        _ => Ok(()),
    }
}

/// The format's name, for where it is not built in.
fn not_enabled(format: Format) -> AdapterError {
    AdapterError::new(format!("the feature for {format:?} of diffsync-adapters is off"))
}

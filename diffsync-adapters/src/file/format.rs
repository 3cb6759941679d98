//! The formats: how records are found in a file, and how they are changed in it.

use std::fs::File;
use std::io::Write;

use diffsync_core::AdapterError;

use super::cells::CellError;
use super::data::Data;
use super::edits::Edits;
use super::model::{FileModel, Format};
use super::records::Records;

/// Reads all records of a file.
pub(super) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    match M::FILE.format {
        #[cfg(feature = "csv")]
        Format::Csv => super::csv::read(file, records),
        #[cfg(feature = "json")]
        Format::Json => super::json::read(file, records),
        #[cfg(feature = "json")]
        Format::JsonLines => super::json_lines::read(file, records),
        #[cfg(feature = "yaml")]
        Format::Yaml => super::yaml::read(file, records),
        #[cfg(feature = "toml")]
        Format::Toml => super::toml::read(file, records),
        #[cfg(feature = "parquet")]
        Format::Parquet => super::parquet::read(file, records),
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        format => Err(not_enabled(format)),
    }
}

/// Whether the last record of a file ends with its last line, with nothing that closes it.
pub(super) fn ends_in_lines(format: Format) -> bool {
    matches!(format, Format::Csv | Format::Yaml | Format::Toml)
}

/// Writes a file with its records changed; `old` is what it holds, if it is there.
pub(super) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut (impl Write + Send),
) -> Result<(), AdapterError> {
    match M::FILE.format {
        #[cfg(feature = "csv")]
        Format::Csv => super::csv::write(old, edits, out),
        #[cfg(feature = "json")]
        Format::Json => super::json::write(old, edits, out),
        #[cfg(feature = "json")]
        Format::JsonLines => super::json_lines::write(old, edits, out),
        #[cfg(feature = "yaml")]
        Format::Yaml => super::yaml::write(old, edits, out),
        #[cfg(feature = "toml")]
        Format::Toml => super::toml::write(old, edits, out),
        #[cfg(feature = "parquet")]
        Format::Parquet => super::parquet::write(old, edits, out),
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        format => Err(not_enabled(format)),
    }
}

/// Whether the format can hold a record so that it comes back as it is.
pub(super) fn check<M: FileModel>(record: &M) -> Result<(), CellError> {
    match M::FILE.format {
        #[cfg(feature = "csv")]
        Format::Csv => super::csv::check::<M>(&Data::of(record)?.values),
        #[cfg(feature = "json")]
        Format::Json | Format::JsonLines => {
            let values = Data::of(record)?.values;
            M::FILE.columns.iter().zip(&values).try_for_each(|(column, value)| {
                super::json::check(value).map_err(|what| CellError::in_column(column, what))
            })
        }
        #[cfg(feature = "yaml")]
        Format::Yaml => Data::of(record).map(drop),
        #[cfg(feature = "toml")]
        Format::Toml => super::toml::check::<M>(&Data::of(record)?.values),
        // Parquet asks its columns, and the others are not built in.
        _ => Ok(()),
    }
}

/// The format's name, for where it is not built in.
fn not_enabled(format: Format) -> AdapterError {
    AdapterError::new(format!("the feature for {format:?} of diffsync-adapters is off"))
}

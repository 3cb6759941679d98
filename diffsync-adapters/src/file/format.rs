//! The formats: how records are found in a file, and how they are changed in it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use diffsync_core::AdapterError;
use serde_json::Value;

use super::cells::CellError;
use super::edits::Edits;
#[cfg(any(feature = "csv", feature = "json", feature = "toml", feature = "yaml"))]
use super::lines::Lines;
use super::load::{Records, not_enabled};
use super::model::{FileModel, Format};

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

/// Whether the format can hold these values so that they come back as they are.
pub(super) fn check<M: FileModel>(values: &[Value]) -> Result<(), CellError> {
    match M::FILE.format {
        #[cfg(feature = "csv")]
        Format::Csv => super::csv::check::<M>(values),
        #[cfg(feature = "toml")]
        Format::Toml => super::toml::check::<M>(values),
        _ => Ok(()),
    }
}

/// The mark that some editors put before a text.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The mark before the text of a file, if there is one, and the text.
#[cfg(any(feature = "csv", feature = "json", feature = "toml", feature = "yaml"))]
pub(super) fn text(mut file: File) -> io::Result<(&'static str, String)> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut text = String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, not_utf8(error.as_bytes(), 0)))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
        return Ok((BYTE_ORDER_MARK, text));
    }
    Ok(("", text))
}

/// Says where a text is not UTF-8; `before` is the number of lines before it.
#[cfg(any(feature = "csv", feature = "json", feature = "toml", feature = "yaml"))]
pub(super) fn not_utf8(text: &[u8], before: u64) -> String {
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let valid = valid.strip_prefix(BYTE_ORDER_MARK).unwrap_or(valid);
    let (line, column) = Lines::of(valid).place(valid.len());
    format!("line {}, column {column}: is not UTF-8; save the file as UTF-8", before + line)
}

/// A reader of a text, behind the mark that some editors put before it.
pub(super) fn behind_mark(file: File) -> io::Result<BufReader<File>> {
    let mut reader = BufReader::with_capacity(128 * 1024, file);
    if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK.as_bytes()) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(reader)
}

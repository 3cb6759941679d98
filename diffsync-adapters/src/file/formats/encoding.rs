//! The text of a file: UTF-8, with or without a byte order mark.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use super::lines::Lines;

/// The mark that some editors put before a text.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The mark before the text of a file, if there is one, and the text.
pub(crate) fn text(mut file: File) -> io::Result<(&'static str, String)> {
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

/// The message for a text that is not UTF-8, with the place; `before` is the number of lines before the text.
pub(crate) fn not_utf8(text: &[u8], before: u64) -> String {
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let valid = valid.strip_prefix(BYTE_ORDER_MARK).unwrap_or(valid);
    let (line, column) = Lines::of(valid).place(valid.len());
    format!("line {}, column {column}: is not UTF-8; save the file as UTF-8", before + line)
}

/// A reader of a text, after the byte order mark that some editors write.
pub(crate) fn skip_bom(file: File) -> io::Result<BufReader<File>> {
    let mut reader = BufReader::with_capacity(128 * 1024, file);
    if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK.as_bytes()) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(reader)
}

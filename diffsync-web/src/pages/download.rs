//! Lists as files, which are sent as they are read.

use std::io;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use diffsync_history::{Cursor, HistoryError, Page, PageRequest};
use futures_util::stream::try_unfold;
use serde::Serialize;

/// How many rows are read at a time.
const ROWS: u32 = 1_000;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A JSON document for each row: all of it, as it is.
    JsonLines,
    /// Comma-separated values, for a spreadsheet.
    Csv,
}

/// A row of a CSV file.
pub(super) trait Csv {
    /// The first line.
    const COLUMNS: &'static [&'static str];

    /// The cells of the row, one for each column.
    fn cells(&self) -> Vec<String>;
}

/// A list as a file of this name. A long one is not held in memory.
pub(super) fn stream<T, F>(name: &str, format: Format, read: impl Fn(PageRequest) -> F + Send + 'static) -> Response
where
    T: Serialize + Csv + Send + 'static,
    F: Future<Output = Result<Page<T>, HistoryError>> + Send,
{
    // The first page, the one after a place, or none.
    let begin = (Some(None::<Cursor>), read);
    let chunks = try_unfold(begin, move |(next, read)| async move {
        let Some(after) = next else { return Ok::<_, io::Error>(None) };
        let page = read(PageRequest { after, size: ROWS }).await.map_err(|error| {
            // The file breaks off, which tells the browser that it is not complete.
            tracing::error!(%error, "a download broke off");
            io::Error::other(error)
        })?;
        let chunk = match format {
            Format::JsonLines => json_lines(&page.items)?,
            Format::Csv => csv_lines(&page.items, after.is_none())?,
        };
        Ok(Some((Bytes::from(chunk), (page.next.map(Some), read))))
    });

    let (kind, end) = match format {
        Format::JsonLines => ("application/jsonl; charset=utf-8", "jsonl"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let disposition = format!("attachment; filename=\"{name}.{end}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, Body::from_stream(chunks)).into_response()
}

fn json_lines(rows: &[impl Serialize]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, row)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn csv_lines<T: Csv>(rows: &[T], is_first: bool) -> io::Result<Vec<u8>> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    if is_first {
        lines.write_record(T::COLUMNS)?;
    }
    for row in rows {
        lines.write_record(row.cells().into_iter().map(inert))?;
    }
    lines.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// A cell that no spreadsheet takes for a formula. A number stays one.
fn inert(cell: String) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    if is_formula { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_taken_for_a_formula() {
        for (cell, shown) in
            [("=1+1", "'=1+1"), ("-12.5", "-12.5"), ("+49 30", "'+49 30"), ("@SUM(A1)", "'@SUM(A1)"), ("a=b", "a=b")]
        {
            assert_eq!(inert(cell.to_owned()), shown);
        }
    }
}

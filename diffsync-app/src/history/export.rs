//! The command `history export`.

use std::io::{self, Write};

use clap::ArgMatches;
use diffsync_history::{ChangeFilter, Cursor, History, HistoryError, LogEntryFilter, LogLineFilter, Page, PageRequest};
use serde::Serialize;

use super::page::VERSION;
use crate::exit::{Exit, NotRun};
use crate::terminal;

/// How many rows are read at a time.
const ROWS: u32 = 1_000;

/// One line: which kind of row it is, and the row.
#[derive(Serialize)]
struct Line<'a, T> {
    row: &'static str,
    #[serde(flatten)]
    values: &'a T,
}

pub(super) async fn export(history: &History, matches: &ArgMatches) -> Result<Exit, NotRun> {
    let sync = history.sync(matches.get_one::<String>("sync").map_or("", String::as_str)).await?;
    let mut out = io::BufWriter::new(io::stdout());

    let head = serde_json::json!({"row": "export", "version": VERSION});
    let begun = writeln!(out, "{head}").and_then(|()| write(&mut out, "sync", &sync));
    if let Err(error) = begun {
        return Ok(terminal::printed(Err(error)));
    }

    let (all, entries, lines) = (ChangeFilter::default(), LogEntryFilter::default(), LogLineFilter::default());
    let written = rows(&mut out, "change", async |page| history.changes(sync.id, &all, page).await).await?;
    let written = match written {
        Ok(()) => rows(&mut out, "entry", async |page| history.entries(sync.id, &entries, page).await).await?,
        failed => failed,
    };
    let written = match written {
        Ok(()) => rows(&mut out, "line", async |page| history.lines(sync.id, &lines, page).await).await?,
        failed => failed,
    };
    Ok(terminal::printed(written.and_then(|()| out.flush())))
}

/// Writes all rows of a list, page by page, so that a long one is not held in memory.
async fn rows<T: Serialize>(
    out: &mut impl Write,
    kind: &'static str,
    read: impl AsyncFn(PageRequest) -> Result<Page<T>, HistoryError>,
) -> Result<io::Result<()>, HistoryError> {
    let mut after: Option<Cursor> = None;
    loop {
        let page = read(PageRequest { after, size: ROWS }).await?;
        for row in &page.items {
            if let Err(error) = write(out, kind, row) {
                return Ok(Err(error));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(Ok(())),
        }
    }
}

fn write<T: Serialize>(out: &mut impl Write, kind: &'static str, row: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { row: kind, values: row })?;
    out.write_all(b"\n")
}

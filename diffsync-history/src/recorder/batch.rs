//! Rows that wait to be written together.

use std::mem;

use crate::change::ChangeRow;
use crate::database::{Insert, Rows, Statement};
use crate::entry::EntryRow;
use crate::line::LineRow;

/// How many rows are written together at most.
const SIZE: usize = 5_000;

/// How many bytes of text are written together, give or take a row: records may be large.
const BYTES: usize = 8 << 20;

/// Rows that wait to be written together.
#[derive(Default)]
pub(super) struct Batch {
    changes: Rows<ChangeRow>,
    entries: Vec<EntryRow>,
    lines: Rows<LineRow>,
    /// What else is written with them.
    others: Vec<Statement>,
    /// How long their texts are.
    bytes: usize,
}

/// How many changes, log entries and log lines of a sync there are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowCounts {
    pub(super) changes: i64,
    pub(super) entries: i64,
    pub(super) lines: i64,
    /// Those that could not be written.
    pub(super) dropped: i64,
}

impl Batch {
    pub(super) fn add_change(&mut self, change: ChangeRow) {
        self.bytes += change.bytes();
        self.changes.push(change);
    }

    pub(super) fn add_entry(&mut self, entry: EntryRow) {
        self.bytes += entry.bytes();
        let entry = match self.entries.last_mut() {
            Some(last) => last.join(entry),
            None => Some(entry),
        };
        self.entries.extend(entry);
    }

    pub(super) fn add_line(&mut self, line: LineRow) {
        self.bytes += line.bytes();
        self.lines.push(line);
    }

    pub(super) fn add_statement(&mut self, statement: Statement) {
        self.others.push(statement);
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows() >= SIZE || self.bytes >= BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows() == 0 && self.others.is_empty()
    }

    /// How many changes are among the rows.
    pub(super) fn changes(&self) -> i64 {
        number(self.changes.len())
    }

    /// How many log entries its rows stand for.
    fn entry_count(&self) -> i64 {
        self.entries.iter().map(|entry| entry.count).sum()
    }

    fn rows(&self) -> usize {
        self.changes.len() + self.entries.len() + self.lines.len()
    }

    /// The counts once it is written.
    pub(super) fn added_to(&self, counts: RowCounts) -> RowCounts {
        RowCounts {
            changes: counts.changes + number(self.changes.len()),
            entries: counts.entries + self.entry_count(),
            lines: counts.lines + number(self.lines.len()),
            dropped: counts.dropped,
        }
    }

    /// The counts if it cannot be written.
    pub(super) fn dropped_from(&self, counts: RowCounts) -> RowCounts {
        let dropped = self.changes() + self.entry_count() + number(self.lines.len());
        RowCounts { dropped: counts.dropped + dropped, ..counts }
    }

    /// Without its rows: what else there is to write is little, and can be written later.
    pub(super) fn without_rows(self) -> Self {
        Self { others: self.others, ..Self::default() }
    }

    /// What writes it, where `now` is the clock of the database.
    pub(super) fn writes(&mut self, sync_no: i64, counts: RowCounts, now: &str) -> (Vec<Statement>, Vec<Insert>) {
        let mut entries = Rows::default();
        entries.extend(mem::take(&mut self.entries));
        let inserts = [
            mem::take(&mut self.changes).insert(sync_no),
            entries.insert(sync_no),
            mem::take(&mut self.lines).insert(sync_no),
        ];

        // In the same transaction, so the counts are those of the rows, and a run that is killed ended no earlier than its
        // last row.
        let RowCounts { changes, entries, lines, dropped } = counts;
        let mut statements = self.others.clone();
        let sql = format!(
            "UPDATE history_sync SET changes = $1, entries = $2, lines = $3, dropped = $4, heartbeat_at = {now} WHERE no = $5"
        );
        statements.push(Statement::new(
            sql,
            vec![changes.into(), entries.into(), lines.into(), dropped.into(), sync_no.into()],
        ));
        (statements, inserts.into_iter().flatten().collect())
    }
}

pub(super) fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! Statements with their values, and inserts of many rows.

use std::marker::PhantomData;

use super::Value;

/// A statement with its values.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(sql: impl Into<String>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values }
    }
}

/// A row of a large table.
pub(crate) trait BulkRow {
    /// The table.
    const TABLE: &'static str;
    /// Its columns but for the first, which is the number of the sync.
    const COLUMNS: &'static [Column];

    /// Adds the values of the columns.
    fn add_values(self, values: &mut Vec<Value>);
}

/// A column of a large table.
pub(crate) type Column = (&'static str, ColumnType);

/// The types of columns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ColumnType {
    /// A whole number.
    Integer,
    /// A text.
    Text,
}

/// Rows of one sync that are inserted into a large table.
///
/// A row that exists is left alone, so rows may be inserted again if it is unknown whether they were.
#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) sync_no: i64,
    /// The values of all rows, one row after the other.
    pub(crate) values: Vec<Value>,
}

/// Rows that wait to be inserted.
pub(crate) struct Rows<R> {
    /// The values of all rows, one row after the other.
    values: Vec<Value>,
    count: usize,
    kind: PhantomData<R>,
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self { values: Vec::new(), count: 0, kind: PhantomData }
    }
}

impl<R: BulkRow> Rows<R> {
    pub(crate) fn push(&mut self, row: R) {
        row.add_values(&mut self.values);
        self.count += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// What inserts them, if there are any.
    pub(crate) fn insert(self, sync_no: i64) -> Option<Insert> {
        let Self { values, count, .. } = self;
        (count > 0).then_some(Insert { table: R::TABLE, columns: R::COLUMNS, sync_no, values })
    }
}

impl<R: BulkRow> Extend<R> for Rows<R> {
    fn extend<I: IntoIterator<Item = R>>(&mut self, rows: I) {
        rows.into_iter().for_each(|row| self.push(row));
    }
}

impl Insert {
    /// The names of the columns.
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

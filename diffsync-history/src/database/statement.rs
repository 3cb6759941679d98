//! Statements with their values, and inserts of many rows.

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

impl Insert {
    pub(crate) fn new<R: BulkRow>(sync_no: i64, rows: Vec<R>) -> Self {
        let mut values = Vec::with_capacity(rows.len() * R::COLUMNS.len());
        for row in rows {
            row.add_values(&mut values);
        }
        Self { table: R::TABLE, columns: R::COLUMNS, sync_no, values }
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

//! Statements with their values.

use serde::Serialize;

use super::{Column, Dialect, Value};

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

    /// Inserts rows of a sync, all with one value: a JSON array of them.
    pub(crate) fn insert<R: BulkRow>(dialect: &Dialect, sync_no: i64, rows: &[R]) -> Self {
        // Rows are of numbers and texts, which serialise.
        let json = serde_json::to_string(rows).unwrap_or_default();
        Self::new(dialect.insert(R::TABLE, R::COLUMNS), vec![sync_no.into(), json.into()])
    }
}

/// A row of a large table. It serialises as an object with its columns as keys.
pub(crate) trait BulkRow: Serialize {
    /// The table.
    const TABLE: &'static str;
    /// Its columns but for the sync's number.
    const COLUMNS: &'static [Column];
}

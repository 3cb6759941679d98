//! Rows of query results.

use sqlx::Row as _;
#[cfg(feature = "postgres")]
use sqlx::postgres::PgRow;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqliteRow;

use super::on_each;

/// A row of a query's result.
pub(crate) enum Row {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(PgRow),
}

#[cfg(feature = "sqlite")]
impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

#[cfg(feature = "postgres")]
impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

impl Row {
    pub(crate) fn flag(&self, column: &str) -> Result<bool, sqlx::Error> {
        on_each!(Self, self, row => row.try_get(column))
    }

    pub(crate) fn integer(&self, column: &str) -> Result<i64, sqlx::Error> {
        on_each!(Self, self, row => row.try_get(column))
    }

    pub(crate) fn optional_integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        on_each!(Self, self, row => row.try_get(column))
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, sqlx::Error> {
        on_each!(Self, self, row => row.try_get(column))
    }

    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        on_each!(Self, self, row => row.try_get(column))
    }

    /// A text that is read as something else.
    pub(crate) fn parsed<T>(&self, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, sqlx::Error> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| sqlx::Error::ColumnDecode {
            index: column.to_owned(),
            source: format!("`{text}` is not known").into(),
        })
    }

    /// A column of JSON, if it has a value.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<Option<T>, sqlx::Error> {
        let Some(text) = self.optional_text(column)? else { return Ok(None) };
        let value = serde_json::from_str(&text);
        value.map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() }).map(Some)
    }
}

//! Pages of a list. A page begins after a row, not at an offset, so that the last page is as fast as the first.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::database::Value;
use crate::error::HistoryError;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows of the page.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A place in a list, after which a page begins. As text, it can be part of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub(crate) i64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = HistoryError;

    fn from_str(text: &str) -> Result<Self, HistoryError> {
        text.parse().map(Self).map_err(|_| HistoryError::Cursor(text.to_owned()))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which page is wanted.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// The page begins after this place, the first page without one.
    pub after: Option<Cursor>,
    /// How many rows it has at most.
    pub size: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { after: None, size: 100 }
    }
}

impl PageRequest {
    /// The first rows of a list.
    #[must_use]
    pub fn first(size: u32) -> Self {
        Self { after: None, size }
    }

    /// The page that begins after a place.
    #[must_use]
    pub fn after(cursor: Cursor, size: u32) -> Self {
        Self { after: Some(cursor), size }
    }

    /// One row more than wanted, which shows whether there is a next page.
    pub(crate) fn limit(self) -> i64 {
        i64::from(self.size) + 1
    }
}

impl<T> Page<T> {
    /// The page of rows that a query with [`PageRequest::limit`] returned, each with its place.
    pub(crate) fn of(mut rows: Vec<(i64, T)>, request: PageRequest) -> Self {
        let size = request.size as usize;
        let has_next = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| has_next).map(|(place, _)| Cursor(*place));
        Self { items: rows.into_iter().map(|(_, row)| row).collect(), next }
    }
}

/// A query that conditions are added to.
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Query {
    /// A query that ends with a condition, in which `?` is the first value.
    pub(crate) fn new(sql: &str, value: impl Into<Value>) -> Self {
        let mut query = Self { sql: String::new(), values: Vec::new() };
        query.push(sql, value.into());
        query
    }

    /// Adds a part of the text, in which `?` is the value.
    pub(crate) fn push(&mut self, sql: &str, value: Value) {
        self.values.push(value);
        self.sql += &sql.replace('?', &format!("${}", self.values.len()));
    }

    /// Adds a condition, in which `?` is the value.
    pub(crate) fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.sql += " AND ";
        self.push(condition, value.into());
    }

    /// Adds a condition if it has a value.
    pub(crate) fn and_if<V: Into<Value>>(&mut self, condition: &str, value: Option<V>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    /// Adds that a column has one of these values, if there are any.
    pub(crate) fn and_any(&mut self, column: &str, values: impl IntoIterator<Item = String>) {
        let mut before = format!(" AND {column} IN (");
        let mut is_any = false;
        for value in values {
            self.push(&format!("{before}?"), value.into());
            before = ", ".into();
            is_any = true;
        }
        if is_any {
            self.sql.push(')');
        }
    }

    /// Adds that one of these columns contains a text, ignoring case.
    pub(crate) fn and_contains(&mut self, columns: &[&str], text: Option<&str>) {
        let Some(text) = text else { return };
        let pattern = format!("%{}%", text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_"));
        let like = columns.iter().map(|column| format!(r"lower({column}) LIKE lower(?) ESCAPE '\'"));
        self.and(&format!("({})", like.collect::<Vec<_>>().join(" OR ")), pattern);
    }

    /// Ends it with an order and a limit.
    pub(crate) fn page(&mut self, order: &str, request: PageRequest) {
        self.push(&format!(" ORDER BY {order} LIMIT ?"), request.limit().into());
    }
}

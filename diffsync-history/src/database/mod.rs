//! The two kinds of database, and all that differs between them.
//!
//! Every other module writes one SQL text for both, with values as `$1`.

#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod value;

pub(crate) use self::row::Row;
pub(crate) use self::statement::{BulkRow, Statement};
pub(crate) use self::value::{Value, clean};

use std::fmt::Write as _;
use std::time::Duration;

#[cfg(feature = "postgres")]
use sqlx::postgres::{PgPool, Postgres};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::error::{Cause, HistoryError};
use crate::url::{HistoryUrl, Place};

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Connections to one database.
#[derive(Clone)]
pub(crate) enum Pool {
    #[cfg(feature = "sqlite")]
    Sqlite(SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}

/// One connection of a [`Pool`].
pub(crate) enum Connection {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::pool::PoolConnection<Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::pool::PoolConnection<Postgres>),
}

/// Runs the same code on either kind.
macro_rules! on_each {
    ($kind:ident, $value:expr, $each:ident => $work:expr) => {
        match $value {
            #[cfg(feature = "sqlite")]
            $kind::Sqlite($each) => $work,
            #[cfg(feature = "postgres")]
            $kind::Postgres($each) => $work,
        }
    };
}
use on_each;

/// A query with its values.
macro_rules! query {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for value in $values {
            query = match value {
                Value::Flag(flag) => query.bind(flag),
                Value::Integer(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
            };
        }
        query
    }};
}

impl Pool {
    /// Opens a database, and creates it where it is a file that does not exist.
    pub(crate) async fn open(url: &HistoryUrl, connections: u32) -> Result<Self, HistoryError> {
        let opened = match url.place() {
            #[cfg(feature = "sqlite")]
            Place::File(path) => sqlite::open(path, connections).await.map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Place::Server(server) => postgres::open(server, connections).await.map(Self::Postgres),
            #[allow(unreachable_patterns, reason = "with both features there is nothing left")]
            _ => Err(Cause::NotBuiltIn),
        };
        opened.map_err(|cause| HistoryError::new(url, "open the history", cause))
    }

    pub(crate) async fn acquire(&self) -> Result<Connection, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => pool.acquire().await.map(Connection::Sqlite),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        on_each!(Self, self, pool => pool.close().await);
    }

    /// What is particular to this kind of database.
    pub(crate) fn dialect(&self) -> &'static Dialect {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => &sqlite::DIALECT,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => &postgres::DIALECT,
        }
    }
}

impl Connection {
    /// Executes a statement, and returns how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, sqlx::Error> {
        on_each!(Self, self, connection => {
            Ok(query!(sql, values).execute(&mut **connection).await?.rows_affected())
        })
    }

    /// The rows of a query.
    pub(crate) async fn fetch(&mut self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, sqlx::Error> {
        on_each!(Self, self, connection => {
            let rows = query!(sql, values).fetch_all(&mut **connection).await?;
            Ok(rows.into_iter().map(Row::from).collect())
        })
    }

    /// Executes several statements without values.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        on_each!(Self, self, connection => {
            (&mut **connection).execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)
        })
    }
}

/// What differs between the two kinds of database.
pub(crate) struct Dialect {
    /// The numbered changes of the schema, the first one creating it.
    pub(crate) migrations: &'static [&'static str],
    /// Begins a transaction that no other program migrates in.
    pub(crate) begin_migration: &'static [&'static str],
    /// Begins a transaction that writes.
    pub(crate) begin: &'static str,
    /// Selects a row if there is a schema.
    pub(crate) has_schema: &'static str,
    /// The time now in microseconds since 1970, by the clock that all programs share.
    pub(crate) now: &'static str,
    /// Gives the space of deleted rows back.
    pub(crate) vacuum: Vacuum,
    /// A table of the objects in a JSON array, which is the value `$2`.
    json_rows: fn(&[Column]) -> JsonRows,
    /// Whether a column of JSON objects has a key: the column, the path to the object, and the placeholder of the key.
    pub(crate) has_key: fn(&str, &str, &str) -> String,
}

/// How the space of deleted rows is given back.
pub(crate) enum Vacuum {
    /// In steps, until a query returns that no page is free, and a statement at the end.
    #[cfg(feature = "sqlite")]
    Steps {
        step: &'static str,
        free: &'static str,
        end: &'static str,
    },
    /// By one statement, which does not lock others out.
    #[cfg(feature = "postgres")]
    Once(&'static str),
}

/// A column of a bulk insert.
pub(crate) type Column = (&'static str, ColumnType);

/// The types of columns.
#[derive(Clone, Copy)]
pub(crate) enum ColumnType {
    /// A whole number.
    Integer,
    /// A text.
    Text,
}

/// The parts of a query that reads rows from JSON.
struct JsonRows {
    /// What is selected, a text for each column.
    columns: Vec<String>,
    /// From what.
    from: String,
}

impl Dialect {
    /// The statement that inserts rows of a sync, whose number is `$1`, from a JSON array of objects, which is `$2`.
    ///
    /// A row that exists is left alone, so a batch may be written again if it is unknown whether it was written.
    pub(crate) fn insert(&self, table: &str, columns: &[Column]) -> String {
        let JsonRows { columns: selected, from } = (self.json_rows)(columns);
        let mut sql = format!("INSERT INTO {table} (sync_no");
        for (name, _) in columns {
            // Writing to a string does not fail.
            let _ = write!(sql, ", {name}");
        }
        let selected = selected.join(", ");
        let _ = write!(sql, ") SELECT $1, {selected} FROM {from} WHERE true ON CONFLICT DO NOTHING");
        sql
    }
}

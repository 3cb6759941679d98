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
pub(crate) use self::statement::{BulkRow, Column, ColumnType, Insert, Rows, Statement};
pub(crate) use self::value::{Value, clean};

#[cfg(feature = "postgres")]
use sqlx::postgres::{PgPool, Postgres};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::error::{Cause, HistoryError};
use crate::url::{HistoryUrl, Place};

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

/// Binds values to a query.
macro_rules! bind {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Flag(flag) => query.bind(flag),
                Value::Integer(number) => query.bind(number),
                Value::Text(Some(text)) => query.bind(text),
                Value::Text(None) => query.bind(None::<&str>),
                Value::Name(name) => query.bind(name),
            };
        }
        query
    }};
}
#[cfg(feature = "sqlite")]
use bind;

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

    /// Connections of its own to the same database, for another runtime.
    pub(crate) fn separate(&self, connections: u32) -> Self {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => Self::Sqlite(sqlite::pool((*pool.connect_options()).clone(), connections)),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Self::Postgres(postgres::pool((*pool.connect_options()).clone(), connections)),
        }
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
            Ok(bind!(sqlx::query(AssertSqlSafe(sql)), values).execute(&mut **connection).await?.rows_affected())
        })
    }

    /// The rows of a query.
    pub(crate) async fn fetch(&mut self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, sqlx::Error> {
        on_each!(Self, self, connection => {
            let rows = bind!(sqlx::query(AssertSqlSafe(sql)), values).fetch_all(&mut **connection).await?;
            Ok(rows.into_iter().map(Row::from).collect())
        })
    }

    /// Inserts rows.
    pub(crate) async fn insert(&mut self, insert: &Insert) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::insert(connection, insert).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::insert(connection, insert).await,
        }
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
    /// Reclaims the space of deleted rows.
    pub(crate) vacuum: Vacuum,
    /// What follows a table's name so that it is read by an index.
    pub(crate) use_index: fn(&str) -> String,
    /// Joins each row with those of a table that meet a condition, which compares more than equal values.
    pub(crate) join_range: fn(&str, &str) -> String,
    /// Whether a column of JSON objects has a key: the column, the path to the object, and the placeholder of the key.
    pub(crate) has_key: fn(&str, &str, &str) -> String,
}

/// How the space of deleted rows is given back.
pub(crate) enum Vacuum {
    /// In steps, until a query returns that no page is free, and a statement at the end.
    #[cfg(feature = "sqlite")]
    Steps { step: &'static str, free: &'static str, end: &'static str },
    /// By one statement, which does not lock others out.
    #[cfg(feature = "postgres")]
    Once(&'static str),
}

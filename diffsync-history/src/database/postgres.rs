//! A history on a `PostgreSQL` server.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};
use tokio::time::timeout;
use url::Url;

use super::{ColumnType, Dialect, Insert, Vacuum, Value};
use crate::error::Cause;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

pub(super) static DIALECT: Dialect = Dialect {
    migrations: &[include_str!("../schema/postgres-1.sql"), include_str!("../schema/postgres-2.sql")],
    // The number is arbitrary, and the same in every version of the program.
    begin_migration: &["BEGIN", "SELECT pg_advisory_xact_lock(7304811920016)"],
    begin: "BEGIN",
    // Not `to_regclass`, which may answer from before the lock was taken.
    has_schema: "SELECT 1 AS found FROM pg_class WHERE relname = 'history_schema' AND pg_table_is_visible(oid)",
    now: "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
    vacuum: Vacuum::Once("VACUUM history_change, history_entry, history_line"),
    use_index: |_| String::new(),
    // Otherwise it might compare each row with all others. `OFFSET` keeps this a query of its own for each row.
    join_range: |table, condition| {
        format!("LEFT JOIN LATERAL (SELECT * FROM {table} WHERE {condition} ORDER BY seq OFFSET 0) AS c ON true")
    },
    has_key: |column, path, key| format!("jsonb_exists({column}::jsonb->'{path}', {key})"),
};

/// Inserts rows with one statement, whose values are an array for each column.
pub(super) async fn insert(connection: &mut PgConnection, insert: &Insert) -> Result<(), sqlx::Error> {
    let names = insert.names();
    let arrays = insert.columns.iter().zip(2..).map(|((_, ty), number)| match ty {
        ColumnType::Integer => format!("${number}::bigint[]"),
        ColumnType::Text => format!("${number}::text[]"),
    });
    let arrays = arrays.collect::<Vec<_>>().join(", ");
    let table = insert.table;
    let sql = format!(
        "INSERT INTO {table} (sync_no, {names}) SELECT $1, r.* FROM unnest({arrays}) AS r ON CONFLICT DO NOTHING"
    );

    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(insert.sync_no);
    for (at, (_, ty)) in insert.columns.iter().enumerate() {
        let column = insert.values.iter().skip(at).step_by(insert.columns.len());
        query = match ty {
            ColumnType::Integer => query.bind(column.map(Value::integer).collect::<Vec<_>>()),
            ColumnType::Text => query.bind(column.map(Value::text).collect::<Vec<_>>()),
        };
    }
    query.execute(connection).await.map(drop)
}

pub(super) async fn open(url: &Url, connections: u32) -> Result<PgPool, Cause> {
    let options = PgConnectOptions::from_str(url.as_str())?.disable_statement_logging();

    // A pool retries until its time is up, and then no longer knows why; the first connection says it at once.
    let first = timeout(CONNECT_LIMIT, options.connect()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    first.close().await?;

    Ok(pool(options, connections))
}

pub(super) fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(CONNECT_LIMIT);
    pool.idle_timeout(Duration::from_mins(1)).connect_lazy_with(options)
}

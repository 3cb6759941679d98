//! A history on a `PostgreSQL` server.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection as _};
use tokio::time::timeout;
use url::Url;

use super::{CONNECT_LIMIT, Column, ColumnType, Dialect, JsonRows, Vacuum};
use crate::error::Cause;

pub(super) static DIALECT: Dialect = Dialect {
    migrations: &[include_str!("../schema/postgres-1.sql")],
    // The number is arbitrary, and the same in every version of the program.
    begin_migration: &["BEGIN", "SELECT pg_advisory_xact_lock(7304811920016)"],
    begin: "BEGIN",
    // Not `to_regclass`, which may answer from before the lock was taken.
    has_schema: "SELECT 1 AS found FROM pg_class WHERE relname = 'history_schema' AND pg_table_is_visible(oid)",
    now: "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
    vacuum: Vacuum::Once("VACUUM history_change, history_entry, history_line"),
    json_rows,
    has_key: |column, path, key| format!("jsonb_exists({column}::jsonb->'{path}', {key})"),
};

fn json_rows(columns: &[Column]) -> JsonRows {
    let types = columns.iter().map(|(name, ty)| match ty {
        ColumnType::Integer => format!("{name} bigint"),
        ColumnType::Text => format!("{name} text"),
    });
    let types = types.collect::<Vec<_>>().join(", ");
    let columns = columns.iter().map(|(name, _)| format!("r.{name}")).collect();
    JsonRows { columns, from: format!("json_to_recordset($2::text::json) AS r ({types})") }
}

pub(super) async fn open(url: &Url, connections: u32) -> Result<PgPool, Cause> {
    let options = PgConnectOptions::from_str(url.as_str())?.disable_statement_logging();

    // A pool retries until its time is up, and then no longer knows why; the first connection says it at once.
    let first = timeout(CONNECT_LIMIT, options.connect()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    first.close().await?;

    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(CONNECT_LIMIT);
    Ok(pool.idle_timeout(Duration::from_mins(1)).connect_lazy_with(options))
}

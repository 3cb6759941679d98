//! A history in an `SQLite` file.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};

use super::{Dialect, Insert, Vacuum, Value, bind};
use crate::error::Cause;

/// How long a statement waits for another program that writes.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// How many rows one statement inserts, the most first. There are few such statements, so that each is prepared once. The more
/// rows one has, the fewer columns have the same value in all of them.
const ROWS: [usize; 3] = [250, 50, 10];

pub(super) static DIALECT: Dialect = Dialect {
    migrations: &[include_str!("../schema/sqlite-1.sql"), include_str!("../schema/sqlite-2.sql")],
    begin_migration: &["BEGIN IMMEDIATE"],
    begin: "BEGIN IMMEDIATE",
    has_schema: "SELECT 1 AS found FROM sqlite_master WHERE name = 'history_schema'",
    now: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    vacuum: Vacuum::Steps {
        step: "PRAGMA incremental_vacuum(500)",
        free: "SELECT freelist_count AS pages FROM pragma_freelist_count",
        // The first checkpoint blocks no other connection, and leaves little work to the second, which shortens the log.
        end: "PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(TRUNCATE)",
    },
    // Without statistics it would read a table by its key.
    use_index: |index| format!(" INDEXED BY {index}"),
    join_range: |table, condition| format!("LEFT JOIN {table} ON {condition}"),
    has_key: |column, path, key| {
        format!("EXISTS (SELECT 1 FROM json_each({column}, '$.\"{path}\"') AS its WHERE its.key = {key})")
    },
};

/// Inserts rows, some hundreds with one statement.
///
/// A value that all rows of a statement have is bound once: binding takes longer than all else that is done with it.
pub(super) async fn insert(connection: &mut SqliteConnection, insert: &Insert) -> Result<(), sqlx::Error> {
    let width = insert.columns.len();
    let mut rest = &*insert.values;
    while !rest.is_empty() {
        let left = rest.len() / width;
        let count = ROWS.into_iter().find(|count| *count <= left).unwrap_or(1);
        let (rows, after) = rest.split_at(count * width);
        rest = after;
        let is_shared: Vec<_> = (0..width).map(|column| is_shared(rows, width, column)).collect();

        let mut own = 0;
        let columns = is_shared.iter().map(|is_shared| {
            if *is_shared {
                return "?".to_owned();
            }
            own += 1;
            format!("column{own}")
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let row = format!("({})", vec!["?"; own].join(", "));
        let sql = format!(
            "INSERT INTO {} (sync_no, {}) SELECT ?, {columns} FROM (VALUES {}) WHERE true ON CONFLICT DO NOTHING",
            insert.table,
            insert.names(),
            vec![&*row; count].join(", "),
        );

        let query = sqlx::query(AssertSqlSafe(sql)).bind(insert.sync_no);
        let shared = rows.iter().zip(&is_shared).filter(|(_, is_shared)| **is_shared);
        let query = bind!(query, shared.map(|(value, _)| value.clone()));
        let each = rows.iter().zip(is_shared.iter().cycle()).filter(|(_, is_shared)| !**is_shared);
        let query = bind!(query, each.map(|(value, _)| value.clone()));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Whether all of these rows have the same value in a column. No two have the same in the first, which is their position.
fn is_shared(rows: &[Value], width: usize, column: usize) -> bool {
    let mut values = rows.iter().skip(column).step_by(width);
    let first = values.next();
    column > 0 && values.all(|value| Some(value) == first)
}

pub(super) async fn open(path: &Path, connections: u32) -> Result<SqlitePool, Cause> {
    create(path).map_err(Cause::File)?;

    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_LIMIT)
        .row_buffer_size(1_000)
        .pragma("cache_size", "-16384")
        // 32 MiB: each checkpoint waits for the disk.
        .pragma("wal_autocheckpoint", "8192")
        .disable_statement_logging();

    // These two are kept in the file.
    let first = options.clone().auto_vacuum(SqliteAutoVacuum::Incremental).journal_mode(SqliteJournalMode::Wal);
    let begun = Instant::now();
    loop {
        let connected = match first.connect().await {
            Ok(connection) => connection.close().await,
            Err(error) => Err(error),
        };
        match connected {
            Ok(()) => break,
            // The change of the journal's mode does not wait for other programs by itself.
            Err(error) if is_busy(&error) && begun.elapsed() < BUSY_LIMIT => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }

    Ok(pool(options, connections))
}

pub(super) fn pool(options: SqliteConnectOptions, connections: u32) -> SqlitePool {
    SqlitePoolOptions::new().max_connections(connections).acquire_timeout(BUSY_LIMIT).connect_lazy_with(options)
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Creates the file and its folder where they are missing, for this user alone.
fn create(path: &Path) -> io::Result<()> {
    if path.exists() {
        // Says why it cannot be opened better than the database does.
        return fs::File::open(path)
            .and_then(|file| file.metadata())
            .and_then(|metadata| if metadata.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(()) });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = fs::OpenOptions::new();
    file.create(true).append(true);

    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        if let Some(folder) = folder {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        file.mode(0o600);
    }
    #[cfg(not(unix))]
    if let Some(folder) = folder {
        fs::create_dir_all(folder)?;
    }

    // SQLite takes an empty file as a new database, and gives its other files the mode of this one.
    file.open(path).map(drop)
}

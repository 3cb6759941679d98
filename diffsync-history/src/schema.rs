//! The version of the schema, and its migrations.

use crate::database::{Connection, Dialect};
use crate::error::{Cause, HistoryError};
use crate::time;
use crate::url::HistoryUrl;

/// The text of the version that is written into a history.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Brings a history's schema up to this program's version.
pub(crate) async fn migrate(
    url: &HistoryUrl,
    connection: &mut Connection,
    dialect: &Dialect,
) -> Result<(), HistoryError> {
    let failed = |error: sqlx::Error| HistoryError::new(url, "read the schema", error);

    // Nothing is locked if there is nothing to do, so a history that may only be read can be read.
    let known = version_of(dialect.migrations.len());
    match version(connection, dialect).await.map_err(failed)? {
        Some((version, _)) if version == known => return Ok(()),
        Some((version, program)) if version > known => {
            return Err(HistoryError::Newer { url: url.clone(), version, program, known });
        }
        _ => {}
    }

    let migrated = write(connection, dialect, known).await;
    if migrated.is_err() {
        // The connection may be gone, which rolls back as well.
        let _ = connection.run("ROLLBACK").await;
    }
    match migrated.map_err(|error| HistoryError::new(url, "create or update the schema", Cause::from(error)))? {
        Some((version, program)) => Err(HistoryError::Newer { url: url.clone(), version, program, known }),
        None => Ok(()),
    }
}

/// Applies the missing migrations, or returns the version that a newer program has written since.
async fn write(
    connection: &mut Connection,
    dialect: &Dialect,
    known: i64,
) -> Result<Option<(i64, String)>, sqlx::Error> {
    for sql in dialect.begin_migration {
        connection.run(sql).await?;
    }

    // Another program may have migrated before this one got the lock.
    let current = version(connection, dialect).await?;
    let done = match current {
        Some((version, program)) if version > known => {
            connection.run("ROLLBACK").await?;
            return Ok(Some((version, program)));
        }
        Some((version, _)) => version,
        None => {
            let create =
                "CREATE TABLE history_schema (version BIGINT PRIMARY KEY, program TEXT NOT NULL, at BIGINT NOT NULL)";
            connection.run(create).await?;
            0
        }
    };

    for (version, sql) in (1..).zip(dialect.migrations).filter(|(version, _)| *version > done) {
        connection.run(sql).await?;
        let values = vec![version.into(), PROGRAM.into(), time::now().as_microsecond().into()];
        connection.execute("INSERT INTO history_schema (version, program, at) VALUES ($1, $2, $3)", values).await?;
    }
    connection.run("COMMIT").await?;
    Ok(None)
}

/// The version of a schema and the program that wrote it, if there is one.
async fn version(connection: &mut Connection, dialect: &Dialect) -> Result<Option<(i64, String)>, sqlx::Error> {
    if connection.fetch(dialect.has_schema, Vec::new()).await?.is_empty() {
        return Ok(None);
    }
    let newest = "SELECT version, program FROM history_schema ORDER BY version DESC LIMIT 1";
    let rows = connection.fetch(newest, Vec::new()).await?;
    rows.first().map(|row| Ok((row.integer("version")?, row.text("program")?))).transpose()
}

fn version_of(migrations: usize) -> i64 {
    i64::try_from(migrations).unwrap_or(i64::MAX)
}

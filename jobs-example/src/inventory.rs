//! The inventory: an embedded `SQLite` database that is made when something is first written to it.

use std::path::Path;
use std::str::FromStr;

use diffsync_core::{AdapterError, TargetError, Url, redacted_url};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::OnceCell;

/// The tables of the inventory. What is there already stays as it is.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS regions (
        id INTEGER PRIMARY KEY,
        slug TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS countries (
        id INTEGER PRIMARY KEY,
        slug TEXT NOT NULL UNIQUE,
        region_id INTEGER NOT NULL REFERENCES regions (id),
        name TEXT NOT NULL,
        subregion TEXT NOT NULL,
        population INTEGER NOT NULL,
        area INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS device_tags (
        device TEXT NOT NULL,
        tag TEXT NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (device, tag)
    );
";

/// A connection to the inventory.
pub(crate) struct Inventory {
    url: Url,
    options: SqliteConnectOptions,
    pool: OnceCell<SqlitePool>,
    /// Set once the tables are known to be there.
    tables: OnceCell<()>,
}

impl Inventory {
    /// Takes note of where the inventory is. Nothing is opened or made yet, so a dry run leaves no file behind.
    pub(crate) fn at(url: &Url) -> Result<Self, AdapterError> {
        let unusable = |why: &str| {
            AdapterError::new(format!("the inventory `{}` {why}, as in `sqlite://inventory.db`", redacted_url(url)))
        };
        if url.scheme() != "sqlite" {
            return Err(unusable("must be an SQLite database"));
        }
        let options = SqliteConnectOptions::from_str(url.as_str())
            .map_err(|error| {
                AdapterError::context(format!("`{}` is not the URL of an SQLite database", redacted_url(url)), error)
            })?
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Normal);
        let file = options.get_filename();
        if file.as_os_str().is_empty() || file.to_string_lossy().contains(":memory:") || file.is_dir() {
            return Err(unusable("must be a file"));
        }
        if file.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            return Err(unusable("must be in a folder that exists"));
        }
        Ok(Self { url: url.clone(), options, pool: OnceCell::new(), tables: OnceCell::new() })
    }

    /// The database to read these tables from, or `None` if there is no inventory yet or it has none of them.
    pub(crate) async fn to_read(&self, tables: &[&str]) -> Result<Option<&SqlitePool>, AdapterError> {
        let file: &Path = self.options.get_filename();
        if !file.exists() {
            return Ok(None);
        }
        let pool = self.pool.get_or_try_init(|| self.connect(self.options.clone())).await;
        let pool = pool.map_err(|error| self.unusable(error))?;
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .fetch_all(pool)
            .await
            .map_err(|error| self.unusable(error))?;
        let missing: Vec<_> = tables.iter().filter(|table| !names.iter().any(|name| name == *table)).collect();
        match missing.as_slice() {
            [] => Ok(Some(pool)),
            all if all.len() == tables.len() => Ok(None),
            // To take a table that is gone for an empty one would create everything anew.
            some => Err(AdapterError::new(format!("the inventory `{}` lacks {some:?}", redacted_url(&self.url)))),
        }
    }

    /// The database to write to, made with its tables if need be.
    pub(crate) async fn to_write(&self) -> Result<&SqlitePool, TargetError> {
        let create = self.options.clone().create_if_missing(true);
        let pool = self.pool.get_or_try_init(|| self.connect(create)).await.map_err(|error| self.refused(error))?;
        let made = self.tables.get_or_try_init(|| async { sqlx::raw_sql(SCHEMA).execute(pool).await.map(drop) }).await;
        made.map_err(|error| self.refused(error))?;
        Ok(pool)
    }

    async fn connect(&self, options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
        // SQLite writes one transaction at a time.
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await
    }

    fn unusable(&self, error: sqlx::Error) -> AdapterError {
        AdapterError::context(format!("cannot read the inventory `{}`", redacted_url(&self.url)), error)
    }

    /// A database that breaks a rule of its tables refuses one record; any other trouble would hit all of them.
    pub(crate) fn refused(&self, error: sqlx::Error) -> TargetError {
        match &error {
            sqlx::Error::Database(database) if database.kind() != sqlx::error::ErrorKind::Other => error.into(),
            _ => TargetError::fatal(format!("cannot write to the inventory `{}`: {error}", redacted_url(&self.url))),
        }
    }
}

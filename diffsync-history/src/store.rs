//! The handle of a history.

use std::fmt;

use crate::database::{Connection, Dialect, Insert, Pool, Row, Statement, Value};
use crate::error::HistoryError;
use crate::schema::migrate;
use crate::url::HistoryUrl;

/// How many queries a history answers at a time.
const CONNECTIONS: u32 = 4;

/// A history: what runs have left behind, in an `SQLite` file or on a `PostgreSQL` server.
///
/// It is cheap to clone, and several programs may use one history at the same time. Its connections belong to the tokio
/// runtime in which it was opened.
#[derive(Clone)]
pub struct History {
    url: HistoryUrl,
    pool: Pool,
}

impl History {
    /// Opens a history. It is created on first use, and brought up to this program's version.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached or written, is something else, or was written by a newer program.
    pub async fn open(url: &HistoryUrl) -> Result<Self, HistoryError> {
        let history = Self { url: url.clone(), pool: Pool::open(url, CONNECTIONS).await? };
        let mut connection = history.connection("open the history").await?;
        migrate(url, &mut connection, history.dialect()).await?;
        drop(connection);
        Ok(history)
    }

    /// The same history with one connection of its own, for another runtime. Call it in that.
    pub(crate) fn separate(&self) -> Self {
        Self { url: self.url.clone(), pool: self.pool.separate(1) }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &HistoryUrl {
        &self.url
    }

    /// Closes all its connections. Clones of it can no longer be used.
    pub async fn close(self) {
        self.pool.close().await;
    }

    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.pool.dialect()
    }

    pub(crate) async fn connection(&self, doing: &'static str) -> Result<Connection, HistoryError> {
        self.pool.acquire().await.map_err(|error| self.error(doing, error))
    }

    /// Executes a statement, and returns how many rows it changed.
    pub(crate) async fn execute(
        &self,
        doing: &'static str,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<u64, HistoryError> {
        let mut connection = self.connection(doing).await?;
        connection.execute(sql, values).await.map_err(|error| self.error(doing, error))
    }

    /// The rows of a query, each as `read` reads it.
    pub(crate) async fn fetch<T>(
        &self,
        doing: &'static str,
        sql: &str,
        values: Vec<Value>,
        read: impl Fn(&Row) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, HistoryError> {
        let mut connection = self.connection(doing).await?;
        let rows = connection.fetch(sql, values).await.map_err(|error| self.error(doing, error))?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| self.error(doing, error))
    }

    /// Executes statements and inserts rows, all of them or none.
    pub(crate) async fn execute_all(
        &self,
        doing: &'static str,
        statements: &[Statement],
        inserts: &[Insert],
    ) -> Result<(), HistoryError> {
        let mut connection = self.connection(doing).await?;
        let written = self.transaction(&mut connection, statements, inserts).await;
        if written.is_err() {
            // The connection may be gone, which rolls back as well.
            let _ = connection.run("ROLLBACK").await;
        }
        written.map_err(|error| self.error(doing, error))
    }

    async fn transaction(
        &self,
        connection: &mut Connection,
        statements: &[Statement],
        inserts: &[Insert],
    ) -> Result<(), sqlx::Error> {
        connection.run(self.dialect().begin).await?;
        for Statement { sql, values } in statements {
            connection.execute(sql, values.clone()).await?;
        }
        for insert in inserts {
            connection.insert(insert).await?;
        }
        connection.run("COMMIT").await
    }

    pub(crate) fn error(&self, doing: &'static str, error: sqlx::Error) -> HistoryError {
        HistoryError::new(&self.url, doing, error)
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("url", &self.url).finish_non_exhaustive()
    }
}

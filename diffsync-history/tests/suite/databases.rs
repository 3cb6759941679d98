//! The databases that tests run on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use diffsync_history::{History, HistoryUrl};
pub(crate) use diffsync_test_servers::block_on;
use diffsync_test_servers::{postgres, test_on};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A place for a history that does not exist yet.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) kind: Kind,
    pub(crate) url: HistoryUrl,
    /// The URL with the password.
    pub(crate) text: String,
    pub(crate) folder: Option<Arc<TempDir>>,
}

/// Runs a test on each kind of database.
pub(crate) fn on_each<F: Future<Output = ()>>(test: impl Fn(Database) -> F) {
    let kinds = [Kind::Sqlite].into_iter().chain(postgres().map(|_| Kind::Postgres));
    for kind in kinds {
        test_on(kind, async {
            let database = Database::new(kind).await;
            test(database.clone()).await;
        });
    }
}

impl Database {
    pub(crate) async fn new(kind: Kind) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        match kind {
            Kind::Sqlite => {
                let folder = TempDir::new().unwrap();
                let text = format!("sqlite://{}/history.db", folder.path().display());
                Self { kind, url: text.parse().unwrap(), text, folder: Some(folder.into()) }
            }
            Kind::Postgres => {
                let server = postgres().unwrap();
                let name = format!("history_{}", COUNT.fetch_add(1, Ordering::Relaxed));
                let base = format!("postgres://{}:{}@127.0.0.1:{}", server.user, server.password, server.port);
                let mut connection = PgConnection::connect(&format!("{base}/postgres")).await.unwrap();
                // A database of its own, since what other tests do in one keeps space from being given back.
                let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
                connection.execute(sqlx::raw_sql(create)).await.unwrap();
                let text = format!("{base}/{name}");
                Self { kind, url: text.parse().unwrap(), text, folder: None }
            }
        }
    }

    pub(crate) async fn open(&self) -> History {
        History::open(&self.url).await.unwrap()
    }

    /// Executes statements as anybody could.
    pub(crate) async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql);
        match self.kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.text).await.unwrap();
                connection.execute(sqlx::raw_sql(sql)).await.unwrap();
                connection.close().await.unwrap();
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.text).await.unwrap();
                connection.execute(sqlx::raw_sql(sql)).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// The numbers that a query returns.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let sql = AssertSqlSafe(sql);
        match self.kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.text).await.unwrap();
                let rows = connection.fetch_all(sqlx::raw_sql(sql)).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.text).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// Makes a run's process look as if it had not shown for a minute that it is alive.
    pub(crate) async fn let_a_minute_pass(&self) {
        self.run(
            "UPDATE history_lease SET expires_at = expires_at - 60000000; \
             UPDATE history_sync SET heartbeat_at = heartbeat_at - 60000000",
        )
        .await;
    }
}

impl Database {
    /// All bytes of the database that may hold a text.
    pub(crate) async fn everything(&self) -> String {
        match self.kind {
            Kind::Sqlite => {
                let folder = self.folder.as_ref().unwrap().path();
                let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
                String::from_utf8_lossy(&files.collect::<Vec<_>>().concat()).into_owned()
            }
            Kind::Postgres => {
                let tables = ["sync", "step", "change", "entry", "line", "lease"];
                let rows = tables.map(|table| format!("SELECT row_to_json(t)::text FROM history_{table} AS t"));
                let mut connection = PgConnection::connect(&self.text).await.unwrap();
                let sql = AssertSqlSafe(rows.join(" UNION ALL "));
                let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
                rows.concat()
            }
        }
    }
}

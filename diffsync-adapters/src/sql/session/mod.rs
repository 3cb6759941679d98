//! The connections to a database, and the transactions on them.

pub(crate) mod error;
pub(crate) mod server;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use diffsync_core::adapter::{AdapterError, TargetError};
use tokio::sync::Mutex as AsyncMutex;

use self::error::ends_connection;
use self::server::Server;
use super::dialect::Connection;

/// The connections to a database, and the transactions on them.
pub(crate) struct Session {
    server: Server,
    pub(crate) transaction_scope: TransactionScope,
    /// Whether a database that is a file is created if it does not exist.
    pub(crate) creates: bool,
    pub(crate) connect_timeout: Duration,
    idle: Mutex<Vec<Box<dyn Connection>>>,
    /// The transaction of the run.
    run: AsyncMutex<RunState>,
    /// The number of abandoned transactions. Rows that were read in one of them may not exist.
    given_up: AtomicU64,
}

/// The scope of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransactionScope {
    /// One transaction for each batch: written batches stay, however the rest of the run ends.
    #[default]
    PerBatch,
    /// One transaction for the whole run: it is committed at the end, and if one record fails, nothing is written.
    PerRun,
}

/// The transaction of a run that is written as a whole.
enum RunState {
    /// Nothing was written yet.
    NotBegun,
    Open(Box<dyn Connection>),
    /// Nothing more can be written, and nothing was.
    Lost(String),
}

impl Session {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            transaction_scope: TransactionScope::PerBatch,
            creates: false,
            connect_timeout: Duration::from_secs(10),
            idle: Mutex::default(),
            run: AsyncMutex::new(RunState::NotBegun),
            given_up: AtomicU64::new(0),
        }
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The number of abandoned transactions. Rows that were read in one of them may not exist.
    pub(crate) fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Acquire)
    }

    /// Takes an idle connection, or opens one.
    pub(crate) async fn connection(&self, create: bool) -> Result<Box<dyn Connection>, sqlx::Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let within = self.connect_timeout;
        let late = |_| std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {within:?}"));
        tokio::time::timeout(within, self.server.dialect().connect(create)).await.map_err(late)?
    }

    /// Keeps an idle connection for the next use.
    pub(crate) fn give_back(&self, connection: Box<dyn Connection>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Abandons a transaction that was not completed. Its connection is closed, which rolls it back.
    pub(crate) async fn start_over(&self) {
        *self.run.lock().await = RunState::NotBegun;
        self.note_given_up();
    }

    fn note_given_up(&self) {
        self.given_up.fetch_add(1, Ordering::AcqRel);
    }

    /// Begins to write a batch.
    pub(crate) async fn begin(&self) -> Result<Writing<'_>, TargetError> {
        let failed = |error: &sqlx::Error| self.server.write_error("begin to write", error, &[]);
        if self.transaction_scope == TransactionScope::PerBatch {
            let mut connection = self.connection(self.creates).await.map_err(|error| failed(&error))?;
            connection.execute(self.server.dialect().begin()).await.map_err(|error| failed(&error))?;
            return Ok(Writing { session: self, connection, is_alone: true, run: None });
        }

        let mut run = self.run.lock().await;

        // A batch that is dropped before its end leaves the transaction lost.
        let lost = RunState::Lost("a batch was not written to its end, and this run is written as a whole".into());
        let (connection, is_alone) = match std::mem::replace(&mut *run, lost) {
            RunState::NotBegun => {
                let begun = async {
                    let mut connection = self.connection(self.creates).await?;
                    connection.execute(self.server.dialect().begin()).await?;
                    Ok(connection)
                };

                match begun.await {
                    Ok(connection) => (connection, true),
                    Err(error) => {
                        *run = RunState::NotBegun;
                        return Err(failed(&error));
                    }
                }
            }
            RunState::Open(connection) => (connection, false),
            RunState::Lost(reason) => {
                *run = RunState::Lost(reason.clone());
                return Err(TargetError::fatal(reason));
            }
        };

        let mut writing = Writing { session: self, connection, is_alone, run: Some(run) };
        match writing.connection.execute("SAVEPOINT diffsync_batch").await {
            Ok(()) => Ok(writing),
            Err(error) => Err(writing.lose(&error)),
        }
    }

    /// Completes a run: all of it, or nothing.
    pub(crate) async fn complete(&self, is_whole: bool) -> Result<(), AdapterError> {
        let mut run = self.run.lock().await;
        match std::mem::replace(&mut *run, RunState::NotBegun) {
            RunState::NotBegun => Ok(()),
            RunState::Lost(reason) => Err(AdapterError::new(format!("nothing was written: {reason}"))),
            RunState::Open(mut connection) if is_whole => match connection.execute("COMMIT").await {
                Ok(()) => {
                    self.give_back(connection);
                    Ok(())
                }
                Err(error) => Err(match self.lost_answer(&error) {
                    Some(lost) => AdapterError::unknown(lost),
                    None => AdapterError::context(
                        format!("the commit in `{}` failed", self.server.shown()),
                        self.server.describe_error(&error),
                    ),
                }),
            },
            // Its connection is closed, which rolls it back.
            RunState::Open(_) => {
                self.note_given_up();
                Err(AdapterError::new("nothing was written: some records failed, and this run is written as a whole"))
            }
        }
    }

    /// The message for an error in answer to a commit, if it leaves open whether the commit was carried out.
    fn lost_answer(&self, error: &sqlx::Error) -> Option<String> {
        let rolled_back = match error {
            sqlx::Error::Database(error) => self.server.dialect().rolled_back(&**error),
            _ => false,
        };
        let (place, words) = (self.server.shown(), self.server.describe_error(error));
        (!rolled_back).then(|| {
            format!("the answer to a commit in `{place}` was lost, so check there whether it was carried out: {words}")
        })
    }
}

/// A batch that is being written. If it is dropped before its end, its connection is closed, which rolls it back.
pub(crate) struct Writing<'s> {
    session: &'s Session,
    pub(crate) connection: Box<dyn Connection>,
    /// Whether nothing else was written in its transaction.
    is_alone: bool,
    /// The place of the run's transaction, if it is written as a whole.
    run: Option<tokio::sync::MutexGuard<'s, RunState>>,
}

impl Writing<'_> {
    /// Commits the batch.
    pub(crate) async fn commit(mut self) -> Result<(), TargetError> {
        if self.run.is_some() {
            return match self.connection.execute("RELEASE SAVEPOINT diffsync_batch").await {
                Ok(()) => {
                    self.keep();
                    Ok(())
                }
                Err(error) => Err(self.lose(&error)),
            };
        }

        match self.connection.execute("COMMIT").await {
            Ok(()) => {
                self.keep();
                Ok(())
            }
            Err(error) => Err(match self.session.lost_answer(&error) {
                // Retrying could write it twice.
                Some(lost) => TargetError::unknown(lost),
                None => self.session.server.write_error("commit", &error, &[]),
            }),
        }
    }

    /// Rolls the batch back, and returns an error if that ends the run.
    pub(crate) async fn undo(mut self, error: Option<&sqlx::Error>) -> Result<(), TargetError> {
        let useless = error.is_some_and(ends_connection);
        if self.is_alone {
            if !useless && self.connection.execute("ROLLBACK").await.is_ok() {
                self.session.give_back(self.connection);
            }
            // A run that writes nothing is not completed: it must not leave a transaction open.
            if let Some(mut run) = self.run {
                *run = RunState::NotBegun;
            }
            return Ok(());
        }

        let undone_all = match error {
            Some(sqlx::Error::Database(error)) => self.session.server.dialect().aborts_transaction(&**error),
            _ => false,
        };
        if let Some(error) = error
            && (useless || undone_all)
        {
            return Err(self.lose(error));
        }

        match self.connection.execute("ROLLBACK TO SAVEPOINT diffsync_batch").await {
            Ok(()) => {
                self.keep();
                Ok(())
            }
            Err(error) => Err(self.lose(&error)),
        }
    }

    fn keep(self) {
        match self.run {
            Some(mut run) => *run = RunState::Open(self.connection),
            None => self.session.give_back(self.connection),
        }
    }

    /// The run's transaction is gone, and with it all that was written.
    fn lose(self, error: &sqlx::Error) -> TargetError {
        self.session.note_given_up();
        let (place, words) = (self.session.server.shown(), self.session.server.describe_error(error));
        let reason = format!("the transaction of the run in `{place}` was lost: {words}");
        if let Some(mut run) = self.run {
            *run = RunState::Lost(reason.clone());
        }
        TargetError::fatal(reason)
    }
}

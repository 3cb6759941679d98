//! The connections to a database, and the transactions on them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diffsync_core::schema::ModelSchema;
use diffsync_core::{AdapterError, TargetError, Url, redacted_url};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use super::Transaction;
use super::database::{Connection, Database, Nature};
use super::error::ends_connection;
use super::find::Found;
use super::foreign::ForeignKey;
use super::load::Catalogue;
use super::schema::{Leads, SqlTable};
use super::twins::Twins;

/// A database with the connections to it.
pub(crate) struct Session {
    url: Url,
    database: Box<dyn Database>,
    /// The tables of the data set.
    pub(crate) tables: Vec<&'static SqlTable>,
    /// Their models, in the same order.
    pub(crate) schemas: Vec<&'static ModelSchema>,
    pub(crate) transaction: Transaction,
    pub(crate) create_tables: bool,
    pub(crate) connect_within: Duration,
    idle: Mutex<Vec<Box<dyn Connection>>>,
    /// The transaction of the run.
    run: AsyncMutex<RunState>,
    /// Set once the tables are known to be there.
    pub(crate) made: OnceCell<()>,
    /// The keys that were found.
    pub(crate) found: Mutex<HashMap<&'static Leads, Found>>,
    /// What the database says of its tables.
    pub(crate) catalogue: AsyncMutex<Catalogue>,
    /// How its tables are written.
    pub(crate) natures: AsyncMutex<HashMap<&'static str, Arc<Nature>>>,
    /// The records that the database takes for others, by model.
    pub(crate) twins: AsyncMutex<HashMap<&'static str, Arc<Twins>>>,
    /// The columns of identifiers that may take the values of different rows for the same, by table.
    pub(crate) coarse_columns: AsyncMutex<HashMap<&'static str, Arc<Vec<&'static str>>>>,
    /// The foreign keys that act when rows of the data set are deleted or changed.
    pub(crate) foreign_keys: AsyncMutex<Option<Arc<Vec<ForeignKey>>>>,
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
    pub(crate) fn new(
        url: Url,
        database: Box<dyn Database>,
        tables: Vec<&'static SqlTable>,
        schemas: Vec<&'static ModelSchema>,
    ) -> Self {
        Self {
            url,
            database,
            tables,
            schemas,
            transaction: Transaction::PerBatch,
            create_tables: false,
            connect_within: Duration::from_secs(10),
            idle: Mutex::default(),
            run: AsyncMutex::new(RunState::NotBegun),
            made: OnceCell::new(),
            found: Mutex::default(),
            catalogue: AsyncMutex::default(),
            natures: AsyncMutex::default(),
            twins: AsyncMutex::default(),
            coarse_columns: AsyncMutex::default(),
            foreign_keys: AsyncMutex::default(),
        }
    }

    /// The URL as it may be shown.
    pub(crate) fn shown(&self) -> String {
        redacted_url(&self.url)
    }

    pub(crate) fn database(&self) -> &dyn Database {
        &*self.database
    }

    /// The column of the other table that a foreign key holds.
    pub(crate) fn key_of(&self, leads: &'static Leads) -> &'static str {
        let own = || self.tables.iter().find(|table| table.name == leads.table)?.key_column();
        leads.key.or_else(own).unwrap_or("id")
    }

    /// A connection that nobody else uses.
    pub(crate) async fn connection(&self, create: bool) -> Result<Box<dyn Connection>, sqlx::Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let within = self.connect_within;
        let late = |_| std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {within:?}"));
        tokio::time::timeout(within, self.database.connect(create)).await.map_err(late)?
    }

    /// Keeps a connection for whoever needs one next.
    pub(crate) fn give_back(&self, connection: Box<dyn Connection>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Forgets a transaction that was not completed, and what was found out in it.
    pub(crate) async fn start_over(&self) {
        // Its connection is closed, which undoes it.
        *self.run.lock().await = RunState::NotBegun;
        *self.catalogue.lock().await = Catalogue::default();
        self.natures.lock().await.clear();
        self.twins.lock().await.clear();
        self.coarse_columns.lock().await.clear();
        *self.foreign_keys.lock().await = None;
        self.forget();
    }

    /// Forgets which keys were found.
    pub(crate) fn forget(&self) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Begins to write a batch.
    pub(crate) async fn begin(&self) -> Result<Writing<'_>, TargetError> {
        let failed = |error: &sqlx::Error| self.unwritable("begin to write", error, &[]);
        if self.transaction == Transaction::PerBatch {
            let mut connection = self.connection(self.create_tables).await.map_err(|error| failed(&error))?;
            connection.run(self.database.begin()).await.map_err(|error| failed(&error))?;
            return Ok(Writing { session: self, connection, is_alone: true, run: None });
        }
        let mut run = self.run.lock().await;
        // Whoever does not come back leaves it lost.
        let lost = RunState::Lost("a batch was not written to its end, and this run is written as a whole".into());
        let (connection, is_alone) = match std::mem::replace(&mut *run, lost) {
            RunState::NotBegun => {
                let begun = async {
                    let mut connection = self.connection(self.create_tables).await?;
                    connection.run(self.database.begin()).await?;
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
        match writing.connection.run("SAVEPOINT diffsync_batch").await {
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
            RunState::Open(mut connection) if is_whole => match connection.run("COMMIT").await {
                Ok(()) => {
                    self.give_back(connection);
                    Ok(())
                }
                Err(error) => Err(match self.lost_answer(&error) {
                    Some(lost) => AdapterError::unknown(lost),
                    None => {
                        AdapterError::context(format!("the commit in `{}` failed", self.shown()), self.words(&error))
                    }
                }),
            },
            // Its connection is closed, which undoes it.
            RunState::Open(_) => {
                self.forget();
                Err(AdapterError::new(
                    "nothing was written: not every record could be, and this run is written as a whole",
                ))
            }
        }
    }

    /// What is said of an error that answers a commit, if it leaves open whether that was carried out.
    fn lost_answer(&self, error: &sqlx::Error) -> Option<String> {
        let took_back = match error {
            sqlx::Error::Database(error) => self.database.took_back(&**error),
            _ => false,
        };
        let (place, words) = (self.shown(), self.words(error));
        (!took_back).then(|| {
            format!("the answer to a commit in `{place}` was lost, so look there whether it was carried out: {words}")
        })
    }
}

/// A batch that is being written. What is dropped without an end closes its connection, which undoes it.
pub(crate) struct Writing<'s> {
    session: &'s Session,
    pub(crate) connection: Box<dyn Connection>,
    /// Whether nothing else was written in its transaction.
    is_alone: bool,
    /// The place of the run's transaction, if it is written as a whole.
    run: Option<tokio::sync::MutexGuard<'s, RunState>>,
}

impl Writing<'_> {
    /// Makes what was written stay.
    pub(crate) async fn commit(mut self) -> Result<(), TargetError> {
        if self.run.is_some() {
            return match self.connection.run("RELEASE SAVEPOINT diffsync_batch").await {
                Ok(()) => {
                    self.keep();
                    Ok(())
                }
                Err(error) => Err(self.lose(&error)),
            };
        }
        match self.connection.run("COMMIT").await {
            Ok(()) => {
                self.keep();
                Ok(())
            }
            Err(error) => Err(match self.session.lost_answer(&error) {
                // To try again could write it twice.
                Some(lost) => TargetError::unknown(lost),
                None => self.session.unwritable("commit", &error, &[]),
            }),
        }
    }

    /// Undoes what was written because of an error, and says what that means for the run.
    pub(crate) async fn undo(mut self, error: Option<&sqlx::Error>) -> Result<(), TargetError> {
        let useless = error.is_some_and(ends_connection);
        if self.is_alone {
            if !useless && self.connection.run("ROLLBACK").await.is_ok() {
                self.session.give_back(self.connection);
            }
            // A run that writes nothing is not completed: it must not leave a transaction open.
            if let Some(mut run) = self.run {
                *run = RunState::NotBegun;
            }
            return Ok(());
        }
        let undone_all = match error {
            Some(sqlx::Error::Database(error)) => self.session.database.undoes_all(&**error),
            _ => false,
        };
        if let Some(error) = error
            && (useless || undone_all)
        {
            return Err(self.lose(error));
        }
        match self.connection.run("ROLLBACK TO SAVEPOINT diffsync_batch").await {
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
        self.session.forget();
        let (place, words) = (self.session.shown(), self.session.words(error));
        let reason = format!("the transaction of the run in `{place}` was lost: {words}");
        if let Some(mut run) = self.run {
            *run = RunState::Lost(reason.clone());
        }
        TargetError::fatal(reason)
    }
}

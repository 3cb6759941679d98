//! The state that the steps of one adapter share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diffsync_core::adapter::TargetError;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use super::catalogue::equal_identifiers::EqualIdentifiers;
use super::catalogue::foreign_keys::ReferringKey;
use super::catalogue::{Catalogue, foreign_keys};
use super::dialect::{Column, Connection, Database, TableBehavior};
use super::model::schema::{ForeignKey, Part};
use super::model::tables::ModelTables;
use super::model::value::Value;
use super::session::Session;
use super::session::error::WriteError;
use super::session::server::Server;

/// The session of an adapter, the tables of its data set, and facts about them that were queried in this run.
pub(crate) struct SqlContext {
    pub(crate) session: Session,
    pub(crate) models: ModelTables,
    /// Whether tables that do not exist are created.
    pub(crate) create_tables: bool,
    /// Set once the tables are known to exist.
    pub(crate) tables_created: OnceCell<()>,
    pub(crate) catalogue: Catalogue,
    /// The records that the database takes for others, by model.
    pub(crate) equal_identifiers: AsyncMutex<HashMap<&'static str, Arc<EqualIdentifiers>>>,
    /// The columns of identifiers in which rows may hold different values that the column calls equal, by table.
    pub(crate) inexact_identifiers: AsyncMutex<HashMap<&'static str, Arc<Vec<&'static str>>>>,
    keys: Mutex<KeyCache>,
}

impl SqlContext {
    pub(crate) fn new(session: Session, models: ModelTables) -> Self {
        Self {
            session,
            models,
            create_tables: false,
            tables_created: OnceCell::new(),
            catalogue: Catalogue::default(),
            equal_identifiers: AsyncMutex::default(),
            inexact_identifiers: AsyncMutex::default(),
            keys: Mutex::default(),
        }
    }

    pub(crate) fn server(&self) -> &Server {
        self.session.server()
    }

    pub(crate) fn database(&self) -> &dyn Database {
        self.server().dialect()
    }

    /// Forgets a transaction that was not completed, and what was learned in it.
    pub(crate) async fn start_over(&self) {
        self.session.start_over().await;
        self.catalogue.clear().await;
        self.equal_identifiers.lock().await.clear();
        self.inexact_identifiers.lock().await.clear();
    }

    /// The keys that were looked up, without those from an abandoned transaction, whose rows may not exist.
    pub(crate) fn keys(&self) -> MutexGuard<'_, KeyCache> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up = self.session.given_up();
        if keys.given_up != given_up {
            *keys = KeyCache { given_up, found: HashMap::new() };
        }
        keys
    }

    /// The column of the other table that a foreign key holds.
    pub(crate) fn key_of(&self, foreign_key: &'static ForeignKey) -> &'static str {
        self.models.key_of(foreign_key)
    }

    /// The columns of a table, for a step that writes to it.
    pub(crate) async fn columns(
        &self,
        connection: &mut dyn Connection,
        table: &str,
    ) -> Result<Arc<Vec<Column>>, WriteError> {
        let columns = self.catalogue.columns(self.server(), connection, table).await;
        columns.map_err(|error| WriteError::Known(TargetError::fatal(error.to_string())))
    }

    /// How a table is written.
    pub(crate) async fn behavior(
        &self,
        connection: &mut dyn Connection,
        table: &'static str,
    ) -> Result<Arc<TableBehavior>, sqlx::Error> {
        self.catalogue.behavior(connection, table).await
    }

    /// The foreign keys that act on rows which refer to our tables.
    pub(crate) async fn foreign_keys(
        &self,
        connection: &mut dyn Connection,
    ) -> Result<Arc<Vec<ReferringKey>>, sqlx::Error> {
        self.catalogue.foreign_keys(&self.models, self.server(), connection).await
    }

    /// Whether two names are those of one column.
    pub(crate) fn is_column(&self, one: &str, other: &str) -> bool {
        foreign_keys::is_column(self.server(), one, other)
    }
}

/// The keys that were found by natural key, `None` if several rows have it.
pub(crate) type FoundKeys = HashMap<Vec<String>, Option<Value<'static>>>;

/// The keys that foreign keys hold, by the natural keys that records hold.
#[derive(Default)]
pub(crate) struct KeyCache {
    /// How many transactions were given up when these were found.
    given_up: u64,
    pub(crate) found: HashMap<&'static ForeignKey, FoundKeys>,
}

impl KeyCache {
    /// Forgets the keys that were found in a table, or by way of it, if one of these columns is part of a natural key
    /// there; those of all columns if none are given.
    pub(crate) fn forget_in(&mut self, table: &str, columns: Option<&[&str]>) {
        self.found.retain(|foreign_key, _| !goes_by(foreign_key, table, columns));
    }
}

/// Whether a lookup uses one of these columns of a table.
fn goes_by(foreign_key: &ForeignKey, table: &str, columns: Option<&[&str]>) -> bool {
    let here = foreign_key.table == table;
    foreign_key.parts.iter().any(|part| match part {
        Part::Column(column) => here && columns.is_none_or(|columns| columns.contains(column)),
        Part::Lookup(further) => {
            (here && columns.is_none_or(|columns| columns.contains(&further.column)))
                || goes_by(further, table, columns)
        }
    })
}

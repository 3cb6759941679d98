//! A database's catalogue: facts about its tables. Each is queried once in a run.

pub(crate) mod collation;
pub(crate) mod equal_identifiers;
pub(crate) mod foreign_keys;

use std::collections::HashMap;
use std::sync::Arc;

use diffsync_core::adapter::AdapterError;
use tokio::sync::Mutex;

use self::foreign_keys::ReferringKey;
use super::dialect::quoting::suggestion;
use super::dialect::{Column, Connection, TableBehavior};
use super::model::tables::ModelTables;
use super::session::server::Server;

/// The facts about tables that were queried so far.
#[derive(Default)]
pub(crate) struct Catalogue {
    columns: Mutex<HashMap<String, Arc<Vec<Column>>>>,
    behaviors: Mutex<HashMap<&'static str, Arc<TableBehavior>>>,
    foreign_keys: Mutex<Option<Arc<Vec<ReferringKey>>>>,
}

impl Catalogue {
    /// The columns of a table.
    pub(crate) async fn columns(
        &self,
        server: &Server,
        connection: &mut dyn Connection,
        table: &str,
    ) -> Result<Arc<Vec<Column>>, AdapterError> {
        let mut known = self.columns.lock().await;
        if let Some(columns) = known.get(table) {
            return Ok(Arc::clone(columns));
        }

        let columns = connection.columns(table).await.map_err(|error| server.unreadable(table, &error))?;
        if columns.is_empty() {
            let there = connection.tables().await.map_err(|error| server.unreadable(table, &error))?;
            let suggestion = suggestion(table, there.iter().map(String::as_str));
            return Err(server.schema_error(&format!("there is no table `{table}`{suggestion}")));
        }

        let columns = Arc::new(columns);
        known.insert(table.to_owned(), Arc::clone(&columns));
        Ok(columns)
    }

    /// How a table is written.
    pub(crate) async fn behavior(
        &self,
        connection: &mut dyn Connection,
        table: &'static str,
    ) -> Result<Arc<TableBehavior>, sqlx::Error> {
        let mut known = self.behaviors.lock().await;
        if let Some(behavior) = known.get(table) {
            return Ok(Arc::clone(behavior));
        }

        let behavior = Arc::new(connection.behavior(table).await?);
        known.insert(table, Arc::clone(&behavior));
        Ok(behavior)
    }

    /// The foreign keys that act on rows which refer to our tables.
    pub(crate) async fn foreign_keys(
        &self,
        models: &ModelTables,
        server: &Server,
        connection: &mut dyn Connection,
    ) -> Result<Arc<Vec<ReferringKey>>, sqlx::Error> {
        let mut known = self.foreign_keys.lock().await;
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }

        let found = Arc::new(foreign_keys::query_foreign_keys(models, server, connection).await?);
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    /// Forgets all of it, for the next run.
    pub(crate) async fn clear(&self) {
        self.columns.lock().await.clear();
        self.behaviors.lock().await.clear();
        *self.foreign_keys.lock().await = None;
    }
}

/// The column of this name.
pub(crate) fn column_of<'c>(columns: &'c [Column], table: &str, name: &str) -> Result<&'c Column, String> {
    columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let suggestion = suggestion(name, columns.iter().map(|column| column.name.as_str()));
        format!("`{table}` has no column `{name}`{suggestion}")
    })
}

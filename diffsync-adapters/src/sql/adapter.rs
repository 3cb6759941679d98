//! The adapter of a database.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use diffsync_core::adapter::{
    AdapterError, Capabilities, CompleteContext, HealthCheck, LoadContext, TargetError, WriteContext,
};
use diffsync_core::data::{HasTable, Side, VisitedBy};
use diffsync_core::value::{Url, redact_url};
use diffsync_core::{Adapter, Dataset, ModelExt, Target};

use super::catalogue::Catalogue;
use super::context::SqlContext;
use super::dialect::Database;
use super::entries::{ModelEntries, ModelEntry};
use super::model::SqlModel;
use super::model::tables::ModelTables;
use super::session::server::Server;
use super::session::{Session, TransactionScope};
use super::steps::answers::{apart, only, together};
use super::steps::load::Loading;
use super::steps::{check, conflict, create_tables, equal_identifiers, write};

/// A database with a data set in which all models have [`SqlModel`](derive@crate::SqlModel).
///
/// Its URL is `sqlite://inventory.db`, `postgres://user:password@host/database`, `mysql://…` or `mariadb://…`. The query of
/// the URL sets further options of the `sqlx` driver, as in `?sslmode=verify-full`; unknown options are errors.
///
/// Nothing is opened before it is needed.
pub struct Sql<D> {
    pub(crate) context: SqlContext,
    entries: Vec<ModelEntry<D>>,
    batch_size: usize,
    max_connections: usize,
    data: PhantomData<fn() -> D>,
}

impl<D: VisitedBy<ModelEntries<D>>> Sql<D> {
    /// An adapter for the database at a URL.
    ///
    /// # Errors
    ///
    /// If the URL does not name a database, or one whose feature is not enabled, or has an option that its
    /// driver does not know.
    pub fn open(url: &Url) -> Result<Self, AdapterError> {
        let entries = ModelEntries::of_data();
        let (tables, schemas) = entries.iter().map(|entry| (entry.table, entry.schema)).unzip();
        let database = database(url)?;
        let batch_size = database.default_batch_size();
        let session = Session::new(Server::new(url.clone(), database));
        let context = SqlContext::new(session, ModelTables { tables, schemas });
        Ok(Self { context, entries, batch_size, max_connections: 1, data: PhantomData })
    }

    /// Creates missing tables at the first write, with a unique key over the identifiers, and a foreign key for each lookup.
    /// Until then, missing tables count as empty, and so does a missing `SQLite` file.
    #[must_use]
    pub fn create_tables(mut self) -> Self {
        self.context.create_tables = true;
        self.context.session.creates = true;
        self
    }

    /// Sets whether each batch or the whole run is one transaction.
    #[must_use]
    pub fn transaction_scope(mut self, scope: TransactionScope) -> Self {
        self.context.session.transaction_scope = scope;
        self
    }

    /// Sets the number of records per batch, by default 5,000, on `SQLite` 20,000.
    #[must_use]
    pub fn batch_size(mut self, records: usize) -> Self {
        self.batch_size = records.max(1);
        self
    }

    /// Limits the number of connections that write at the same time, one by default. `SQLite`, and a run in one transaction,
    /// always use one, even if a job or a run allows more.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// Sets how long connecting may take, ten seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.context.session.connect_timeout = time;
        self
    }
}

/// The database of a URL.
fn database(url: &Url) -> Result<Box<dyn Database>, AdapterError> {
    match url.scheme() {
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(Box::new(super::dialect::sqlite::Sqlite::at(url)?)),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(Box::new(super::dialect::postgres::Postgres::at(url)?)),
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => Ok(Box::new(super::dialect::mysql::MySql::at(url)?)),
        scheme => {
            let known = match scheme {
                "sqlite" => Some("sqlite"),
                "postgres" | "postgresql" => Some("postgres"),
                "mysql" | "mariadb" => Some("mysql"),
                _ => None,
            };

            let why = match known {
                Some(feature) => {
                    format!("needs the feature `{feature}` of `diffsync-adapters`, without which this was built")
                }
                None => "is not the URL of a database: expected `sqlite://`, `postgres://` or `mysql://`".into(),
            };
            Err(AdapterError::new(format!("`{}` {why}", redact_url(url))))
        }
    }
}

impl<D: Dataset + VisitedBy<ModelEntries<D>>> Adapter for Sql<D> {
    type Data = D;

    async fn load(&self, data: &mut D, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.context.start_over().await;
        let nothing = |data: &mut D| self.entries.iter().for_each(|entry| (entry.mark_loaded)(data));

        // A source that is missing must not pass for an empty one.
        let may_be_absent = self.context.create_tables && cx.side() == Side::Target;
        if !self.context.database().exists() {
            if may_be_absent {
                create_tables::check_lookup_targets(&self.context, None).await?;
                nothing(data);
                return Ok(());
            }

            let hint = "; with `create_tables()` it is created at the first write";
            let hint = if cx.side() == Side::Target { hint } else { "" };
            return Err(AdapterError::new(format!("there is no `{}`{hint}", self.context.server().shown())));
        }

        let mut connection =
            self.context.session.connection(false).await.map_err(|error| self.context.server().unreachable(&error))?;
        for begin in self.context.database().begin_snapshot() {
            connection.execute(begin).await.map_err(|error| self.context.server().unreachable(&error))?;
        }

        if may_be_absent && create_tables::no_table_exists(&self.context, &mut *connection).await? {
            create_tables::check_lookup_targets(&self.context, Some(&mut *connection)).await?;
            nothing(data);
        } else {
            // They are not created again, which would need the privilege to create tables.
            let _ = self.context.tables_created.set(());
            let catalogue = Catalogue::default();
            let mut loading = Loading { context: &self.context, connection: &mut *connection, cx, catalogue, done: 0 };
            for entry in &self.entries {
                (entry.load)(data, &mut loading).await?;
            }
            cx.progress(loading.done, None);
        }

        connection.execute("COMMIT").await.map_err(|error| self.context.server().unreachable(&error))?;
        self.context.session.give_back(connection);
        Ok(())
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, D>) -> Result<(), AdapterError> {
        let counts = synced.counts();
        let is_whole = counts.failed + counts.unknown + counts.not_attempted == 0;
        self.context.session.complete(is_whole).await
    }

    fn writes_at_complete(&self) -> bool {
        self.context.session.transaction_scope == TransactionScope::PerRun
    }

    fn rewrites(&self) -> bool {
        // Rows that cannot be loaded stay unchanged.
        false
    }

    async fn check(&self, health: &mut HealthCheck) {
        check::check(&self.context, health).await;
    }

    fn resource(&self) -> Option<String> {
        Some(self.context.server().resource())
    }
}

impl<D: Dataset + VisitedBy<ModelEntries<D>> + HasTable<M>, M: SqlModel> Target<M> for Sql<D> {
    async fn create(&self, new: &M, cx: &WriteContext<'_, D>) -> Result<M, TargetError> {
        only(self.create_many(&[new], cx).await?)
    }

    async fn update(&self, old: &M, patch: &M::Patch, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        only(conflict::update_or_name_holders(&self.context, &[(old, patch)]).await?)
    }

    async fn delete(&self, old: &M, cx: &WriteContext<'_, D>) -> Result<(), TargetError> {
        only(self.delete_many(&[old], cx).await?)
    }

    async fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        create_tables::create_tables(&self.context).await?;
        let twins = equal_identifiers::equal_identifiers(&self.context, || unmatched(cx)).await?;
        if twins.is_empty() {
            return conflict::create_or_name_holders(&self.context, new).await;
        }

        let (free, refused) = apart(new, |new| twins.to_create(*new));
        let written =
            if free.is_empty() { Vec::new() } else { conflict::create_or_name_holders(&self.context, &free).await? };
        Ok(together(written, refused))
    }

    async fn update_many(
        &self,
        changes: &[(&M, M::Patch)],
        _: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        let changes: Vec<(&M, &M::Patch)> = changes.iter().map(|(old, patch)| (*old, patch)).collect();
        conflict::update_or_name_holders(&self.context, &changes).await
    }

    async fn delete_many(
        &self,
        old: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        let twins = equal_identifiers::equal_identifiers(&self.context, || unmatched(cx)).await?;
        if twins.is_empty() {
            return write::delete(&self.context, old).await;
        }
        let (free, refused) = apart(old, |old| twins.to_delete(*old));
        let written = if free.is_empty() { Vec::new() } else { write::delete(&self.context, &free).await? };
        Ok(together(written, refused))
    }

    fn capabilities(&self) -> Capabilities {
        let concurrency_limit = match self.context.session.transaction_scope {
            TransactionScope::PerBatch => self.context.database().concurrency_limit(),
            TransactionScope::PerRun => Some(1),
        };
        let operations = <Self as Target<M>>::OPERATIONS;
        Capabilities { operations, concurrency: self.max_connections, concurrency_limit, batch: self.batch_size }
    }
}

/// The records of the source that the target lacks.
fn unmatched<'a, D: Dataset + HasTable<M>, M: SqlModel>(cx: &WriteContext<'a, D>) -> Vec<&'a M> {
    let records = HasTable::<M>::table(cx.source()).iter();
    records.filter(|record| cx.current::<M>(&record.id()).is_err()).collect()
}

impl<D> fmt::Debug for Sql<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sql").field("url", &self.context.server().shown()).finish_non_exhaustive()
    }
}

//! A JSON API as an adapter.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diffsync_core::adapter::{AdapterError, Capabilities, HealthCheck, LoadContext, TargetError, WriteContext};
use diffsync_core::data::{HasTable, Side, VisitedBy};
use diffsync_core::model::Operations;
use diffsync_core::{Adapter, Dataset, Target};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::Method;
use serde_json::Value;

use super::context::RestContext;
use super::dialect::{Dialect, Owner};
use super::entries::{ModelEntries, ModelEntry};
use super::http::client::Client;
use super::http::error::Error;
use super::model::RestModel;
use super::model::record_path::path_of;
use super::model::schema::{PartKind, RestSchema};
use super::source::RowSource;
use super::steps::check;
use super::steps::write::unwritable;
use super::unknown_keys::check_server_key;

/// A JSON API with the records of a data set: an adapter and a target for every data set in which all models have
/// `#[derive(RestModel)]`.
pub struct Rest<D> {
    pub(crate) context: RestContext,
    entries: Vec<ModelEntry<D>>,
}

impl<D> fmt::Debug for Rest<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest")
            .field("client", &self.context.client)
            .field("models", &self.entries)
            .finish_non_exhaustive()
    }
}

impl<D: Dataset + VisitedBy<ModelEntries<D>>> Rest<D> {
    /// The API that this client speaks to, of this dialect.
    #[must_use]
    pub fn new(client: Client, dialect: Dialect) -> Self {
        let entries = ModelEntries::of_data();
        let models = entries.iter().map(|entry| (entry.model, entry.schema)).collect();
        Self { context: RestContext::new(client, dialect, models), entries }
    }

    /// Stamps all records that are written, of models without an owner of their own. Records without the stamp are never
    /// deleted.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.context.owner = Some(owner);
        self.context.forget();
        self
    }

    /// Stamps only the records of these models, if those of others have no place for the stamp. Records of the others have no
    /// owner, and are never deleted.
    #[must_use]
    pub fn stamp_only(mut self, stamped: fn(&RestSchema) -> bool) -> Self {
        self.context.stamped = stamped;
        self.context.forget();
        self
    }

    /// Leaves out records with an empty part of the identifier, and logs their number. They are neither written nor deleted.
    /// By default one of them ends the load.
    #[must_use]
    pub fn skip_unnamed(mut self) -> Self {
        self.context.leaves_out_nameless = true;
        self
    }

    /// Reads the rows of collections from somewhere else.
    #[must_use]
    pub fn row_source(mut self, source: impl RowSource) -> Self {
        self.context.source = Arc::new(source);
        self
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.context.client
    }

    /// How the API differs from others.
    #[must_use]
    pub fn dialect(&self) -> &Dialect {
        &self.context.dialect
    }
}

impl<D: Dataset + VisitedBy<ModelEntries<D>>> Adapter for Rest<D> {
    type Data = D;

    async fn load(&self, data: &mut D, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.context.forget();
        let read = AtomicU64::new(0);
        let names: BTreeSet<String> = self.entries.iter().map(|model| model.schema.collection()).collect();
        stream::iter(names)
            .map(|name| {
                let read = &read;
                async move {
                    let mut progress = |more| cx.progress(read.fetch_add(more, Ordering::Relaxed) + more, None);
                    self.context.fetch(&name, &mut progress).await
                }
            })
            .buffer_unordered(self.context.client.concurrency())
            .try_collect::<()>()
            .await?;

        for model in &self.entries {
            let name = model.schema.collection();
            loop {
                let unread = self.context.cache().unread(&name, model.schema.fields);
                let Some(unread) = unread else { break };
                self.context.fetch_once(&unread).await?;
            }

            if let Some(Owner { kind: PartKind::Lookup { collection, .. }, .. }) = self.context.owner_of(model.schema) {
                self.context.fetch_once(collection).await?;
            }
        }

        if cx.side() == Side::Target {
            let cache = self.context.cache();
            self.entries.iter().try_for_each(|model| check_server_key(&cache, model.schema))?;
        }

        for model in &self.entries {
            (model.fill)(&self.context, data, cx.side())?;
        }

        match cx.side() {
            Side::Source => self.context.forget(),
            Side::Target => self.context.cache().forget_all_but_lookups(),
        }

        Ok(())
    }

    async fn check(&self, health: &mut HealthCheck) {
        check::check(&self.context, health).await;
    }

    fn resource(&self) -> Option<String> {
        Some(resource::of_url(self.client().base_url()))
    }
}

impl<D, M> Target<M> for Rest<D>
where
    D: Dataset + VisitedBy<ModelEntries<D>> + HasTable<M>,
    M: RestModel,
{
    fn capabilities(&self) -> Capabilities {
        let operations = if M::REST.key.has_field { Operations::all() } else { Operations::CREATE };
        Capabilities {
            operations,
            concurrency: self.context.dialect.at_once(),
            concurrency_limit: None,
            batch: self.context.dialect.bulk.batch(),
        }
    }

    async fn create(&self, new: &M, cx: &WriteContext<'_, D>) -> Result<M, TargetError> {
        let written = self.context.creation(new).await?;
        let mut alone = self.context.first_alone(M::REST.path).await?;

        let request = self.context.request(Method::POST, M::REST.path, &written);
        let told = match self.context.send_write::<M>(&request).await {
            Ok(told) => told,
            Err(error) => {
                let error = error.into_target_error();
                if let Some(proven) = &mut alone {
                    proven.failed(M::REST.path, &error);
                }
                drop(alone);
                return Err(Box::pin(self.context.conflicted(new, error, cx.planned_deletes())).await);
            }
        };

        let row = self.context.created_row(new, told, &request).await;
        if let Some(proven) = &mut alone {
            match &row {
                Ok(row) => self.context.prove(proven, new, std::slice::from_ref(row)).await,
                Err(error) => proven.failed(M::REST.path, error),
            }
        }

        drop(alone);
        let row = row?;

        self.context.stored_one(row, written).await
    }

    async fn update(&self, old: &M, patch: &M::Patch, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        let written = self.context.change(old, patch).await?;
        if written.body.is_empty() {
            return unwritable(old, patch);
        }

        let request = self.context.request(self.context.update_method(), &path_of(old)?, &written);
        let told = self.context.send_write::<M>(&request).await.map_err(Error::into_target_error)?;
        self.context.note_reached(M::REST.path);
        let row = match self.context.in_answer::<M>(told.body) {
            Value::Array(mut rows) if rows.len() == 1 => rows.pop().unwrap_or_default(),
            row => row,
        };
        self.context.stored_one(row, written).await
    }

    async fn delete(&self, old: &M, _: &WriteContext<'_, D>) -> Result<(), TargetError> {
        match self.context.send_write::<M>(&self.context.client.request(Method::DELETE, &path_of(old)?)).await {
            Ok(_) => self.context.note_reached(M::REST.path),
            // It does not exist any more, which is the goal; perhaps an earlier request deleted it whose answer was lost.
            Err(error) if error.is_gone() => Box::pin(self.context.surely_gone(old, &error)).await?,
            Err(error) => return Err(error.into_target_error()),
        }
        self.context.cache().remove(M::REST.path, &old.remote_key()?);
        Ok(())
    }

    async fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        if self.context.dialect.bulk.create {
            let mut answers = self.context.create_list(new).await?;
            for (answer, new) in answers.iter_mut().zip(new) {
                if let Err(error) = answer {
                    let known = std::mem::replace(error, TargetError::new(""));
                    *error = Box::pin(self.context.conflicted(*new, known, cx.planned_deletes())).await;
                }
            }
            return Ok(answers);
        }
        Ok(stream::iter((0..new.len()).map(|at| self.create(new[at], cx)))
            .buffered(self.context.dialect.at_once())
            .collect()
            .await)
    }

    async fn update_many(
        &self,
        changes: &[(&M, M::Patch)],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        if self.context.dialect.bulk.update {
            return self.context.update_list(changes).await;
        }
        let each = (0..changes.len()).map(|at| self.update(changes[at].0, &changes[at].1, cx));
        Ok(stream::iter(each).buffered(self.context.dialect.at_once()).collect().await)
    }

    async fn delete_many(
        &self,
        old: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        if self.context.dialect.bulk.delete {
            return self.context.delete_list(old).await;
        }
        Ok(stream::iter((0..old.len()).map(|at| self.delete(old[at], cx)))
            .buffered(self.context.dialect.at_once())
            .collect()
            .await)
    }
}
use crate::resource;

//! The state that the steps of a run share: an API, and the rows that were read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diffsync_core::adapter::AdapterError;

use super::cache::RowCache;
use super::cache::proof::PostProofs;
use super::dialect::{Dialect, Owner};
use super::http::body::{RowFilter, unpacked};
use super::http::client::Client;
use super::model::json_path;
use super::model::schema::{Part, PartKind, RestSchema};
use super::source::{Collection, PagedSource, RowSource};
use super::unknown_keys::{describe_missing, lacks_keys};

/// An API, its models, and the rows that were read.
pub(crate) struct RestContext {
    pub(crate) client: Client,
    pub(crate) dialect: Dialect,
    pub(crate) owner: Option<Owner>,
    /// Whether a model's records are stamped with the owner.
    pub(crate) stamped: fn(&RestSchema) -> bool,
    pub(crate) leaves_out_nameless: bool,
    pub(crate) source: Arc<dyn RowSource>,
    /// The models by name.
    pub(crate) models: Vec<(&'static str, &'static RestSchema)>,
    cache: Mutex<RowCache>,
    /// Held while a collection for lookups is read.
    reading: tokio::sync::Mutex<()>,
    pub(crate) proven: tokio::sync::Mutex<PostProofs>,
    /// The collections in which the path of a single record has worked.
    reached: Mutex<BTreeSet<&'static str>>,
}

impl RestContext {
    pub(crate) fn new(client: Client, dialect: Dialect, models: Vec<(&'static str, &'static RestSchema)>) -> Self {
        let context = Self {
            client,
            dialect,
            owner: None,
            stamped: |_| true,
            leaves_out_nameless: false,
            source: Arc::new(PagedSource),
            models,
            cache: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            proven: tokio::sync::Mutex::default(),
            reached: Mutex::default(),
        };

        context.forget();
        context
    }

    /// Forgets all that was read.
    pub(crate) fn forget(&self) {
        let schemas: Vec<_> = self.models.iter().map(|(_, schema)| *schema).collect();
        let owners: Vec<_> = schemas.iter().filter_map(|schema| self.owner_of(schema)).collect();
        *self.cache() = RowCache::new(&self.dialect.key, &schemas, &owners);
    }

    /// Notes that the path of a single record of a collection works.
    pub(crate) fn note_reached(&self, path: &'static str) {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    }

    /// Whether the path of a single record of a collection has worked.
    pub(crate) fn is_reached(&self, path: &str) -> bool {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    pub(crate) fn cache(&self) -> MutexGuard<'_, RowCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner that is stamped on records of a model.
    pub(crate) fn owner_of(&self, schema: &RestSchema) -> Option<Owner> {
        schema.owner.map(Owner::of_model).or_else(|| self.owner.clone().filter(|_| (self.stamped)(schema)))
    }

    /// Reads a whole collection.
    pub(crate) async fn fetch(&self, name: &str, progress: &mut (dyn FnMut(u64) + Send)) -> Result<(), AdapterError> {
        let collection = self.collection(name);
        let mut before = 0;
        let mut report = |done: u64, _: Option<u64>| {
            // A second attempt begins at zero again.
            progress(done.saturating_sub(before));
            before = before.max(done);
        };
        let (client, dialect) = (&self.client, &self.dialect);

        // Rows that are looked up are used many times, so they are not packed.
        let packs = self.source.is_pages() && !self.cache().is_looked_up(name);
        let rows = if packs {
            let keep = RowFilter::new(&dialect.collection_format.rows, &collection.fields).packed();
            super::source::read(client, dialect, &collection, keep, &mut report).await?
        } else {
            self.source.rows(client, dialect, &collection, &mut report).await?
        };

        if rows.iter().any(|row| !unpacked(row).is_object()) {
            return Err(AdapterError::new(format!("`{name}` has a row that is not an object; is it a collection?")));
        }

        if lacks_keys(&self.models, name, &rows) {
            // The rows that were read have only the needed fields.
            let sample = self.source.sample(client, dialect, &collection).await.unwrap_or_default();
            let known = if sample.rows.is_empty() { &rows } else { &sample.rows };
            return Err(AdapterError::new(describe_missing(&self.models, name, known, &rows)));
        }

        let rows = rows.into_iter().map(|row| if packs { row } else { json_path::retain(row, &collection.fields) });
        self.cache().fill(name, rows);
        Ok(())
    }

    /// Reads a collection for lookups, once for all callers.
    pub(crate) async fn fetch_once(&self, name: &str) -> Result<(), AdapterError> {
        let _reading = self.reading.lock().await;
        if self.cache().has(name) {
            return Ok(());
        }
        self.fetch(name, &mut |_| {}).await
    }

    /// The collection of this name, with the parts to read.
    pub(crate) fn collection(&self, name: &str) -> Collection {
        let (path, query) = name.split_once('?').unwrap_or((name, ""));
        let mut url = self.client.base_url().clone();
        url.set_query(Some(query));

        let query = url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        let mut parts = Vec::new();
        for (_, schema) in &self.models {
            let is_own = schema.collection() == name;
            for field in schema.fields {
                if is_own && field.readable {
                    parts.push(&field.part);
                }
                gather(&field.part, name, &mut parts);
            }
        }

        let cache = self.cache();
        let key = cache.key_of(name).to_owned();
        let mut fields = cache.needs(name).cloned().unwrap_or_default();
        fields.insert(key.clone());

        Collection { path: path.to_owned(), query, key, parts, fields }
    }
}

/// The parts by which records of a collection are looked up.
fn gather(part: &'static Part, collection: &str, parts: &mut Vec<&'static Part>) {
    if let PartKind::Lookup { collection: other, parts: inner } = part.kind {
        for part in inner {
            if other == collection {
                parts.push(part);
            }
            gather(part, collection, parts);
        }
    }
}

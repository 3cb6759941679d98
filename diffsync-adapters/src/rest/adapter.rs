//! A JSON API as an adapter.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diffsync_core::{Adapter, AdapterError, Checkup, Dataset, Flags, HasTable, LoadContext, Side, Visit, VisitedBy};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::body::{Keep, unpacked};
use super::client::Client;
use super::dialect::{Dialect, Owner};
use super::pages::plain;
use super::record::{Unreadable, is_owned, read};
use super::schema::{Of, Part, RestModel, RestSchema};
use super::source::{Collection, FromPages, RowSource};
use super::store::{Missing, Store};
use super::way::keep;
use super::write::{Proven, segment};

/// A JSON API that keeps the records of a data set: an adapter and a target for every data set all of whose models have
/// `#[derive(RestModel)]`.
pub struct Rest<D> {
    pub(super) client: Client,
    pub(super) dialect: Dialect,
    owner: Option<Owner>,
    stamped: fn(&RestSchema) -> bool,
    leaves_out_nameless: bool,
    pub(super) source: Arc<dyn RowSource>,
    models: Vec<Entry<D>>,
    store: Mutex<Store>,
    reading: tokio::sync::Mutex<()>,
    pub(super) proven: tokio::sync::Mutex<Proven>,
    /// The collections of which the path of a single record was seen to work.
    pub(super) reached: Mutex<BTreeSet<&'static str>>,
}

/// The models of a data set, gathered by `#[derive(Dataset)]`.
#[derive(Debug)]
pub struct Models<D> {
    entries: Vec<Entry<D>>,
}

/// One model of the data set, whose type is not known.
struct Entry<D> {
    schema: &'static RestSchema,
    model: &'static str,
    fill: fn(&Rest<D>, &mut D, Side) -> Result<(), AdapterError>,
    _data: PhantomData<fn(&mut D)>,
}

impl<D> fmt::Debug for Entry<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model)
    }
}

impl<D: HasTable<M>, M: RestModel> Visit<D, M> for Models<D> {
    fn visit(&mut self) {
        self.entries.push(Entry { schema: M::REST, model: M::NAME, fill: fill::<D, M>, _data: PhantomData });
    }
}

impl<D> fmt::Debug for Rest<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("client", &self.client).field("models", &self.models).finish_non_exhaustive()
    }
}

impl<D: Dataset + VisitedBy<Models<D>>> Rest<D> {
    /// The API that this client speaks to, of this dialect.
    #[must_use]
    pub fn new(client: Client, dialect: Dialect) -> Self {
        let mut models = Models { entries: Vec::new() };
        D::visit_each(&mut models);
        let store = Mutex::new(Store::default());
        let (models, reading, proven) = (models.entries, tokio::sync::Mutex::default(), tokio::sync::Mutex::default());
        let source = Arc::new(FromPages);
        let (owner, stamped, leaves_out_nameless) = (None, |_: &_| true, false);
        let reached = Mutex::default();
        let rest = Self {
            client,
            dialect,
            owner,
            stamped,
            leaves_out_nameless,
            source,
            models,
            store,
            reading,
            proven,
            reached,
        };
        rest.forget();
        rest
    }

    /// Stamps all records that are written, of models that do not name an owner themselves. Records that do not carry it
    /// are never deleted.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self.forget();
        self
    }

    /// Stamps only the records of these models, where those of others have no place for it. These then are nobody's, and
    /// never deleted.
    #[must_use]
    pub fn stamping(mut self, stamped: fn(&RestSchema) -> bool) -> Self {
        self.stamped = stamped;
        self.forget();
        self
    }

    /// Leaves out records of which a part of the identifier is empty, and says in the log how many. They are neither
    /// written nor deleted. Else one of them ends the load.
    #[must_use]
    pub fn without_nameless(mut self) -> Self {
        self.leaves_out_nameless = true;
        self
    }

    /// Reads the rows of collections from somewhere else.
    #[must_use]
    pub fn rows_from(mut self, source: impl RowSource) -> Self {
        self.source = Arc::new(source);
        self
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// In what the API differs from others.
    #[must_use]
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }
}

impl<D> Rest<D> {
    /// Forgets all that was read.
    fn forget(&self) {
        let schemas: Vec<_> = self.models.iter().map(|model| model.schema).collect();
        let owners: Vec<_> = schemas.iter().filter_map(|schema| self.owner_of(schema)).collect();
        *self.store() = Store::new(&self.dialect.key, &schemas, &owners);
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is stamped on records of a model.
    pub(super) fn owner_of(&self, schema: &RestSchema) -> Option<Owner> {
        schema.owner.map(Owner::of_model).or_else(|| self.owner.clone().filter(|_| (self.stamped)(schema)))
    }

    /// Reads a collection whole, unless it was read.
    pub(super) async fn fetch(&self, name: &str, seen: &mut (dyn FnMut(u64) + Send)) -> Result<(), AdapterError> {
        let collection = self.collection(name);
        let mut before = 0;
        let mut report = |done: u64, _: Option<u64>| {
            // Read again, it begins again.
            seen(done.saturating_sub(before));
            before = before.max(done);
        };
        let (client, dialect) = (&self.client, &self.dialect);
        // A looked up row is asked for again and again.
        let packs = self.source.is_pages() && !self.store().is_looked_up(name);
        let rows = if packs {
            let keep = Keep::new(&dialect.paging.rows, &collection.needs).packed();
            super::source::read(client, dialect, &collection, keep, &mut report).await?
        } else {
            self.source.rows(client, dialect, &collection, &mut report).await?
        };
        if rows.iter().any(|row| !unpacked(row).is_object()) {
            return Err(AdapterError::new(format!("`{name}` has a row that is no object; is it a collection?")));
        }
        self.keys_are_there(name, &rows).await?;
        let rows = rows.into_iter().map(|row| if packs { row } else { keep(row, &collection.needs) });
        self.store().fill(name, rows);
        Ok(())
    }

    /// Reads a collection that a record is looked up in, once however many ask for it.
    pub(super) async fn fetch_once(&self, name: &str) -> Result<(), AdapterError> {
        let _reading = self.reading.lock().await;
        if self.store().has(name) {
            return Ok(());
        }
        self.fetch(name, &mut |_| {}).await
    }

    /// What is to be read of a collection.
    pub(super) fn collection(&self, name: &str) -> Collection {
        let (path, query) = name.split_once('?').unwrap_or((name, ""));
        let mut url = self.client.base().clone();
        url.set_query(Some(query));
        let query = url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        let mut parts = Vec::new();
        for model in &self.models {
            let is_own = model.schema.collection() == name;
            for field in model.schema.fields {
                if is_own && field.reads {
                    parts.push(&field.part);
                }
                gather(&field.part, name, &mut parts);
            }
        }
        let store = self.store();
        let key = store.key_of(name).to_owned();
        let mut needs = store.needs(name).cloned().unwrap_or_default();
        needs.insert(key.clone());
        Collection { path: path.to_owned(), query, key, parts, needs }
    }
}

/// The parts by which records of a collection are looked up.
fn gather(part: &'static Part, collection: &str, parts: &mut Vec<&'static Part>) {
    if let Of::Lookup { collection: other, parts: inner } = part.of {
        for part in inner {
            if other == collection {
                parts.push(part);
            }
            gather(part, collection, parts);
        }
    }
}

impl<D: Dataset + VisitedBy<Models<D>>> Adapter for Rest<D> {
    type Data = D;

    async fn load(&self, data: &mut D, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.forget();
        let read = AtomicU64::new(0);
        let names: BTreeSet<String> = self.models.iter().map(|model| model.schema.collection()).collect();
        stream::iter(names)
            .map(|name| {
                let read = &read;
                async move {
                    let mut seen = |more| cx.progress(read.fetch_add(more, Ordering::Relaxed) + more, None);
                    self.fetch(&name, &mut seen).await
                }
            })
            .buffer_unordered(self.client.concurrency())
            .try_collect::<()>()
            .await?;
        for model in &self.models {
            let name = model.schema.collection();
            loop {
                let unread = self.store().unread(&name, model.schema.fields);
                let Some(unread) = unread else { break };
                self.fetch_once(&unread).await?;
            }
            if let Some(Owner { of: Of::Lookup { collection, .. }, .. }) = self.owner_of(model.schema) {
                self.fetch_once(collection).await?;
            }
        }
        if cx.side() == Side::Target {
            self.models.iter().try_for_each(|model| self.server_key_is_there(model.schema))?;
        }
        for model in &self.models {
            (model.fill)(self, data, cx.side())?;
        }
        match cx.side() {
            Side::Source => self.forget(),
            Side::Target => self.store().forget_all_but_lookups(),
        }
        Ok(())
    }

    async fn check(&self, checkup: &mut Checkup) {
        super::check::check(self, checkup).await;
    }
}

impl<D> Rest<D> {
    /// The collections of the models, each with the model's name.
    pub(super) fn collections(&self) -> impl Iterator<Item = (&'static str, &'static RestSchema)> {
        self.models.iter().map(|model| (model.model, model.schema))
    }
}

/// Makes records of the rows of a model's collection.
fn fill<D: HasTable<M>, M: RestModel>(rest: &Rest<D>, data: &mut D, side: Side) -> Result<(), AdapterError> {
    let store = rest.store();
    let collection = M::REST.collection();
    let owner = rest.owner_of(M::REST).filter(|_| side == Side::Target);
    let table = data.table_mut();
    table.mark_loaded();
    // A mere link goes with what it lives under.
    let is_link = M::SCHEMA.attributes.is_empty() && M::SCHEMA.parent().is_some();
    if side == Side::Target && owner.is_none() && rest.owner.is_some() && !is_link {
        table.set_flags(Flags::SKIP_UNMATCHED_DST);
    }
    let bad = |store: &Store, row: &Value, reason: &str| bad_row::<D, M>(rest, store, row, reason);
    let mut nameless = 0_usize;
    let mut twins: BTreeMap<String, (M::Id, Vec<String>)> = BTreeMap::new();
    for row in store.rows(&collection) {
        let row = &*unpacked(row);
        let record: M = match read(&store, &collection, row, None) {
            Ok(record) => record,
            Err(Unreadable::Record(id, reason)) => {
                table.reject(id, reason);
                continue;
            }
            Err(Unreadable::Nameless(_)) if rest.leaves_out_nameless || M::REST.without_nameless => {
                nameless += 1;
                continue;
            }
            Err(Unreadable::Row(reason)) => return Err(bad(&store, row, &reason)),
            Err(Unreadable::Nameless(reason)) => {
                let text = format!(
                    "{reason}; give it one, or leave such records out: `#[rest(without_nameless)]` above the struct"
                );
                return Err(bad(&store, row, &text));
            }
            Err(Unreadable::Unread(other)) => return Err(bad(&store, row, &format!("`{other}` was not read"))),
        };
        if side == Side::Target && (rest.dialect.keeps)(M::REST.path, row) {
            table.flag(record.id(), Flags::SKIP_UNMATCHED_DST);
        }
        if let Some(owner) = &owner {
            match is_owned(&store, owner, row) {
                Ok(true) => {}
                Ok(false) => table.flag(record.id(), Flags::SKIP_UNMATCHED_DST),
                Err(Missing::Wrong(reason) | Missing::Unread(reason)) => {
                    return Err(bad(&store, row, &format!("its owner cannot be read: {reason}")));
                }
            }
        }
        if let Some(first) = table.get(&record.id()) {
            let first = first.remote_key().map(|key| plain(&key)).unwrap_or_default();
            let (_, keys) = twins.entry(record.id().to_string()).or_insert_with(|| (record.id(), vec![first]));
            keys.push(row.get(store.key_of(&collection)).map(plain).unwrap_or_default());
            continue;
        }
        table.insert(record);
    }
    for (id, keys) in twins.into_values() {
        let shown = |key: &String| rest.client.shown_url(&format!("{}/{key}", M::REST.path));
        let places: Vec<String> = keys.iter().map(shown).collect();
        let (times, places) = (keys.len(), places.join(", "));
        table.reject(id, format!("it is there {times} times: {places}; delete all but one of them"));
    }
    if nameless > 0 {
        tracing::warn!(collection, records = nameless, "records without a name are left out");
    }
    Ok(())
}

/// The error of a row that gives no record, with where to find it.
fn bad_row<D, M: RestModel>(rest: &Rest<D>, store: &Store, row: &Value, reason: &str) -> AdapterError {
    let collection = M::REST.collection();
    let key = row.get(store.key_of(&collection)).cloned().unwrap_or_default();
    let at = segment(&key).map(|segment| rest.client.shown_url(&format!("{}/{segment}", M::REST.path)));
    let at = at.map(|url| format!(" at {url}")).unwrap_or_default();
    let (name, key) = (M::NAME, plain(&key));
    AdapterError::new(format!("`{collection}`: the {name} with the key {key:?}{at} cannot be used: {reason}"))
}

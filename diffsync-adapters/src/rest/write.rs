//! Writing records, one with each request.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use diffsync_core::{Dataset, HasTable, Ops, Target, TargetError, TargetErrorKind, Terms, VisitedBy, WriteContext};
use futures_util::stream::{self, StreamExt};
use reqwest::Method;
use serde_json::{Map, Value};
use tokio::sync::MutexGuard as AsyncGuard;

use super::adapter::{Models, Rest};
use super::client::Request;
use super::exchange::{Content, content};
use super::pages::plain;
use super::record::{About, Unreadable, Values, body, lacks_owner, read, stamp};
use super::schema::RestModel;
use super::store::{Missing, Store, key_text};

impl<D, M> Target<M> for Rest<D>
where
    D: Dataset + VisitedBy<Models<D>> + HasTable<M>,
    M: RestModel,
{
    fn terms(&self) -> Terms {
        let can = if M::REST.key.is_held { Ops::all() } else { Ops::CREATE };
        Terms { can, concurrency: self.dialect.at_once(), concurrency_limit: None, batch: self.dialect.bulk.batch() }
    }

    async fn create(&self, new: &M, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        let written = self.creation(new).await?;
        let mut alone = self.first_alone(M::REST.path).await?;

        let request = self.request(Method::POST, M::REST.path, &written);
        let told = match self.tell::<M>(&request).await {
            Ok(told) => told,
            Err(error) => {
                let error = error.into_target();
                if let Some(proven) = &mut alone {
                    proven.failed(M::REST.path, &error);
                }
                drop(alone);
                return Err(self.conflicted(new, error).await);
            }
        };
        let row = self.created_row(new, told, &request).await;
        if let Some(proven) = &mut alone {
            match &row {
                Ok(row) => self.prove(proven, new, std::slice::from_ref(row)).await,
                Err(error) => proven.failed(M::REST.path, error),
            }
        }
        drop(alone);
        let row = row?;

        self.stored_one(row, written).await
    }

    async fn update(&self, old: &M, patch: &M::Patch, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        let written = self.change(old, patch).await?;
        if written.body.is_empty() {
            return unwritable(old, patch);
        }
        let request = self.request(self.update_method(), &path_of(old)?, &written);
        let told = self.tell::<M>(&request).await.map_err(super::Error::into_target)?;
        self.note_reached(M::REST.path);
        let row = match self.in_answer::<M>(told.body) {
            Value::Array(mut rows) if rows.len() == 1 => rows.pop().unwrap_or_default(),
            row => row,
        };
        self.stored_one(row, written).await
    }

    async fn delete(&self, old: &M, _: &WriteContext<'_, D>) -> Result<(), TargetError> {
        match self.tell::<M>(&self.client.request(Method::DELETE, &path_of(old)?)).await {
            Ok(_) => self.note_reached(M::REST.path),
            // It is gone, which is what was asked for; perhaps by an earlier request whose answer was lost.
            Err(error) if error.is_gone() => self.surely_gone(old, &error).await?,
            Err(error) => return Err(error.into_target()),
        }
        self.store().remove(M::REST.path, &old.remote_key()?);
        Ok(())
    }

    async fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        if self.dialect.bulk.create {
            return self.create_list(new).await;
        }
        Ok(stream::iter((0..new.len()).map(|at| self.create(new[at], cx)))
            .buffered(self.dialect.at_once())
            .collect()
            .await)
    }

    async fn update_many(
        &self,
        changes: &[(&M, M::Patch)],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        if self.dialect.bulk.update {
            return self.update_list(changes).await;
        }
        let each = (0..changes.len()).map(|at| self.update(changes[at].0, &changes[at].1, cx));
        Ok(stream::iter(each).buffered(self.dialect.at_once()).collect().await)
    }

    async fn delete_many(
        &self,
        old: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        if self.dialect.bulk.delete {
            return self.delete_list(old).await;
        }
        Ok(stream::iter((0..old.len()).map(|at| self.delete(old[at], cx)))
            .buffered(self.dialect.at_once())
            .collect()
            .await)
    }
}

/// What is known of the collections to which records were sent.
#[derive(Debug, Default)]
pub(super) struct Proven(BTreeMap<&'static str, Proof>);

/// What the answers to a `POST` to a collection have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// It creates a record.
    Creates,
    /// It means something else.
    Foreign,
    /// Nothing, and the record was not found when it was asked for.
    Nothing,
}

impl Proven {
    /// Takes note of why a record of a collection was not created.
    pub(super) fn failed(&mut self, path: &'static str, error: &TargetError) {
        if error.kind() == TargetErrorKind::Fatal && error.is_perhaps_written() {
            self.0.insert(path, Proof::Foreign);
        }
    }
}

/// What is sent of a record.
pub(super) struct Written {
    pub(super) body: Map<String, Value>,
    /// All that the record holds once it is written.
    pub(super) values: Values,
    /// The server's key of the record, `null` if it has none yet.
    pub(super) key: Value,
}

impl<D> Rest<D> {
    /// Waits until a record of this collection was created, so that the answer shows that a `POST` there means what it should;
    /// or else lets this be the first, alone. Where it means something else, one request does harm and not several.
    pub(super) async fn first_alone(&self, path: &'static str) -> Result<Option<AsyncGuard<'_, Proven>>, TargetError> {
        let proven = self.proven.lock().await;
        match proven.0.get(path) {
            None | Some(Proof::Nothing) => Ok(Some(proven)),
            Some(Proof::Creates) => Ok(None),
            Some(Proof::Foreign) => {
                Err(TargetError::fatal(format!("it was not sent: an earlier answer of `{path}` was not a record")))
            }
        }
    }

    /// Takes note of whether the rows that were answered show that `new` was created. Where they do not, the server is asked
    /// for it, once for each collection.
    pub(super) async fn prove<M: RestModel>(&self, proven: &mut Proven, new: &M, rows: &[Value]) {
        let path = M::REST.path;
        let key = self.key_need::<M>().0;
        let mut creates = rows.iter().any(|row| content::<M>(row, &key) == Content::Record);
        if !creates && !proven.0.contains_key(path) {
            creates = match self.find_rows(&[new]).await {
                Ok(found) => found.iter().any(Option::is_some),
                Err(error) => {
                    tracing::debug!(%error, path, "whether a record was created cannot be looked up");
                    false
                }
            };
        }
        proven.0.insert(path, if creates { Proof::Creates } else { Proof::Nothing });
    }

    /// Takes note that the path of a single record of a collection works.
    pub(super) fn note_reached(&self, path: &'static str) {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    }

    /// Checks that a record is gone of which the server said that it is not found.
    ///
    /// An API may list records at one path and keep each at another. Then every single path answers 404, though the record
    /// is there: so until a single path has worked, the collection is asked for the record.
    pub(super) async fn surely_gone<M: RestModel>(&self, old: &M, said: &super::Error) -> Result<(), TargetError> {
        let path = M::REST.path;
        if self.reached.lock().unwrap_or_else(PoisonError::into_inner).contains(path) {
            return Ok(());
        }
        let name = self.store().key_of(&M::REST.collection()).to_owned();
        let key = key_text(&key_of(old)?);
        match self.find_rows(&[old]).await {
            // A record of the same identifier and another key was created since.
            Ok(found) if !found.iter().flatten().any(|row| row.get(&name).and_then(key_text) == key) => Ok(()),
            Ok(_) => Err(TargetError::new(format!(
                "{said}, though `{path}` still lists the record: the API keeps single records at another path"
            ))),
            Err(error) => Err(TargetError::unknown(format!(
                "{said}, and whether `{path}` still lists the record could not be asked: {error}"
            ))),
        }
    }

    /// The record as the server stored it.
    async fn stored_one<M: RestModel>(&self, row: Value, written: Written) -> Result<M, TargetError> {
        let (mut rows, written) = ([(0, row)], [(0, written)]);
        self.read_back::<M>(&mut rows, &written).await;
        let ([(_, row)], [(_, written)]) = (rows, written);
        self.stored(row, &written, &mut true).await
    }

    /// What creates a record.
    pub(super) async fn creation<M: RestModel>(&self, new: &M) -> Result<Written, TargetError> {
        let values = Values::of(new)?;
        let owner = self.owner_of(M::REST);
        let body = self
            .looking_up(|store| {
                let mut body = body(store, M::REST, &values, About::All)?;
                if let Some(owner) = &owner {
                    stamp(store, owner, &mut body, None)?;
                }
                Ok(body)
            })
            .await?;
        Ok(Written { body, values, key: Value::Null })
    }

    /// What changes a record; nothing if none of it can be written.
    pub(super) async fn change<M: RestModel>(&self, old: &M, patch: &M::Patch) -> Result<Written, TargetError> {
        let values = Values::of(&old.patched(patch))?;
        let changed = Values::of_patch::<M>(patch)?;
        let about = if self.dialect.replaces { About::Known(&changed) } else { About::Changed(&changed) };
        let owner = self.owner_of(M::REST);
        let key = old.remote_key()?;
        let body = self
            .looking_up(|store| {
                let mut body = body(store, M::REST, &values, about)?;
                if let Some(owner) = owner.as_ref().filter(|_| !body.is_empty()) {
                    let row = store.row(&M::REST.collection(), &key).cloned();
                    stamp(store, owner, &mut body, row.as_ref())?;
                }
                Ok(body)
            })
            .await?;
        let body = self.with_unknown_keys(old, body).await?;
        Ok(Written { body, values, key })
    }

    pub(super) fn update_method(&self) -> Method {
        if self.dialect.replaces { Method::PUT } else { Method::PATCH }
    }

    pub(super) fn request(&self, method: Method, path: &str, written: &Written) -> Request {
        let body = Value::Object(written.body.clone());
        self.client.request(method, path).json(body).hiding(&written.values.secrets)
    }

    /// The record as the server answered that it stored it.
    ///
    /// Where a collection is needed to read the answer that cannot be had, the record is as it was sent: it is written. `reads`
    /// then becomes false, and others of the same list do not ask for it again.
    pub(super) async fn stored<M: RestModel>(
        &self,
        mut row: Value,
        written: &Written,
        reads: &mut bool,
    ) -> Result<M, TargetError> {
        let collection = M::REST.collection();
        if !row.is_object() {
            row = Value::Object(Map::new());
        }
        if let Value::Object(row) = &mut row
            && !written.key.is_null()
        {
            let key = self.store().key_of(&collection).to_owned();
            // However the server writes it, it is known.
            row.insert(key, written.key.clone());
        }
        let mut now = Value::Object(written.body.clone());
        if let (Value::Object(now), Value::Object(row)) = (&mut now, &row) {
            now.extend(row.clone());
        }
        self.store().put(M::REST.path, &now);
        if let Some(owner) = self.owner_of(M::REST)
            && lacks_owner(&self.store(), &owner, &row)
        {
            // It is written all the same. A server may come to know the field later in the run.
            let (path, place) = (M::REST.path, owner.at.join("."));
            tracing::warn!(
                path,
                place,
                "the server did not keep the owner of a record, which is never deleted without it"
            );
        }
        loop {
            let read = read::<M>(&self.store(), &collection, &row, Some(&written.values));
            match read {
                Ok(record) => return Ok(record),
                Err(Unreadable::Unread(other)) => {
                    if *reads && let Err(error) = self.fetch_once(&other).await {
                        tracing::warn!(%error, "what the server stored is not looked at");
                        *reads = false;
                    }
                    if !*reads {
                        return self.as_sent(&collection, &row, written);
                    }
                }
                Err(Unreadable::Record(_, reason) | Unreadable::Row(reason) | Unreadable::Nameless(reason)) => {
                    let text = format!("it was written, but what the server then answered cannot be read: {reason}");
                    return Err(TargetError::unknown(text));
                }
            }
        }
    }

    /// The record as it was sent, with the key that the server answered with.
    fn as_sent<M: RestModel>(&self, collection: &str, row: &Value, written: &Written) -> Result<M, TargetError> {
        let store = self.store();
        let key = store.key_of(collection);
        let row = Map::from_iter(row.get(key).map(|value| (key.to_owned(), value.clone())));
        read(&store, collection, &row.into(), Some(&written.values))
            .map_err(|_| TargetError::unknown("it was written, and what the server then answered cannot be read"))
    }

    /// Looks records up, and reads the collections that this needs.
    async fn looking_up<R>(&self, look: impl Fn(&mut Store) -> Result<R, Missing>) -> Result<R, TargetError> {
        loop {
            let found = look(&mut self.store());
            match found {
                Ok(found) => return Ok(found),
                Err(Missing::Unread(other)) => self.fetch_once(&other).await.map_err(super::Error::of_read)?,
                Err(Missing::Wrong(reason)) => return Err(TargetError::new(reason)),
            }
        }
    }
}

/// The answer to a change of which nothing can be written: an error, unless nothing was to change.
pub(super) fn unwritable<M: RestModel>(old: &M, patch: &M::Patch) -> Result<M, TargetError> {
    let changed = Values::of_patch::<M>(patch)?.names();
    if changed.is_empty() {
        return Ok(old.clone());
    }
    Err(TargetError::new(format!(
        "nothing was sent, since the API only shows what changed: {}; leave it out of the comparison with `ignore`",
        changed.join(", ")
    )))
}

/// The path of a record.
pub(super) fn path_of<M: RestModel>(record: &M) -> Result<String, TargetError> {
    Ok(format!("{}/{}", M::REST.path, segment(&key_of(record)?)?))
}

/// The server's key of a record that it has.
pub(super) fn key_of<M: RestModel>(record: &M) -> Result<Value, TargetError> {
    let key = record.remote_key()?;
    if key.is_null() {
        return Err(TargetError::new(format!("the server gave no key for the {} when it was read", M::NAME)));
    }
    Ok(key)
}

/// A key as one segment of a path.
pub(super) fn segment(key: &Value) -> Result<String, TargetError> {
    let text = plain(key);
    if matches!(text.as_str(), "" | "." | "..") {
        return Err(TargetError::new(format!("the key {text:?} cannot stand in a URL")));
    }
    let encoded = text.bytes().map(|byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_.~:@".contains(&byte);
        if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    Ok(encoded.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_one_segment_of_a_path_whatever_it_holds() {
        let written = |key: Value| segment(&key).map_err(|error| error.to_string());
        assert_eq!(written(json!(7)), Ok("7".into()));
        assert_eq!(written(json!("a-b_c.d~e:f@g")), Ok("a-b_c.d~e:f@g".into()));
        assert_eq!(written(json!("a/b?c#d%e ü")), Ok("a%2Fb%3Fc%23d%25e%20%C3%BC".into()));
        for key in ["", ".", ".."] {
            assert_eq!(written(json!(key)), Err(format!("the key {key:?} cannot stand in a URL")));
        }
    }
}

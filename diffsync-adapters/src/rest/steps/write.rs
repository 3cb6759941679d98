//! Writing records, one with each request.

use diffsync_core::ModelExt;
use diffsync_core::adapter::TargetError;
use reqwest::Method;
use serde_json::{Map, Value};
use tokio::sync::MutexGuard as AsyncGuard;

use super::write_request::{Content, content};
use crate::rest::cache::proof::{PostProofs, Proof};
use crate::rest::cache::{LookupError, RowCache, key_text};
use crate::rest::context::RestContext;
use crate::rest::http::client::Request;
use crate::rest::model::RestModel;
use crate::rest::model::record_path::key_of;
use crate::rest::record::{BodyScope, RecordValues, RowError, body, lacks_owner, read, stamp};

/// A record to be sent.
pub(crate) struct OutgoingRecord {
    pub(crate) body: Map<String, Value>,
    /// All that the record holds once it is written.
    pub(crate) values: RecordValues,
    /// The server's key of the record, `null` if it has none yet.
    pub(crate) key: Value,
}

impl RestContext {
    /// Waits until an answer has shown that a `POST` to this collection creates records, or lets this request be the first,
    /// alone. So if the `POST` means something else, only one request does harm.
    pub(crate) async fn first_alone(
        &self,
        path: &'static str,
    ) -> Result<Option<AsyncGuard<'_, PostProofs>>, TargetError> {
        let proven = self.proven.lock().await;
        match proven.get(path) {
            None | Some(Proof::Nothing) => Ok(Some(proven)),
            Some(Proof::Creates) => Ok(None),
            Some(Proof::Foreign) => {
                Err(TargetError::fatal(format!("it was not sent: an earlier answer of `{path}` was not a record")))
            }
        }
    }

    /// Notes whether the rows of an answer show that `new` was created. If they do not, `new` is searched, once for each
    /// collection.
    pub(crate) async fn prove<M: RestModel>(&self, proven: &mut PostProofs, new: &M, rows: &[Value]) {
        let path = M::REST.path;
        let key = self.key_need::<M>().0;
        let mut creates = rows.iter().any(|row| content::<M>(row, &key) == Content::Record);
        if !creates && proven.get(path).is_none() {
            creates = match self.find_rows(&[new]).await {
                Ok(found) => found.iter().any(Option::is_some),
                Err(error) => {
                    tracing::debug!(%error, path, "could not look up whether a record was created");
                    false
                }
            };
        }

        proven.note(path, if creates { Proof::Creates } else { Proof::Nothing });
    }

    /// Checks that a record is really deleted if the server answers its `DELETE` with 404.
    ///
    /// An API may list records at one path and keep each at another. Then every path of a single record answers 404, although
    /// the record exists. So until such a path has worked, the record is looked up in the collection.
    pub(crate) async fn surely_gone<M: RestModel>(
        &self,
        old: &M,
        answer: &crate::rest::Error,
    ) -> Result<(), TargetError> {
        let path = M::REST.path;
        if self.is_reached(path) {
            return Ok(());
        }

        let name = self.cache().key_of(&M::REST.collection()).to_owned();
        let key = key_text(&key_of(old)?);
        match self.find_rows(&[old]).await {
            // A record with the same identifier and another key was created since.
            Ok(found) if !found.iter().flatten().any(|row| row.get(&name).and_then(key_text) == key) => Ok(()),
            Ok(_) => Err(TargetError::new(format!(
                "{answer}, but `{path}` still lists the record: the API has single records at another path"
            ))),
            Err(error) => {
                Err(TargetError::unknown(format!("{answer}, and looking the record up in `{path}` failed: {error}")))
            }
        }
    }

    /// The record as the server stored it.
    pub(crate) async fn stored_one<M: RestModel>(&self, row: Value, written: OutgoingRecord) -> Result<M, TargetError> {
        let (mut rows, written) = ([(0, row)], [(0, written)]);
        self.read_back::<M>(&mut rows, &written).await;
        let ([(_, row)], [(_, written)]) = (rows, written);
        self.stored(row, &written, &mut true).await
    }

    /// The request that creates a record.
    pub(crate) async fn creation<M: RestModel>(&self, new: &M) -> Result<OutgoingRecord, TargetError> {
        let values = RecordValues::of(new)?;
        let owner = self.owner_of(M::REST);
        let body = self
            .looking_up(|cache| {
                let mut body = body(cache, M::REST, &values, BodyScope::All)?;
                if let Some(owner) = &owner {
                    stamp(cache, owner, &mut body, None)?;
                }
                Ok(body)
            })
            .await?;

        Ok(OutgoingRecord { body, values, key: Value::Null })
    }

    /// The request that changes a record. Its body is empty if the API accepts none of the changed fields.
    pub(crate) async fn change<M: RestModel>(&self, old: &M, patch: &M::Patch) -> Result<OutgoingRecord, TargetError> {
        let values = RecordValues::of(&old.patched(patch))?;
        let changed = RecordValues::of_patch::<M>(patch)?;
        let about =
            if self.dialect.update_with_put { BodyScope::Known(&changed) } else { BodyScope::Changed(&changed) };
        let owner = self.owner_of(M::REST);
        let key = old.remote_key()?;
        let body = self
            .looking_up(|cache| {
                let mut body = body(cache, M::REST, &values, about)?;
                if let Some(owner) = owner.as_ref().filter(|_| !body.is_empty()) {
                    let row = cache.row(&M::REST.collection(), &key).cloned();
                    stamp(cache, owner, &mut body, row.as_ref())?;
                }
                Ok(body)
            })
            .await?;

        let body = self.with_unknown_keys(old, body).await?;
        Ok(OutgoingRecord { body, values, key })
    }

    pub(crate) fn update_method(&self) -> Method {
        if self.dialect.update_with_put { Method::PUT } else { Method::PATCH }
    }

    pub(crate) fn request(&self, method: Method, path: &str, written: &OutgoingRecord) -> Request {
        let body = Value::Object(written.body.clone());
        self.client.request(method, path).json(body).redact(&written.values.secrets)
    }

    /// The record as the server stored it, according to its answer.
    ///
    /// If the answer cannot be read without a collection that is not available, the record is returned as it was sent, since
    /// it is written. `reads` then becomes false, so that the others of the same list do not request the collection again.
    pub(crate) async fn stored<M: RestModel>(
        &self,
        mut row: Value,
        written: &OutgoingRecord,
        reads: &mut bool,
    ) -> Result<M, TargetError> {
        let collection = M::REST.collection();
        if !row.is_object() {
            row = Value::Object(Map::new());
        }

        if let Value::Object(row) = &mut row
            && !written.key.is_null()
        {
            let key = self.cache().key_of(&collection).to_owned();
            // The key is known, so the form of the answer does not matter.
            row.insert(key, written.key.clone());
        }

        let mut now = Value::Object(written.body.clone());
        if let (Value::Object(now), Value::Object(row)) = (&mut now, &row) {
            now.extend(row.clone());
        }

        self.cache().put(M::REST.path, &now);
        if let Some(owner) = self.owner_of(M::REST)
            && lacks_owner(&self.cache(), &owner, &row)
        {
            // The record is written. The server may get to know the field later in the run.
            let (path, place) = (M::REST.path, owner.at.join("."));
            tracing::warn!(
                path,
                place,
                "the server did not keep the owner of a record, which is never deleted without it"
            );
        }

        loop {
            let read = read::<M>(&self.cache(), &collection, &row, Some(&written.values));
            match read {
                Ok(record) => return Ok(record),
                Err(RowError::Unread(other)) => {
                    if *reads && let Err(error) = self.fetch_once(&other).await {
                        tracing::warn!(%error, "cannot check what the server stored");
                        *reads = false;
                    }

                    if !*reads {
                        return self.as_sent(&collection, &row, written);
                    }
                }
                Err(RowError::Record(_, reason) | RowError::Row(reason) | RowError::Unidentified(reason)) => {
                    let text = format!("it was written, but the server's answer cannot be read: {reason}");
                    return Err(TargetError::unknown(text));
                }
            }
        }
    }

    /// The record as it was sent, with the key from the answer.
    fn as_sent<M: RestModel>(&self, collection: &str, row: &Value, written: &OutgoingRecord) -> Result<M, TargetError> {
        let cache = self.cache();
        let key = cache.key_of(collection);
        let row = Map::from_iter(row.get(key).map(|value| (key.to_owned(), value.clone())));
        read(&cache, collection, &row.into(), Some(&written.values))
            .map_err(|_| TargetError::unknown("it was written, but the server's answer cannot be read"))
    }

    /// Looks records up, and reads the collections that this needs.
    async fn looking_up<R>(&self, look: impl Fn(&mut RowCache) -> Result<R, LookupError>) -> Result<R, TargetError> {
        loop {
            let found = look(&mut self.cache());
            match found {
                Ok(found) => return Ok(found),
                Err(LookupError::Unread(other)) => {
                    self.fetch_once(&other).await.map_err(crate::rest::Error::of_read)?;
                }
                Err(LookupError::Wrong(reason)) => return Err(TargetError::new(reason)),
            }
        }
    }
}

/// The result of a change whose fields cannot be written: an error, unless there is no change.
pub(crate) fn unwritable<M: RestModel>(old: &M, patch: &M::Patch) -> Result<M, TargetError> {
    let changed = RecordValues::of_patch::<M>(patch)?.names();
    if changed.is_empty() {
        return Ok(old.clone());
    }

    Err(TargetError::new(format!(
        "nothing was sent, because the API does not accept changes of {}; exclude it from the comparison with `ignore`",
        changed.join(", ")
    )))
}

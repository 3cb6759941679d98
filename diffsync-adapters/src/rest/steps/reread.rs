//! Reads records again after a write, if the server echoes another form than it stores.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt};
use serde_json::{Map, Value};

use super::write::OutgoingRecord;
use crate::rest::cache::key_text;
use crate::rest::context::RestContext;
use crate::rest::http::error::Error;
use crate::rest::model::json_path::plain;
use crate::rest::model::record_path::segment;
use crate::rest::model::{RestModel, json_path};

/// How many bytes the keys in one URL may have: servers take some 8,000, with the host, the path and the paging.
const LONGEST: usize = 7000;

impl RestContext {
    /// Replaces rows with those that the server has stored, if its answer is unreliable.
    pub(crate) async fn read_back<M: RestModel>(
        &self,
        rows: &mut [(usize, Value)],
        written: &[(usize, OutgoingRecord)],
    ) {
        let name = self.cache().key_of(&M::REST.collection()).to_owned();
        let of = |at: usize| written.iter().find(|(place, _)| *place == at).map(|(_, written)| written);
        let key = |at: usize, row: &Value| {
            let answered = row.get(&name).filter(|key| !key.is_null());
            let key = answered.or_else(|| of(at).map(|written| &written.key)).filter(|key| !key.is_null());
            key.cloned()
        };

        let in_doubt = |at: usize| of(at).is_some_and(|written| self.is_in_doubt::<M>(&written.body));
        let keys: Vec<Value> =
            rows.iter().filter(|(at, _)| in_doubt(*at)).filter_map(|(at, row)| key(*at, row)).collect();
        if keys.is_empty() {
            return;
        }

        let mut held = match self.held::<M>(&name, &keys).await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(%error, "cannot check what the server stored");
                return;
            }
        };

        for (at, row) in rows.iter_mut().filter(|(at, _)| in_doubt(*at)) {
            if let Some(now) = key(*at, row).and_then(|key| held.remove(&key_text(&key)?)) {
                *row = now;
            }
        }
    }

    /// Whether a body has a value that the server echoes as sent, but stores in another form.
    fn is_in_doubt<M: RestModel>(&self, body: &Map<String, Value>) -> bool {
        M::REST.fields.iter().filter(|field| field.writable).any(|field| {
            let value = field.part.path.split_first().and_then(|(first, rest)| json_path::get(body.get(*first)?, rest));
            let is_written = value.is_some_and(|value| !value.is_null());
            is_written && (self.dialect.reread_after_write)(M::REST.path, &field.part.path.join("."))
        })
    }

    /// The server's rows with these keys: in one request, if it can filter by several keys.
    async fn held<M: RestModel>(&self, name: &str, keys: &[Value]) -> Result<HashMap<String, Value>, Error> {
        let path = M::REST.path;
        if self.dialect.confirm_deletes {
            return self.of_keys(path, name, keys).await;
        }

        let one = |key: &Value| {
            let path = segment(key).map(|segment| format!("{path}/{segment}"));
            async move { Ok::<_, Error>(self.client.get(&path.unwrap_or_default()).send().await?.body) }
        };

        let mut asked = stream::iter(keys.iter().map(one)).buffered(self.dialect.at_once());
        let mut held = HashMap::new();
        while let Some(row) = asked.next().await {
            let row = self.in_answer::<M>(row?);
            if let Some(key) = row.get(name).and_then(key_text) {
                held.insert(key, row);
            }
        }

        Ok(held)
    }

    /// The server's rows with these keys, filtered by `id=1&id=2` in as many requests as necessary.
    pub(crate) async fn of_keys(
        &self,
        path: &str,
        name: &str,
        keys: &[Value],
    ) -> Result<HashMap<String, Value>, Error> {
        let mut asked: Vec<Vec<(String, String)>> = Vec::new();
        let mut length = LONGEST;
        for key in keys {
            let key = plain(key);
            // A letter of a key may take three in a URL.
            let more = name.len() + 2 + 3 * key.len();
            length += more;
            if length > LONGEST {
                length = more;
                asked.push(self.dialect.query.clone());
            }
            asked.last_mut().into_iter().for_each(|query| query.push((name.to_owned(), key.clone())));
        }

        let mut held = HashMap::new();
        for query in asked {
            let rows = self.client.rows(path, &query, &self.dialect.collection_format, Some(name), |_, _| {}).await?;
            held.extend(rows.into_iter().filter_map(|row| Some((key_text(row.get(name)?)?, row))));
        }

        Ok(held)
    }
}

//! Which of the records that are about to be created already exist.

use diffsync_core::ModelExt;
use std::collections::BTreeSet;

use diffsync_core::adapter::TargetError;
use diffsync_core::model::AsKey;
use serde_json::Value;

use super::write::OutgoingRecord;
use crate::rest::context::RestContext;
use crate::rest::http::error::Error;
use crate::rest::model::RestModel;
use crate::rest::model::json_path::plain;
use crate::rest::model::schema::PartKind;
use crate::rest::record::{RowError, read};

/// How many bytes the parameters of one URL may have: servers take some 8,000, with the host, the path and the paging.
const LONGEST: usize = 6000;

impl RestContext {
    /// Whether the server surely has none of these records.
    pub(crate) async fn has_none_of<M: RestModel>(&self, new: &[&M], sent: &[(usize, OutgoingRecord)]) -> bool {
        let sent: Vec<&M> = sent.iter().filter_map(|(at, _)| new.get(*at).copied()).collect();

        // A record that cannot be searched may exist.
        let found = async {
            for record in &sent {
                if self.parameters(*record).await?.is_empty() {
                    return Err(TargetError::new("its identifier has no part that its collection can be searched by"));
                }
            }
            self.find(&sent).await
        };

        match found.await {
            Ok(found) => found.iter().all(Option::is_none),
            Err(error) => {
                tracing::warn!(?error, "could not look up whether the records were created");
                false
            }
        }
    }

    /// The current rows of these records on the server, by their identifiers. A record whose identifier has no part to search
    /// by is not found.
    ///
    /// The collection is searched for the rows that have one of the values of each part of the identifiers, which are these
    /// records and perhaps some more. It must support `name=a&name=b`.
    pub(crate) async fn find<M: RestModel>(&self, wanted: &[&M]) -> Result<Vec<Option<Value>>, TargetError> {
        let mut found: Vec<Option<Value>> = wanted.iter().map(|_| None).collect();
        let mut open: Vec<(usize, Vec<(String, String)>)> = Vec::new();
        for (at, record) in wanted.iter().enumerate() {
            open.push((at, self.parameters(*record).await?));
        }

        open.sort_by_key(|(_, parameters)| names(parameters));

        let mut rest = open.as_slice();
        while !rest.is_empty() {
            let (query, taken) = joined(rest);
            let (now, later) = rest.split_at(taken);
            rest = later;
            if query.is_empty() {
                continue;
            }

            for row in self.rows_with(M::REST.path, query).await.map_err(Error::into_target_error)? {
                let Some(id) = self.identified::<M>(&row).await? else { continue };
                let is_it = |(at, _): &&(usize, Vec<_>)| {
                    wanted.get(*at).is_some_and(|wanted| id.key().is_some_and(|key| wanted.is(key)))
                };
                if let Some(place) = now.iter().find(is_it).and_then(|(at, _)| found.get_mut(*at)) {
                    *place = Some(row);
                }
            }
        }

        Ok(found)
    }

    /// The rows of a collection that have these values.
    pub(crate) async fn rows_with(&self, path: &str, query: Vec<(String, String)>) -> Result<Vec<Value>, Error> {
        let query = [self.dialect.query.as_slice(), &query].concat();
        self.client.rows(path, &query, &self.dialect.collection_format, Some(&self.dialect.key), |_, _| {}).await
    }

    /// The identifier of a row's record, even if the rest of the row cannot be read.
    pub(crate) async fn identified<M: RestModel>(&self, row: &Value) -> Result<Option<M::Id>, TargetError> {
        loop {
            let read = read::<M>(&self.cache(), &M::REST.collection(), row, None);
            match read {
                Ok(record) => return Ok(Some(record.id())),
                Err(RowError::Record(id, _)) => return Ok(Some(id)),
                Err(RowError::Unread(other)) => self.fetch_once(&other).await.map_err(Error::of_read)?,
                Err(RowError::Row(_) | RowError::Unidentified(_)) => return Ok(None),
            }
        }
    }

    /// The identifier of a record as parameters, without empty parts.
    async fn parameters<M: RestModel>(&self, record: &M) -> Result<Vec<(String, String)>, TargetError> {
        let body = self.creation(record).await?.body;
        let identifies = |name: &&str| M::SCHEMA.identifiers.iter().any(|field| field.name == *name);
        let fields = M::REST.fields.iter().filter(|field| field.writable && field.names.iter().any(&identifies));
        let mut parameters = Vec::new();
        for field in fields {
            let steps = match field.part.kind {
                PartKind::Tree { parent, .. } => vec![parent, field.part.path.first().copied().unwrap_or_default()],
                PartKind::Value | PartKind::Lookup { .. } => vec![field.part.path.first().copied().unwrap_or_default()],
            };

            for step in steps {
                match body.get(step) {
                    None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => {}
                    Some(value) => parameters.push((step.to_owned(), plain(value))),
                }
            }
        }

        Ok(parameters)
    }
}

/// The names of a record's parameters.
fn names(parameters: &[(String, String)]) -> BTreeSet<String> {
    parameters.iter().map(|(name, _)| name.clone()).collect()
}

/// The parameters of as many records as go into one URL, each value once, and the number of these records.
fn joined(open: &[(usize, Vec<(String, String)>)]) -> (Vec<(String, String)>, usize) {
    let mut all = BTreeSet::new();
    let mut length = 0;
    for (taken, (_, parameters)) in open.iter().enumerate() {
        // A letter may take three in a URL.
        let new = parameters.iter().filter(|parameter| !all.contains(*parameter));
        let more: usize = new.map(|(name, value)| name.len() + 2 + 3 * value.len()).sum();
        // A record without one of the values would not be among the rows that have it.
        let is_alike = open.first().is_some_and(|(_, first)| names(first) == names(parameters));
        if taken > 0 && (length + more > LONGEST || !is_alike) {
            return (all.into_iter().collect(), taken);
        }
        length += more;
        all.extend(parameters.iter().cloned());
    }

    (all.into_iter().collect(), open.len())
}

//! The row of a record that was just created: from the answer, from the URL in the answer, or from the collection.

use std::collections::{BTreeMap, BTreeSet};

use diffsync_core::ModelExt;
use diffsync_core::adapter::{AdapterError, TargetError};
use diffsync_core::value::Url;
use futures_util::TryStreamExt;
use serde_json::Value;

use super::write_request::{Content, WriteReply, content, foreign_answer};
use crate::rest::context::RestContext;
use crate::rest::http::client::Request;
use crate::rest::http::pages::Reading;
use crate::rest::model::RestModel;
use crate::rest::model::json_path::plain;
use crate::rest::model::schema::PartKind;
use crate::rest::record::{RecordValues, RowError, read};

impl RestContext {
    /// The name of a record's key, and whether the key must be known: for later changes, or for records that refer to it.
    pub(crate) fn key_need<M: RestModel>(&self) -> (String, bool) {
        let (cache, collection) = (self.cache(), M::REST.collection());
        let key = cache.key_of(&collection).to_owned();
        let is_identifier = |name: &&str| M::SCHEMA.identifiers.iter().any(|field| field.name == *name);
        // A key that is part of the identifier is known before the write.
        let is_known =
            M::REST.fields.iter().any(|field| field.part.path == [&*key] && field.names.iter().any(is_identifier));
        let is_needed = !is_known && (M::REST.key.has_field || cache.is_looked_up(&collection));
        (key, is_needed)
    }

    /// The row of a created record, `null` if only what was sent is known.
    pub(crate) async fn created_row<M: RestModel>(
        &self,
        new: &M,
        told: WriteReply,
        request: &Request,
    ) -> Result<Value, TargetError> {
        let (key, needs_key) = self.key_need::<M>();
        let row = self.in_answer::<M>(told.body);
        let content = content::<M>(&row, &key);
        if content == Content::Foreign && !told.is_vouched {
            return Err(foreign_answer::<M>(request, Some(told.status), &row).into_target_error());
        }

        let row = if content == Content::Record { row } else { Value::Null };
        if !needs_key || has_key(&row, &key) {
            return Ok(row);
        }

        if let Some(url) = told.location
            && let Some(row) = self.row_at::<M>(url, &key).await
        {
            return Ok(row);
        }

        let found = self.find_rows(&[new]).await;
        found_or(found.map(|mut found| found.pop().flatten()), row)
    }

    /// The row at the URL that an answer leads to.
    async fn row_at<M: RestModel>(&self, url: Url, key: &str) -> Option<Value> {
        let row = match self.client.follow(url).send().await {
            Ok(answer) => self.in_answer::<M>(answer.body),
            Err(error) => {
                tracing::debug!(%error, "the URL in the answer cannot be read");
                return None;
            }
        };

        // A search returns a list with one record.
        let row = match row {
            Value::Array(mut rows) if rows.len() == 1 => rows.pop()?,
            row => row,
        };
        has_key(&row, key).then_some(row)
    }

    /// The rows of these records in the collection. One record is searched by its identifier; for several, the whole
    /// collection is read.
    pub(crate) async fn find_rows<M: RestModel>(&self, wanted: &[&M]) -> Result<Vec<Option<Value>>, AdapterError> {
        let name = M::REST.collection();
        let collection = self.collection(&name);
        let mut query = [self.dialect.query.as_slice(), &collection.query].concat();
        if let [one] = wanted {
            query.extend(self.filters(*one)?);
        }

        let (client, format, judge) = (&self.client, &self.dialect.collection_format, self.dialect.verdict);
        let reading = Reading { client, path: &collection.path, query: &query, format, judge, keep: None };
        let rows = client.rows_kept(reading, Some(&collection.key), |_, _| {});
        let mut found: Vec<Option<Value>> = vec![None; wanted.len()];
        for row in rows.await? {
            let Some(record) = self.readable::<M>(&name, &row).await? else { continue };
            for (place, wanted) in found.iter_mut().zip(wanted) {
                if !record.is(wanted.key()) {
                    continue;
                }

                if place.is_some() {
                    let text = format!("`{name}` has more than one {} {:?}", M::NAME, record.id().to_string());
                    return Err(AdapterError::new(text));
                }
                *place = Some(row.clone());
            }
        }

        Ok(found)
    }

    /// The same error with the records that may have the value, where it is a conflict and the server shows a record that
    /// differs from the new one in no more than case and outer white space.
    ///
    /// The server names one value that is taken, and may have found another one first. So each of the planned deletes that
    /// may have another value of the new record is named as well.
    pub(crate) async fn conflicted<'a, M: RestModel>(
        &self,
        new: &M,
        error: TargetError,
        planned: impl Iterator<Item = &'a M>,
    ) -> TargetError {
        if !error.is_conflict() {
            return error;
        }

        match self.holder(new).await {
            Ok(Some(id)) => match possible_holders(new, planned, &error.to_string()) {
                Ok(Some(others)) => {
                    others.into_iter().fold(error.held_by(M::NAME, id), |error, id| error.held_by(M::NAME, id))
                }
                Ok(None) => error,
                Err(reason) => {
                    tracing::debug!(%reason, "the records that have the values are not known");
                    error
                }
            },
            Ok(None) => error,
            Err(reason) => {
                tracing::debug!(%reason, "the record that has the value is not known");
                error
            }
        }
    }

    async fn holder<M: RestModel>(&self, new: &M) -> Result<Option<String>, AdapterError> {
        let name = M::REST.collection();
        let collection = self.collection(&name);
        let filters = self.filters(new)?;
        let query = [self.dialect.query.as_slice(), &collection.query, &filters].concat();
        let folded = |id: String| id.trim().to_lowercase();
        let wanted = folded(new.id().to_string());

        // A server that ignores the parameters returns all records, so only the first page is read.
        let page = self.client.pages(&collection.path, &query, &self.dialect.collection_format).try_next().await?;
        let mut holder = None;
        for row in page.map(|page| page.rows).unwrap_or_default() {
            let Some(record) = self.readable::<M>(&name, &row).await? else { continue };
            let id = record.id().to_string();
            if folded(id.clone()) == wanted && holder.replace(id).is_some() {
                return Ok(None);
            }
        }

        Ok(holder)
    }

    /// The parameters that select a record in its collection.
    fn filters<M: RestModel>(&self, record: &M) -> Result<Vec<(String, String)>, AdapterError> {
        let values = RecordValues::of(record)?;
        let is_identifier = |name: &&str| M::SCHEMA.identifiers.iter().any(|field| field.name == *name);
        let mut filters = Vec::new();
        for field in M::REST.fields {
            // Filters by other records differ between servers.
            let ([name], PartKind::Value) = (field.names, field.part.kind) else { continue };
            let value = values.get(name);
            if !is_identifier(name) || matches!(value, Value::Null | Value::Array(_) | Value::Object(_)) {
                continue;
            }
            let parameter = (self.dialect.filter_parameter)(M::REST.path, &field.part.path.join("."));
            filters.extend(parameter.map(|parameter| (parameter, plain(&value))));
        }

        Ok(filters)
    }

    /// The record of a row, if it can be read.
    async fn readable<M: RestModel>(&self, collection: &str, row: &Value) -> Result<Option<M>, AdapterError> {
        loop {
            let read = read::<M>(&self.cache(), collection, row, None);
            match read {
                Ok(record) => return Ok(Some(record)),
                Err(RowError::Unread(other)) => self.fetch_once(&other).await?,
                Err(_) => return Ok(None),
            }
        }
    }
}

/// The records among these that may have a unique value of the new one. `None` if the error is about a field whose value none
/// of them has.
///
/// Which fields are unique is not known. But the record that has a unique value shares all fields of that key, and no other
/// record does: so what it shares with the new one is never a part of what another record shares.
fn possible_holders<'a, M: RestModel>(
    new: &M,
    records: impl Iterator<Item = &'a M>,
    error: &str,
) -> Result<Option<Vec<String>>, serde_json::Error> {
    let wanted = comparable(new)?;
    let mut sharing: BTreeMap<BTreeSet<&'static str>, Vec<String>> = BTreeMap::new();
    for record in records {
        let held = comparable(record)?;
        let shared: BTreeSet<_> = wanted.iter().filter(|pair| held.contains(pair)).map(|(name, _)| *name).collect();
        if !shared.is_empty() {
            sharing.entry(shared).or_default().push(record.id().to_string());
        }
    }

    let is_part_of_another =
        |shared: &BTreeSet<_>| sharing.keys().any(|other| other != shared && other.is_superset(shared));
    let alone: Vec<_> = sharing.iter().filter(|(shared, ids)| ids.len() == 1 && !is_part_of_another(shared)).collect();

    // A value that the server keeps in another form is not found by comparing.
    let is_attribute = |name: &&str| M::SCHEMA.attributes.iter().any(|field| field.name == *name);
    let is_named = |step: &&str| error.contains(&format!("\"{step}\""));
    let named = M::REST.fields.iter().filter(|field| field.part.path.last().is_some_and(&is_named));
    let mut attributes = named.flat_map(|field| field.names).filter(|name| is_attribute(name));
    if !attributes.all(|name| alone.iter().any(|(shared, _)| shared.contains(name))) {
        return Ok(None);
    }

    Ok(Some(alone.into_iter().flat_map(|(_, ids)| ids.clone()).collect()))
}

/// The values of a record that may be unique, without regard to case and outer white space.
fn comparable<M: RestModel>(record: &M) -> Result<Vec<(&'static str, String)>, serde_json::Error> {
    let mut values = Vec::new();
    for (position, field) in M::SCHEMA.identifiers.iter().enumerate() {
        values.push((field.name, record.identifier(position)?));
    }
    for (position, field) in M::SCHEMA.attributes.iter().enumerate() {
        values.push((field.name, record.attribute(position)?));
    }

    let texts = values.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text.trim().to_lowercase())),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    Ok(texts.filter(|(_, text)| !text.is_empty()).collect())
}

/// The row that was found, or the row in the answer, if any.
pub(crate) fn found_or(found: Result<Option<Value>, AdapterError>, answered: Value) -> Result<Value, TargetError> {
    let why = match found {
        Ok(Some(row)) => return Ok(row),
        Ok(None) => "it has no record with this identifier; it may store it under another".to_owned(),
        Err(error) => error.to_string(),
    };
    if answered.is_null() {
        return Err(TargetError::unknown(format!(
            "the server reports that it was created, without a key; a search for the record failed: {why}"
        )));
    }

    tracing::warn!(reason = why, "the key of a created record is unknown, so the record cannot be changed in this run");
    Ok(answered)
}

pub(crate) fn has_key(row: &Value, key: &str) -> bool {
    row.get(key).is_some_and(|key| !key.is_null())
}

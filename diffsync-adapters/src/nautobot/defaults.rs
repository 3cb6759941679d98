//! Custom fields whose default is one of their choices, and those that must be filled.
//!
//! A custom field is created before its choices, and takes no default that is not among them. So the default is set once all is
//! written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diffsync_core::adapter::AdapterError;
use serde_json::{Value, json};

use super::attributes;
use super::entries::ModelEntry;
use crate::rest::context::RestContext;
use crate::rest::{Client, Method, RestModel, StatusCode};

const CUSTOM_FIELDS: &str = "extras/custom-fields";

/// The defaults that are still to be set, by the keys of their custom fields.
#[derive(Debug, Default)]
pub(super) struct Defaults(Mutex<BTreeMap<String, Value>>);

impl Defaults {
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self) {
        self.open().clear();
    }

    /// The default of a custom field, if it waits for the field's choices.
    pub(super) fn waiting<M: RestModel>(record: &M) -> Result<Option<(usize, Value)>, serde_json::Error> {
        if M::REST.path != CUSTOM_FIELDS {
            return Ok(None);
        }

        let of =
            |part: &str| attributes::position::<M>(part).map(|position| Ok((position, record.attribute(position)?)));
        let of = |part: &str| of(part).transpose();
        let (Some((_, kind)), Some((position, default))) = (of("type")?, of("default")?) else { return Ok(None) };
        let chooses = matches!(kind.as_str(), Some("select" | "multi-select"));

        Ok((chooses && !default.is_null()).then_some((position, default)))
    }

    /// Notes that a custom field is there, and its default is to be set.
    pub(super) fn note<M: RestModel>(&self, stored: &M, default: Value) -> Result<(), serde_json::Error> {
        if let Some(key) = stored.remote_key()?.as_str() {
            self.open().insert(key.to_owned(), default);
        }
        Ok(())
    }

    /// Sets them.
    pub(super) async fn set(&self, client: &Client) -> Result<(), AdapterError> {
        let defaults = std::mem::take(&mut *self.open());
        for (key, default) in defaults {
            let path = format!("{CUSTOM_FIELDS}/{key}");
            client.request(Method::PATCH, &path).json(json!({"default": default})).send().await.map_err(|error| {
                AdapterError::new(format!(
                    "a custom field was written without its default {default}, which could not be set: {error}"
                ))
            })?;
        }

        Ok(())
    }
}

/// The custom fields that must be filled, if any model holds custom fields.
pub(super) async fn required<D>(
    rest: &RestContext,
    entries: &[ModelEntry<D>],
) -> Result<BTreeSet<String>, AdapterError> {
    let holds = |entry: &ModelEntry<D>| entry.schema.fields.iter().any(|field| field.part.path == ["custom_fields"]);
    if !entries.iter().any(holds) {
        return Ok(BTreeSet::new());
    }

    let rows = match rest.rows_with(CUSTOM_FIELDS, vec![("required".to_owned(), "true".to_owned())]).await {
        Ok(rows) => rows,
        // Then a record that leaves one empty is refused.
        Err(error) if error.status() == Some(StatusCode::FORBIDDEN) => return Ok(BTreeSet::new()),
        Err(error) => return Err(error.into()),
    };

    let is_required = |row: &&Value| row.get("required") == Some(&Value::Bool(true));
    Ok(rows.iter().filter(is_required).filter_map(|row| row.get("key")?.as_str().map(str::to_owned)).collect())
}

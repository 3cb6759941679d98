//! The values of custom fields.

use diffsync_core::ModelExt;
use std::collections::BTreeMap;

use diffsync_core::adapter::AdapterError;
use diffsync_core::compare::Contains;
use diffsync_core::data::HasTable;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::attributes;
use crate::rest::RestModel;

/// The custom fields of a record, by key.
///
/// Compared with `contains`: a custom field that only the target has is its own affair. One that is empty on both sides,
/// or empty on the one and not spoken of on the other, is the same; one that is empty in the source is emptied in the target.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct CustomFields(BTreeMap<String, Value>);

impl CustomFields {
    /// The value of a custom field, if it has one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Sets a custom field; `null` empties it.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(key.into(), value.into());
    }

    /// All custom fields that are spoken of.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for CustomFields {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl<'de> Deserialize<'de> for CustomFields {
    /// Nothing is no custom fields.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}

impl Contains for CustomFields {
    fn same(&self, target: &Self) -> bool {
        self.0.iter().all(|(key, value)| target.get(key) == Some(value).filter(|value| !value.is_null()))
    }

    fn union(&self, target: &Self) -> Self {
        let mut all = target.0.clone();
        all.extend(self.0.clone());
        Self(all)
    }
}

/// Says of a custom field of a record, by its key and its value, whether it is taken out.
pub(super) type Takes<'a> = &'a dyn Fn(&str, &Value) -> bool;

/// Takes custom fields out of all records of a model.
pub(super) fn without<D: HasTable<M>, M: RestModel>(data: &mut D, takes: Takes<'_>) -> Result<(), AdapterError> {
    let mut patches = Vec::new();
    for record in data.table() {
        patches.extend(taking_out(record, takes)?.map(|patch| (record.id(), patch)));
    }
    for (id, patch) in patches {
        data.table_mut().modify(&id, |record| record.apply(&patch));
    }
    Ok(())
}

/// What takes custom fields out of a record, if it has such, and the model has them all in one field.
pub(super) fn taking_out<M: RestModel>(record: &M, takes: Takes<'_>) -> Result<Option<M::Patch>, AdapterError> {
    let Some(position) = attributes::position::<M>("custom_fields") else { return Ok(None) };
    let Value::Object(mut fields) = record.attribute(position)? else { return Ok(None) };
    let before = fields.len();
    fields.retain(|key, value| !takes(key, value));

    if fields.len() == before {
        return Ok(None);
    }

    let without = attributes::with(record, position, fields.into())?;
    Ok(Some(without.patch(&without, &|changed| changed == position)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_is_the_same_as_what_is_not_there() {
        let fields = |fields: &[(&str, Value)]| -> CustomFields { fields.iter().cloned().collect() };
        let (empty, null, set) = (fields(&[]), fields(&[("a", Value::Null)]), fields(&[("a", "x".into())]));
        assert!(CustomFields::same(&null, &empty) && CustomFields::same(&empty, &null));
        assert!(CustomFields::same(&empty, &set), "what only the target has is its own affair");
        assert!(!CustomFields::same(&set, &empty));
        assert!(!CustomFields::same(&null, &set), "what the source empties is emptied");
        assert_eq!(
            CustomFields::union(&fields(&[("b", 1.into())]), &set),
            fields(&[("a", "x".into()), ("b", 1.into())])
        );
    }
}

//! Changing an attribute of a record whose model is not known.

use diffsync_core::ModelExt;
use diffsync_core::model::AttributeValues;
use diffsync_core::value::exposed;
use serde_json::Value;

use crate::rest::RestModel;

/// The attribute that this part of a record's body holds, and nothing else.
pub(super) fn position<M: RestModel>(part: &str) -> Option<usize> {
    let field = M::REST.fields.iter().find(|field| field.part.path == [part])?;
    let [name] = field.names else { return None };
    M::SCHEMA.attributes.iter().position(|field| field.name == *name)
}

/// The record with another value of the attribute.
pub(super) fn with<M: RestModel>(record: &M, position: usize, value: Value) -> Result<M, serde_json::Error> {
    let mut attributes = AttributeValues::default();
    if let Value::Object(values) = serde_json::to_value(exposed(&record.patch(record, &|_| true)))? {
        values.into_iter().for_each(|(name, value)| attributes.set(name, value));
    }
    if let Some(field) = M::SCHEMA.attributes.get(position) {
        attributes.set(field.name, value);
    }

    let mut changed = M::from_values(record.id(), &mut attributes).map_err(serde::ser::Error::custom)?;
    changed.set_remote_key(record.remote_key()?)?;
    Ok(changed)
}

/// The attributes that a patch changes, by their positions.
pub(super) fn changed<M: RestModel>(patch: &M::Patch) -> Result<Vec<usize>, serde_json::Error> {
    let values = serde_json::to_value(exposed(patch))?;
    let is_changed = |field: &&diffsync_core::schema::FieldSchema| values.get(field.name).is_some();
    let positions = M::SCHEMA.attributes.iter().enumerate().filter(|(_, field)| is_changed(field));
    Ok(positions.map(|(position, _)| position).collect())
}

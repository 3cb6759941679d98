//! Identifiers that a Nautobot would store in another form: a record would be created anew in every run, and what it became
//! deleted.

use diffsync_core::adapter::TargetError;
use ipnet::IpNet;
use serde_json::{Map, Value};

use crate::rest::{RestField, RestModel};

/// Why a record must not be created, if the server would make another identifier of its own. The record that it would become
/// has the value, so that it is not deleted for this one.
pub(super) fn refused<M: RestModel>(record: &M) -> Result<Option<TargetError>, serde_json::Error> {
    let mut given = Map::new();
    for (position, field) in M::SCHEMA.identifiers.iter().enumerate() {
        given.insert(field.name.to_owned(), record.identifier(position)?);
    }

    let stored: Map<String, Value> =
        given.iter().map(|(name, value)| (name.clone(), as_stored(value, is_network::<M>(name)))).collect();
    let Some((name, value)) = given.iter().find(|(name, value)| stored.get(*name) != Some(*value)) else {
        return Ok(None);
    };
    let becomes = stored.get(name).cloned().unwrap_or_default();
    let text = format!("Nautobot would store its `{name}` {value} as {becomes}; write it so in the source");
    let error = TargetError::conflict(text);
    let id = match M::SCHEMA.identifiers {
        [_] => becomes,
        _ => stored.into(),
    };
    let id: Option<M::Id> = serde_json::from_value(id).ok();

    Ok(Some(match id {
        Some(id) => error.held_by(M::NAME, id),
        None => error,
    }))
}

/// Whether a field holds the network of a prefix.
fn is_network<M: RestModel>(name: &str) -> bool {
    let is_it = |field: &RestField| field.names == [name] && field.part.path == ["prefix"];
    M::REST.path == "ipam/prefixes" && M::REST.fields.iter().any(is_it)
}

/// A value as the server stores it: without white space around it, and a network without the bits of a host.
fn as_stored(value: &Value, is_network: bool) -> Value {
    match value {
        Value::String(text) if is_network => {
            text.parse::<IpNet>().map_or_else(|_| text.trim().into(), |net| net.trunc().to_string().into())
        }
        Value::String(text) => text.trim().into(),
        Value::Array(items) => items.iter().map(|item| as_stored(item, is_network)).collect(),
        other => other.clone(),
    }
}

//! Values that are unique in a Nautobot: who has one that is taken, and how it comes free.

use std::collections::HashSet;

use diffsync_core::{Dataset, TargetError, VisitedBy};
use serde_json::{Map, Value, json};

use super::attributes;
use crate::rest::{Method, Models, Rest, RestModel};

/// Fields that no two records of a collection share, beside those that identify them. Each may be empty.
const UNIQUE: &[(&str, &str)] = &[("dcim/devices", "asset_tag")];

/// Collections in which the server itself keeps unique what identifies a record, also when two are created at once. In others
/// it stores equal ones that come at the same moment, such as locations without a parent or interfaces.
const KEPT_UNIQUE: &[&str] = &[
    "extras/statuses",
    "extras/roles",
    "extras/tags",
    "extras/custom-fields",
    "extras/custom-field-choices",
    "tenancy/tenant-groups",
    "tenancy/tenants",
    "dcim/location-types",
    "dcim/manufacturers",
    "dcim/platforms",
    "dcim/device-types",
    "ipam/namespaces",
    "ipam/prefixes",
    "ipam/prefix-location-assignments",
    "ipam/ip-addresses",
];

/// Whether equal records of this collection can be there twice, so that it is looked at again before one is created.
pub(super) fn may_double(path: &str) -> bool {
    !KEPT_UNIQUE.contains(&path)
}

/// A record that has a value that another one is to have.
pub(super) struct Holder {
    /// Its identifier.
    pub(super) id: String,
    key: String,
    field: &'static str,
    value: Value,
    /// Whether the plan deletes it.
    pub(super) is_leaving: bool,
}

/// The record that has a unique value of this one, as the server has it now.
pub(super) async fn holder<D, M>(
    rest: &Rest<D>,
    record: &M,
    planned: &HashSet<String>,
) -> Result<Option<Holder>, TargetError>
where
    D: Dataset + VisitedBy<Models<D>>,
    M: RestModel,
{
    let own = record.remote_key()?;
    for (_, field) in UNIQUE.iter().filter(|(path, _)| *path == M::REST.path) {
        let Some(position) = attributes::position::<M>(field) else { continue };
        let value = record.attribute(position)?;
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { continue };
        let rows = rest.rows_with(M::REST.path, vec![((*field).to_owned(), text.to_owned())]).await;
        for row in rows.map_err(crate::rest::Error::into_target)? {
            let Some(key) = row.get("id").and_then(Value::as_str) else { continue };
            if row.get(*field) != Some(&value) || own == key {
                continue;
            }
            let named = rest.as_record::<M>(&row).await?.map(|record| record.id().to_string());
            let (key, is_leaving) = (key.to_lowercase(), planned.contains(&key.to_lowercase()));
            let id = named.unwrap_or_else(|| key.clone());
            return Ok(Some(Holder { id, key, field, value, is_leaving }));
        }
    }
    Ok(None)
}

impl Holder {
    /// Empties the value in the record that is to be deleted, so that another may have it.
    pub(super) async fn free<D: Dataset + VisitedBy<Models<D>>>(
        &self,
        rest: &Rest<D>,
        path: &str,
    ) -> Result<(), TargetError> {
        tracing::info!(path, record = self.id, field = self.field, "a value is freed that a record to be deleted has");
        self.set(rest, path, Value::Null).await
    }

    /// Puts the value back.
    pub(super) async fn restore<D: Dataset + VisitedBy<Models<D>>>(&self, rest: &Rest<D>, path: &str) {
        if let Err(error) = self.set(rest, path, self.value.clone()).await {
            let (record, field) = (&self.id, self.field);
            tracing::warn!(path, record, field, ?error, "the value that was freed could not be put back");
        }
    }

    async fn set<D: Dataset + VisitedBy<Models<D>>>(
        &self,
        rest: &Rest<D>,
        path: &str,
        value: Value,
    ) -> Result<(), TargetError> {
        let body = Map::from_iter([(self.field.to_owned(), value)]);
        let request = rest.client().request(Method::PATCH, &format!("{path}/{}", self.key)).json(json!(body));
        request.send().await.map(drop).map_err(crate::rest::Error::into_target)
    }
}

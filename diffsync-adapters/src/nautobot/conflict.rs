//! Values that are unique in a Nautobot, and who has one that is taken.

use diffsync_core::adapter::TargetError;

use super::attributes;
use crate::rest::context::RestContext;
use crate::rest::{Error, RestModel};

/// Fields that no two records of a collection share, beside those that identify them.
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

/// A conflict with the record that has the value and the attribute that holds it, where that is one of [`UNIQUE`].
pub(super) async fn named<M: RestModel>(rest: &RestContext, record: &M, error: TargetError) -> TargetError {
    match holder(rest, record).await {
        Ok(Some((id, attribute))) => error.held_by(M::NAME, id).on_field(attribute),
        Ok(None) => error,
        Err(reason) => {
            tracing::debug!(?reason, "the record that has the value is not known");
            error
        }
    }
}

/// The record that has a unique value of this one, as the server has it now, and the attribute.
async fn holder<M: RestModel>(rest: &RestContext, record: &M) -> Result<Option<(String, &'static str)>, TargetError> {
    let own = record.remote_key()?;
    for (_, part) in UNIQUE.iter().filter(|(path, _)| *path == M::REST.path) {
        let Some(position) = attributes::position::<M>(part) else { continue };
        let Some(field) = M::SCHEMA.attributes.get(position) else { continue };
        let value = record.attribute(position)?;
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { continue };
        let rows = rest.rows_with(M::REST.path, vec![((*part).to_owned(), text.to_owned())]).await;
        for row in rows.map_err(Error::into_target_error)? {
            if row.get(*part) != Some(&value) || row.get("id") == Some(&own) {
                continue;
            }
            if let Some(holder) = rest.identified::<M>(&row).await? {
                return Ok(Some((holder.to_string(), field.name)));
            }
        }
    }

    Ok(None)
}

//! Values that are unique in a Nautobot, and which records have them.

use std::collections::BTreeSet;

use diffsync_core::adapter::TargetError;
use serde_json::{Map, Value};

use super::attributes;
use super::cascade::key_at;
use crate::rest::context::RestContext;
use crate::rest::model::json_path::plain;
use crate::rest::{Error, RestModel};

/// Fields that no two records of a collection share, in Nautobot 3.2. Where one of several is empty, the others may be shared.
const UNIQUE: &[(&str, &[&str])] = &[
    ("circuits/circuit-terminations", &["circuit", "term_side"]),
    ("circuits/circuits", &["provider", "cid"]),
    ("circuits/provider-networks", &["provider", "name"]),
    ("cloud/cloud-network-prefix-assignments", &["cloud_network", "prefix"]),
    ("cloud/cloud-service-network-assignments", &["cloud_network", "cloud_service"]),
    ("dcim/console-ports", &["device", "name"]),
    ("dcim/console-server-ports", &["device", "name"]),
    ("dcim/device-bays", &["device", "name"]),
    ("dcim/device-bays", &["installed_device"]),
    ("dcim/device-cluster-assignments", &["device", "cluster"]),
    ("dcim/device-types", &["manufacturer", "model"]),
    ("dcim/devices", &["asset_tag"]),
    // By default within a location and a tenant only; which of them the server's settings say.
    ("dcim/devices", &["name"]),
    ("dcim/devices", &["rack", "position", "face"]),
    ("dcim/devices", &["virtual_chassis", "vc_position"]),
    ("dcim/front-ports", &["device", "name"]),
    ("dcim/front-ports", &["rear_port", "rear_port_position"]),
    ("dcim/interface-redundancy-group-associations", &["interface_redundancy_group", "interface"]),
    ("dcim/interface-vdc-assignments", &["virtual_device_context", "interface"]),
    ("dcim/interfaces", &["device", "name"]),
    ("dcim/interfaces", &["module", "name"]),
    ("dcim/interfaces", &["parent_interface", "breakout_position"]),
    ("dcim/inventory-items", &["asset_tag"]),
    ("dcim/inventory-items", &["device", "parent", "name"]),
    ("dcim/locations", &["parent", "name"]),
    ("dcim/module-bays", &["parent_device", "name"]),
    ("dcim/module-bays", &["parent_module", "name"]),
    ("dcim/module-types", &["manufacturer", "model"]),
    ("dcim/modules", &["asset_tag"]),
    ("dcim/modules", &["module_type", "serial"]),
    ("dcim/modules", &["parent_module_bay"]),
    ("dcim/power-feeds", &["power_panel", "breaker_position"]),
    ("dcim/power-feeds", &["power_panel", "name"]),
    ("dcim/power-outlets", &["device", "name"]),
    ("dcim/power-panels", &["location", "name"]),
    ("dcim/power-ports", &["device", "name"]),
    ("dcim/rack-groups", &["location", "name"]),
    ("dcim/racks", &["asset_tag"]),
    ("dcim/racks", &["rack_group", "facility_id"]),
    ("dcim/racks", &["rack_group", "name"]),
    ("dcim/rear-ports", &["device", "name"]),
    ("dcim/software-image-files", &["image_file_name", "software_version"]),
    ("dcim/software-versions", &["platform", "version"]),
    ("dcim/virtual-chassis", &["master"]),
    ("dcim/virtual-device-contexts", &["device", "identifier"]),
    ("dcim/virtual-device-contexts", &["device", "name"]),
    ("extras/contacts", &["name", "phone", "email"]),
    ("extras/custom-field-choices", &["custom_field", "value"]),
    ("extras/metadata-choices", &["metadata_type", "value"]),
    ("extras/relationships", &["key"]),
    ("extras/relationships", &["label"]),
    ("extras/static-group-associations", &["dynamic_group", "associated_object_id"]),
    ("extras/teams", &["name", "phone", "email"]),
    ("ipam/ip-address-to-interface", &["ip_address", "interface"]),
    ("ipam/ip-address-to-interface", &["ip_address", "vm_interface"]),
    // Within a namespace only, which a row does not show.
    ("ipam/ip-addresses", &["address"]),
    ("ipam/prefix-location-assignments", &["prefix", "location"]),
    ("ipam/prefixes", &["namespace", "prefix"]),
    ("ipam/services", &["name", "device"]),
    ("ipam/services", &["name", "virtual_machine"]),
    ("ipam/vlan-location-assignments", &["vlan", "location"]),
    ("ipam/vlans", &["vlan_group", "name"]),
    ("ipam/vlans", &["vlan_group", "vid"]),
    ("ipam/vrf-device-assignments", &["vrf", "device"]),
    ("ipam/vrf-device-assignments", &["vrf", "virtual_device_context"]),
    ("ipam/vrf-device-assignments", &["vrf", "virtual_machine"]),
    ("ipam/vrf-prefix-assignments", &["vrf", "prefix"]),
    ("ipam/vrfs", &["namespace", "rd"]),
    ("load-balancers/load-balancer-pool-members", &["ip_address", "port", "load_balancer_pool"]),
    ("load-balancers/virtual-servers", &["vip", "port", "protocol"]),
    ("virtualization/interfaces", &["virtual_machine", "name"]),
    // Without a tenant as well.
    ("virtualization/virtual-machines", &["cluster", "name"]),
    ("vpn/vpn-terminations", &["interface"]),
    ("vpn/vpn-terminations", &["vlan"]),
    ("vpn/vpn-terminations", &["vm_interface"]),
    ("vpn/vpn-tunnel-endpoints", &["source_interface"]),
    ("vpn/vpn-tunnel-endpoints", &["tunnel_interface"]),
    ("wireless/supported-data-rates", &["standard", "rate"]),
];

/// Collections in which no two records share a name.
const NAMED: &[&str] = &[
    "circuits/circuit-types",
    "circuits/providers",
    "cloud/cloud-accounts",
    "cloud/cloud-networks",
    "cloud/cloud-resource-types",
    "cloud/cloud-services",
    "dcim/cable-types",
    "dcim/controller-managed-device-groups",
    "dcim/controllers",
    "dcim/device-families",
    "dcim/device-redundancy-groups",
    "dcim/interface-redundancy-groups",
    "dcim/location-types",
    "dcim/manufacturers",
    "dcim/module-families",
    "dcim/platforms",
    "dcim/virtual-chassis",
    "extras/config-context-schemas",
    "extras/config-contexts",
    "extras/dynamic-groups",
    "extras/external-integrations",
    "extras/job-queues",
    "extras/metadata-types",
    "extras/roles",
    "extras/secrets",
    "extras/secrets-groups",
    "extras/statuses",
    "extras/tags",
    "ipam/namespaces",
    "ipam/rirs",
    "ipam/route-targets",
    "ipam/vlan-groups",
    "load-balancers/certificate-profiles",
    "load-balancers/health-check-monitors",
    "tenancy/tenant-groups",
    "tenancy/tenants",
    "virtualization/cluster-groups",
    "virtualization/cluster-types",
    "virtualization/clusters",
    "vpn/vpn-phase-1-policies",
    "vpn/vpn-phase-2-policies",
    "vpn/vpn-profiles",
    "vpn/vpn-tunnels",
    "vpn/vpns",
    "wireless/radio-profiles",
    "wireless/wireless-networks",
];

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

/// The unique keys of a collection.
fn unique_keys(path: &str) -> impl Iterator<Item = &'static [&'static str]> {
    let by_name: Option<&'static [&'static str]> = NAMED.contains(&path).then_some(&["name"]);
    UNIQUE.iter().filter(move |(of, _)| *of == path).map(|(_, fields)| *fields).chain(by_name)
}

/// A conflict with all records that have unique values of this one, and with the attribute, where it is only one.
pub(super) async fn named<M: RestModel>(rest: &RestContext, record: &M, error: TargetError) -> TargetError {
    match holders(rest, record).await {
        Ok(Holders { ids, attributes }) => {
            let error = ids.into_iter().fold(error, |error, id| error.held_by(M::NAME, id));
            match attributes.as_slice() {
                [Some(attribute)] => error.on_field(*attribute),
                _ => error,
            }
        }
        // With some of them unknown, each record may be one.
        Err(reason) => {
            tracing::debug!(?reason, "the records that have the values are not known");
            TargetError::conflict(error.to_string())
        }
    }
}

/// The records that have unique values of another.
#[derive(Default)]
struct Holders {
    ids: BTreeSet<String>,
    /// The attribute of each key whose values they have, none for a key of several fields.
    attributes: Vec<Option<&'static str>>,
}

/// The records that have unique values of this one, as the server has them now.
async fn holders<M: RestModel>(rest: &RestContext, record: &M) -> Result<Holders, TargetError> {
    let mut holders = Holders::default();
    let keys: Vec<_> = unique_keys(M::REST.path).filter(|fields| holds_all::<M>(fields)).collect();
    if keys.is_empty() {
        return Ok(holders);
    }

    let own = record.remote_key()?;
    let body = rest.creation(record).await?.body;
    for fields in keys {
        let Some(query) = query(M::REST.path, fields, &body) else { continue };
        let mut any = false;
        for row in rest.rows_with(M::REST.path, query).await.map_err(Error::into_target_error)? {
            let is_same = |field: &&str| same(field, &row, &body);
            if row.get("id") == Some(&own) || !fields.iter().all(is_same) {
                continue;
            }
            if let Some(id) = rest.identified::<M>(&row).await? {
                holders.ids.insert(id.to_string());
                any = true;
            }
        }

        if any {
            holders.attributes.push(attribute::<M>(fields));
        }
    }

    Ok(holders)
}

/// Whether a model writes all fields of a key. In the others a new record has nothing, which is not unique.
fn holds_all<M: RestModel>(fields: &[&str]) -> bool {
    let is_written =
        |name: &&str| M::REST.fields.iter().any(|field| field.writable && field.part.path.first() == Some(name));
    fields.iter().all(is_written)
}

/// The parameters that ask for the records with the same values, unless the key leaves such records alone.
fn query(path: &str, fields: &[&str], body: &Map<String, Value>) -> Option<Vec<(String, String)>> {
    let mut query = Vec::new();
    for field in fields {
        match body.get(*field) {
            // Two locations without a parent cannot have the same name either.
            None | Some(Value::Null) if path == "dcim/locations" && *field == "parent" => {}
            None | Some(Value::Null) => return None,
            Some(Value::String(text)) if text.is_empty() => return None,
            Some(Value::String(text)) if path == "ipam/ip-addresses" => query.push(((*field).to_owned(), host(text))),
            Some(value) => query.push(((*field).to_owned(), plain(value))),
        }
    }

    Some(query)
}

/// Whether a row has the same value as the body of a record, however either is written.
fn same(field: &str, row: &Value, body: &Map<String, Value>) -> bool {
    let text = |value: Option<String>| value.map(|text| if field == "address" { host(&text) } else { text });
    let held = key_at(row, field).or_else(|| row.get(field).filter(|value| value.is_number()).map(plain));
    let wanted = body.get(field).filter(|value| !value.is_null()).map(|value| plain(value).to_lowercase());
    text(held) == text(wanted)
}

/// An address without its mask.
fn host(address: &str) -> String {
    address.split_once('/').map_or(address, |(host, _)| host).to_owned()
}

/// The attribute that a key is, if it is one.
fn attribute<M: RestModel>(fields: &[&str]) -> Option<&'static str> {
    let [field] = fields else { return None };
    let position = attributes::position::<M>(field)?;
    M::SCHEMA.attributes.get(position).map(|field| field.name)
}

//! Devices and their parts.

use diffsync_core::SyncModel;
use uuid::Uuid;

use super::{CustomField, CustomFieldChoice, Location, Role, Status, Tag, Tenant};
use crate::RestModel;
#[cfg(feature = "sql")]
use crate::SqlModel;
use crate::nautobot::{CustomFields, LocationPath};

/// Who makes devices.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "manufacturers"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "dcim/manufacturers")]
pub struct Manufacturer {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// Who it is.
    pub description: String,
    /// The values of its custom fields.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub custom_fields: CustomFields,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// What runs on devices.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "platforms"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "dcim/platforms")]
pub struct Platform {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// Who makes it.
    #[sync(references = Manufacturer)]
    #[rest(lookup = "manufacturer -> dcim/manufacturers(name)")]
    pub manufacturer: Option<String>,
    /// The name by which automation knows it, such as `cisco_ios`.
    pub network_driver: String,
    /// The name by which NAPALM knows it.
    pub napalm_driver: String,
    /// What it is.
    pub description: String,
    /// The values of its custom fields.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub custom_fields: CustomFields,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// A model of devices.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "device_types"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "dcim/device-types")]
pub struct DeviceType {
    /// Who makes it.
    #[sync(id, references = Manufacturer)]
    #[rest(lookup = "manufacturer -> dcim/manufacturers(name)")]
    pub manufacturer: String,
    /// The manufacturer's name for it.
    #[sync(id)]
    pub model: String,
    /// The manufacturer's number for it.
    pub part_number: String,
    /// How many rack units it takes.
    pub u_height: u32,
    /// Whether it takes both faces of a rack.
    pub is_full_depth: bool,
    /// Whether it holds other devices, `parent`, or is held by one, `child`.
    #[rest(choice, blank)]
    pub subdevice_role: Option<String>,
    /// What else there is to say.
    pub comments: String,
    /// The marks on it.
    #[sync(references = Tag, compare = contains)]
    #[rest(lookup = "tags -> extras/tags(name)")]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub tags: Vec<String>,
    /// The values of its custom fields.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub custom_fields: CustomFields,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// A device. Where it is, is an attribute: a device that moves stays the same.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "devices"))]
#[sync(
    after(CustomField, CustomFieldChoice),
    references(DeviceType, manufacturer = manufacturer, model = device_type)
)]
#[rest(
    path = "dcim/devices",
    lookup(
        "device_type -> dcim/device-types(manufacturer -> dcim/manufacturers(name), model)",
        manufacturer,
        device_type
    )
)]
pub struct Device {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// Where it is.
    #[sync(references = Location)]
    #[rest(lookup = "location -> dcim/locations(parent*/name)")]
    #[cfg_attr(feature = "sql", sql(as = text))]
    pub location: LocationPath,
    /// Who makes it.
    pub manufacturer: String,
    /// The manufacturer's name for its model.
    pub device_type: String,
    /// What it is for.
    #[sync(references = Role)]
    #[rest(lookup = "role -> extras/roles(name)")]
    pub role: String,
    /// What state it is in.
    #[sync(references = Status)]
    #[rest(lookup = "status -> extras/statuses(name)")]
    pub status: String,
    /// Whose it is.
    #[sync(references = Tenant)]
    #[rest(lookup = "tenant -> tenancy/tenants(name)")]
    pub tenant: Option<String>,
    /// What runs on it.
    #[sync(references = Platform)]
    #[rest(lookup = "platform -> dcim/platforms(name)")]
    pub platform: Option<String>,
    /// The manufacturer's number of this very device.
    pub serial: String,
    /// The owner's number of it, which no two devices share. An empty text is none.
    #[sync(compare = blank_is_none)]
    pub asset_tag: Option<String>,
    /// What else there is to say.
    pub comments: String,
    /// The marks on it.
    #[sync(references = Tag, compare = contains)]
    #[rest(lookup = "tags -> extras/tags(name)")]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub tags: Vec<String>,
    /// The values of its custom fields.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub custom_fields: CustomFields,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// An interface of a device.
///
/// It names the interfaces that it belongs to, each by its device and its name, since Nautobot deletes a subinterface with
/// the interface that it is part of, and takes the members out of a LAG or a bridge that is deleted. All three are of the same
/// device, or of another member of its virtual chassis.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "interfaces"))]
#[sync(
    after(CustomField, CustomFieldChoice),
    references(Interface, device = parent_device, name = parent_interface),
    references(Interface, device = bridge_device, name = bridge, deferred),
    references(Interface, device = lag_device, name = lag, deferred)
)]
#[rest(
    path = "dcim/interfaces",
    lookup("parent_interface -> dcim/interfaces(device -> dcim/devices(name), name)", parent_device, parent_interface),
    lookup("bridge -> dcim/interfaces(device -> dcim/devices(name), name)", bridge_device, bridge),
    lookup("lag -> dcim/interfaces(device -> dcim/devices(name), name)", lag_device, lag)
)]
pub struct Interface {
    /// The device.
    #[sync(id, parent = Device)]
    #[rest(lookup = "device -> dcim/devices(name)")]
    pub device: String,
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// What is written on it.
    pub label: String,
    /// What it is, such as `1000base-t` or `virtual`.
    #[rest(field = "type", choice)]
    pub kind: String,
    /// What state it is in.
    #[sync(references = Status)]
    #[rest(lookup = "status -> extras/statuses(name)")]
    pub status: String,
    /// What it is for.
    #[sync(references = Role)]
    #[rest(lookup = "role -> extras/roles(name)")]
    pub role: Option<String>,
    /// Where it leads.
    pub description: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// The device of the interface that it is a subinterface of.
    pub parent_device: Option<String>,
    /// The name of that interface.
    pub parent_interface: Option<String>,
    /// The device of the bridge that it is in.
    pub bridge_device: Option<String>,
    /// The name of that bridge.
    pub bridge: Option<String>,
    /// The device of the LAG that it is a member of.
    pub lag_device: Option<String>,
    /// The name of that LAG.
    pub lag: Option<String>,
    /// Its hardware address. Nautobot stores it as `AA:BB:CC:00:0D:0E`, however it is written.
    #[sync(compare = with(same_mac))]
    pub mac_address: Option<String>,
    /// The most bytes that a packet may have.
    pub mtu: Option<u32>,
    /// Whether it is only for managing the device.
    pub mgmt_only: bool,
    /// How it carries VLANs: `access`, `tagged` or `tagged-all`.
    #[rest(choice, blank)]
    pub mode: Option<String>,
    /// The marks on it.
    #[sync(references = Tag, compare = contains)]
    #[rest(lookup = "tags -> extras/tags(name)")]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub tags: Vec<String>,
    /// The values of its custom fields.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub custom_fields: CustomFields,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// Whether two texts are the same hardware address: `aa-bb-cc-00-0d-0e`, `aabb.cc00.0d0e` and `AA:BB:CC:00:0D:0E` are one.
#[allow(clippy::ref_option, reason = "a comparison gets the fields as they are")]
fn same_mac(source: &Option<String>, target: &Option<String>) -> bool {
    let source = source.as_deref().filter(|text| !text.is_empty());
    let target = target.as_deref().filter(|text| !text.is_empty());
    source == target
        || source.zip(target).is_some_and(|(one, other)| mac(one).is_some_and(|one| Some(one) == mac(other)))
}

/// The digits of a hardware address, unless the text holds something else.
fn mac(text: &str) -> Option<String> {
    let is_between = |c: char| matches!(c, ':' | '-' | '.') || c.is_ascii_whitespace();
    let digits: String = text.chars().filter(|c| !is_between(*c)).map(|c| c.to_ascii_uppercase()).collect();
    let is_address = matches!(digits.len(), 12 | 16) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_address.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_is_the_same_however_it_is_written() {
        let same = |one: &str, other: &str| same_mac(&Some(one.to_owned()), &Some(other.to_owned()));
        for other in ["aa:bb:cc:00:0d:0e", "AA-BB-CC-00-0D-0E", "aabb.cc00.0d0e", "aabbcc000d0e"] {
            assert!(same("AA:BB:CC:00:0D:0E", other), "{other}");
        }
        assert!(!same("AA:BB:CC:00:0D:0E", "AA:BB:CC:00:0D:0F"));
        assert!(!same("any", "other") && same("any", "any"));
        assert!(same_mac(&None, &Some(String::new())) && !same_mac(&None, &Some("aabbcc000d0e".to_owned())));
    }
}

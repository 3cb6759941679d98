//! Devices and what they are made of.

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
    /// The owner's number of it.
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
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "interfaces"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "dcim/interfaces")]
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
    /// Its hardware address, which Nautobot writes in capitals.
    #[sync(compare = ignore_case)]
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

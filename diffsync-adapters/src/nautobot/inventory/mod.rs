//! The records of a Nautobot that most jobs are about.

mod addresses;
mod devices;
mod locations;
mod tenants;
mod vocabulary;

use diffsync_core::{Dataset, Table};

pub use self::addresses::{
    IpAddress, IpAddressId, IpAddressKey, IpAddressPatch, Namespace, NamespaceId, NamespaceKey, NamespacePatch, Prefix,
    PrefixId, PrefixKey, PrefixLocation, PrefixLocationId, PrefixLocationKey, PrefixLocationPatch, PrefixPatch,
};
pub use self::devices::{
    Device, DeviceId, DeviceKey, DevicePatch, DeviceType, DeviceTypeId, DeviceTypeKey, DeviceTypePatch, Interface,
    InterfaceId, InterfaceKey, InterfacePatch, Manufacturer, ManufacturerId, ManufacturerKey, ManufacturerPatch,
    Platform, PlatformId, PlatformKey, PlatformPatch,
};
pub use self::locations::{
    Location, LocationId, LocationKey, LocationPatch, LocationType, LocationTypeId, LocationTypeKey, LocationTypePatch,
};
pub use self::tenants::{
    Tenant, TenantGroup, TenantGroupId, TenantGroupKey, TenantGroupPatch, TenantId, TenantKey, TenantPatch,
};
pub use self::vocabulary::{
    CustomField, CustomFieldChoice, CustomFieldChoiceId, CustomFieldChoiceKey, CustomFieldChoicePatch, CustomFieldId,
    CustomFieldKey, CustomFieldPatch, Role, RoleId, RoleKey, RolePatch, Status, StatusId, StatusKey, StatusPatch, Tag,
    TagId, TagKey, TagPatch,
};

/// Locations, devices and addresses, with all that they refer to.
///
/// What gives others their meaning is never deleted: statuses, roles, tags and custom fields, and the namespace `Global`,
/// which every Nautobot has. Lists that users add to are compared with `contains`: tags, content types, custom fields.
#[derive(Debug, Dataset, Default)]
pub struct Inventory {
    /// What states records are in.
    pub statuses: Table<Status>,
    /// What records are for.
    pub roles: Table<Role>,
    /// Marks on records.
    pub tags: Table<Tag>,
    /// Further fields of records.
    pub custom_fields: Table<CustomField>,
    /// What the custom fields with a choice take.
    pub custom_field_choices: Table<CustomFieldChoice>,
    /// Groups of tenants.
    pub tenant_groups: Table<TenantGroup>,
    /// Tenants.
    pub tenants: Table<Tenant>,
    /// Kinds of places.
    pub location_types: Table<LocationType>,
    /// Locations.
    pub locations: Table<Location>,
    /// Who makes devices.
    pub manufacturers: Table<Manufacturer>,
    /// What runs on devices.
    pub platforms: Table<Platform>,
    /// Models of devices.
    pub device_types: Table<DeviceType>,
    /// Devices.
    pub devices: Table<Device>,
    /// Interfaces of devices.
    pub interfaces: Table<Interface>,
    /// Spaces in each of which an address is unique.
    pub namespaces: Table<Namespace>,
    /// Networks.
    pub prefixes: Table<Prefix>,
    /// Which networks are used where.
    pub prefix_locations: Table<PrefixLocation>,
    /// Addresses.
    pub ip_addresses: Table<IpAddress>,
}

//! What the fake keeps: the collections of a Nautobot 3.2, as far as the inventory needs them.

/// A collection.
pub(crate) struct Collection {
    pub(crate) path: &'static str,
    /// What GraphQL calls it, if it has it.
    pub(crate) graphql: Option<&'static str>,
    pub(crate) object_type: &'static str,
    /// The fields that no two records share.
    pub(crate) unique: &'static [&'static str],
    /// Where the answer to a second such record says so.
    pub(crate) clash: &'static str,
    pub(crate) fields: &'static [(&'static str, Kind)],
    pub(crate) custom_fields: bool,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A text that may not be blank.
    Name,
    /// A text.
    Text,
    /// A text or nothing.
    Maybe,
    /// A number or nothing.
    Number,
    Flag(bool),
    Json,
    /// One of these values, which must be given if there is no default.
    Choice(&'static [&'static str], Option<&'static str>),
    /// The same, and REST gives it without its label.
    Plain(&'static [&'static str], Option<&'static str>),
    /// Another record, which must be given.
    One(&'static str),
    /// Another record or nothing.
    MaybeOne(&'static str),
    /// The record it lives under: it goes with it.
    Under(&'static str),
    /// The record it lives under, or nothing.
    MaybeUnder(&'static str),
    /// Another record or nothing, which is emptied when that record is deleted. What else may be empty keeps it.
    Emptied(&'static str),
    /// Others.
    Many(&'static str),
    /// The key of a record of any collection, which it goes with.
    Attached,
    /// Content types.
    Types,
    /// What the server fills by itself.
    Own,
}

use Kind::{
    Attached, Choice, Emptied, Flag, Json, Many, Maybe, MaybeOne, MaybeUnder, Name, Number, One, Own, Plain, Text,
    Types, Under,
};

const TAGS: Kind = Many("extras/tags");
const STATUS: Kind = One("extras/statuses");
const ROLE: Kind = MaybeOne("extras/roles");
const TENANT: Kind = MaybeOne("tenancy/tenants");
const INTERFACE_TYPES: &[&str] = &["virtual", "lag", "other", "1000base-t", "2.5gbase-t", "10gbase-x-sfpp"];
const FIELD_TYPES: &[&str] = &["text", "integer", "boolean", "date", "url", "select", "json"];

macro_rules! collections {
    ($($path:literal $graphql:expr, $type:literal, $unique:expr, $clash:literal, $custom:literal { $($field:literal: $kind:expr),* $(,)? })*) => {
        pub(crate) const COLLECTIONS: &[Collection] = &[$(Collection {
            path: $path, graphql: $graphql, object_type: $type, unique: &$unique, clash: $clash,
            fields: &[$(($field, $kind)),*], custom_fields: $custom,
        }),*];
    };
}

collections! {
    "extras/statuses" Some("statuses"), "extras.status", ["name"], "name", true {
        "name": Name, "color": Text, "description": Text, "content_types": Types,
    }
    "extras/roles" Some("roles"), "extras.role", ["name"], "name", true {
        "name": Name, "color": Text, "description": Text, "weight": Number, "content_types": Types,
    }
    "extras/tags" Some("tags"), "extras.tag", ["name"], "name", true {
        "name": Name, "color": Text, "description": Text, "content_types": Types,
    }
    "extras/custom-fields" None, "extras.customfield", ["key"], "key", false {
        "key": Name, "label": Name, "type": Choice(FIELD_TYPES, Some("text")), "description": Text, "grouping": Text,
        "required": Flag(false), "default": Json, "weight": Number, "content_types": Types,
    }
    "extras/custom-field-choices" Some("custom_field_choices"), "extras.customfieldchoice", ["custom_field", "value"], "non_field_errors", false {
        "custom_field": Under("extras/custom-fields"), "value": Name, "weight": Number,
    }
    "tenancy/tenant-groups" Some("tenant_groups"), "tenancy.tenantgroup", ["name"], "name", true {
        "name": Name, "description": Text, "parent": MaybeUnder("tenancy/tenant-groups"),
    }
    "tenancy/tenants" Some("tenants"), "tenancy.tenant", ["name"], "name", true {
        "name": Name, "description": Text, "comments": Text, "tenant_group": Emptied("tenancy/tenant-groups"), "tags": TAGS,
    }
    "dcim/location-types" Some("location_types"), "dcim.locationtype", ["name"], "name", true {
        "name": Name, "description": Text, "nestable": Flag(false), "parent": MaybeUnder("dcim/location-types"),
        "content_types": Types,
    }
    "dcim/locations" Some("locations"), "dcim.location", ["parent", "name"], "non_field_errors", true {
        "name": Name, "parent": MaybeUnder("dcim/locations"), "location_type": One("dcim/location-types"), "status": STATUS,
        "tenant": TENANT, "description": Text, "facility": Text, "asn": Number, "time_zone": Maybe, "physical_address": Text,
        "shipping_address": Text, "latitude": Maybe, "longitude": Maybe, "contact_name": Text, "contact_phone": Text,
        "contact_email": Text, "comments": Text, "tags": TAGS,
    }
    "dcim/manufacturers" Some("manufacturers"), "dcim.manufacturer", ["name"], "name", true {
        "name": Name, "description": Text,
    }
    "dcim/platforms" Some("platforms"), "dcim.platform", ["name"], "name", true {
        "name": Name, "manufacturer": MaybeOne("dcim/manufacturers"), "network_driver": Text, "napalm_driver": Text,
        "description": Text,
    }
    "dcim/device-types" Some("device_types"), "dcim.devicetype", ["manufacturer", "model"], "non_field_errors", true {
        "manufacturer": One("dcim/manufacturers"), "model": Name, "part_number": Text, "u_height": Number,
        "is_full_depth": Flag(true), "subdevice_role": Choice(&["parent", "child"], Some("")), "comments": Text, "tags": TAGS,
    }
    "dcim/devices" Some("devices"), "dcim.device", ["name", "location", "tenant"], "__all__", true {
        "name": Maybe, "location": One("dcim/locations"), "device_type": One("dcim/device-types"),
        "role": One("extras/roles"), "status": STATUS, "tenant": TENANT, "platform": Emptied("dcim/platforms"),
        "serial": Text, "asset_tag": Maybe, "comments": Text, "primary_ip4": Emptied("ipam/ip-addresses"),
        "primary_ip6": Emptied("ipam/ip-addresses"), "tags": TAGS,
    }
    "dcim/interfaces" Some("interfaces"), "dcim.interface", ["device", "name"], "non_field_errors", true {
        "device": Under("dcim/devices"), "name": Name, "label": Text, "description": Text,
        "type": Choice(INTERFACE_TYPES, None), "status": STATUS, "role": ROLE, "enabled": Flag(true), "mac_address": Maybe,
        "parent_interface": MaybeUnder("dcim/interfaces"), "bridge": Emptied("dcim/interfaces"), "lag": Emptied("dcim/interfaces"),
        "mtu": Number, "mode": Choice(&["access", "tagged", "tagged-all"], Some("")), "mgmt_only": Flag(false), "tags": TAGS,
        "untagged_vlan": Emptied("ipam/vlans"), "tagged_vlans": Many("ipam/vlans"),
    }
    "ipam/namespaces" Some("namespaces"), "ipam.namespace", ["name"], "name", true {
        "name": Name, "description": Text, "location": MaybeOne("dcim/locations"), "tags": TAGS,
    }
    "ipam/prefixes" Some("prefixes"), "ipam.prefix", ["namespace", "prefix"], "__all__", true {
        "namespace": One("ipam/namespaces"), "prefix": Name, "type": Choice(&["container", "network", "pool"], Some("network")),
        "status": STATUS, "role": ROLE, "tenant": TENANT, "description": Text, "parent": Own, "tags": TAGS,
        "vlan": MaybeOne("ipam/vlans"),
    }
    "ipam/prefix-location-assignments" Some("prefix_location_assignments"), "ipam.prefixlocationassignment",
        ["prefix", "location"], "non_field_errors", false {
        "prefix": Under("ipam/prefixes"), "location": Under("dcim/locations"),
    }
    "ipam/ip-addresses" Some("ip_addresses"), "ipam.ipaddress", ["parent_namespace", "host"], "__all__", true {
        "address": Name, "host": Own, "mask_length": Own, "parent": Own,
        "type": Plain(&["host", "dhcp", "slaac"], Some("host")), "status": STATUS, "role": ROLE, "tenant": TENANT,
        "dns_name": Text, "description": Text, "tags": TAGS,
    }
    "ipam/ip-address-to-interface" None, "ipam.ipaddresstointerface", ["ip_address", "interface"],
        "non_field_errors", false {
        "ip_address": Under("ipam/ip-addresses"), "interface": Under("dcim/interfaces"),
    }
    "virtualization/interfaces" Some("vm_interfaces"), "virtualization.vminterface", ["name"], "name", true {
        "name": Name, "description": Text, "untagged_vlan": Emptied("ipam/vlans"), "tagged_vlans": Many("ipam/vlans"),
    }
    "ipam/services" None, "ipam.service", ["device", "name"], "__all__", true {
        "name": Name, "device": MaybeUnder("dcim/devices"), "ip_addresses": Many("ipam/ip-addresses"),
    }
    "extras/config-contexts" None, "extras.configcontext", ["name"], "name", false {
        "name": Name, "locations": Many("dcim/locations"), "tenant_groups": Many("tenancy/tenant-groups"),
        "tenants": Many("tenancy/tenants"), "platforms": Many("dcim/platforms"), "device_types": Many("dcim/device-types"),
    }
    "extras/relationship-associations" None, "extras.relationshipassociation", ["source_id", "destination_id"],
        "non_field_errors", false {
        "relationship": Name, "source_id": Attached, "destination_id": Attached,
    }
    "extras/image-attachments" None, "extras.imageattachment", ["name"], "name", false {
        "name": Name, "object_id": Attached,
    }
    "extras/contact-associations" None, "extras.contactassociation", ["contact", "associated_object_id"],
        "non_field_errors", false {
        "contact": Name, "associated_object_id": Attached,
    }
    "extras/static-group-associations" None, "extras.staticgroupassociation", ["dynamic_group", "associated_object_id"],
        "non_field_errors", false {
        "dynamic_group": Name, "associated_object_id": Attached,
    }
    "extras/object-metadata" None, "extras.objectmetadata", ["metadata_type", "assigned_object_id"],
        "non_field_errors", false {
        "metadata_type": Name, "assigned_object_id": Attached,
    }
    "ipam/vlan-groups" Some("vlan_groups"), "ipam.vlangroup", ["name"], "name", true {
        "name": Name, "description": Text,
    }
    "ipam/vlans" Some("vlans"), "ipam.vlan", ["vlan_group", "vid"], "non_field_errors", true {
        "vid": Number, "name": Name, "vlan_group": MaybeOne("ipam/vlan-groups"), "status": STATUS, "role": ROLE,
        "description": Text, "tags": TAGS,
    }
}

/// The collection at a path.
pub(crate) fn at(path: &str) -> Option<&'static Collection> {
    COLLECTIONS.iter().find(|collection| collection.path == path)
}

impl Collection {
    pub(crate) fn kind(&self, field: &str) -> Option<Kind> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, kind)| *kind)
    }
}

impl Kind {
    /// The collection that it leads to.
    pub(crate) fn leads_to(self) -> Option<&'static str> {
        match self {
            One(path) | MaybeOne(path) | Under(path) | MaybeUnder(path) | Emptied(path) | Many(path) => Some(path),
            _ => None,
        }
    }
}

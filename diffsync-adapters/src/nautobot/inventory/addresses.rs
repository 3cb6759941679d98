//! Networks and addresses.

use std::net::IpAddr;

use diffsync_core::SyncModel;
use ipnet::IpNet;
use uuid::Uuid;

use super::{CustomField, CustomFieldChoice, Location, Role, Status, Tag, Tenant};
use crate::RestModel;
#[cfg(feature = "sql")]
use crate::SqlModel;
use crate::nautobot::{CustomFields, LocationPath};

/// A space in which an address is unique. Every Nautobot has one that is called `Global`.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "namespaces"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "ipam/namespaces")]
pub struct Namespace {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// What it is for.
    pub description: String,
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

/// A network. Which larger one it is in, Nautobot finds out by itself.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "prefixes"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "ipam/prefixes")]
pub struct Prefix {
    /// The space that it is in.
    #[sync(id, references = Namespace)]
    #[rest(lookup = "namespace -> ipam/namespaces(name)")]
    pub namespace: String,
    /// The network.
    #[sync(id)]
    #[cfg_attr(feature = "sql", sql(as = text))]
    pub prefix: IpNet,
    /// What it holds: `container` other networks, `network` hosts, `pool` addresses to hand out.
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
    /// Whose it is.
    #[sync(references = Tenant)]
    #[rest(lookup = "tenant -> tenancy/tenants(name)")]
    pub tenant: Option<String>,
    /// What it is.
    pub description: String,
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

/// That a prefix is used in a location.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "prefix_locations"))]
#[sync(parent(Prefix, namespace = namespace, prefix = prefix))]
#[rest(
    path = "ipam/prefix-location-assignments",
    lookup("prefix -> ipam/prefixes(namespace -> ipam/namespaces(name), prefix)", namespace, prefix)
)]
pub struct PrefixLocation {
    /// The space that the prefix is in.
    #[sync(id)]
    pub namespace: String,
    /// The prefix.
    #[sync(id)]
    #[cfg_attr(feature = "sql", sql(as = text))]
    pub prefix: IpNet,
    /// The location.
    #[sync(id, references = Location)]
    #[rest(lookup = "location -> dcim/locations(parent*/name)")]
    #[cfg_attr(feature = "sql", sql(as = text))]
    pub location: LocationPath,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// An address. There must be a prefix around it.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "ip_addresses"))]
#[sync(after(CustomField, CustomFieldChoice, super::Prefix))]
#[rest(path = "ipam/ip-addresses")]
pub struct IpAddress {
    /// The space that it is in.
    #[sync(id, references = Namespace)]
    #[rest(
        lookup = "parent -> ipam/prefixes(namespace -> ipam/namespaces(name))",
        write = "namespace -> ipam/namespaces(name)"
    )]
    pub namespace: String,
    /// The address.
    #[sync(id)]
    #[rest(read_only)]
    #[cfg_attr(feature = "sql", sql(as = text))]
    pub host: IpAddr,
    /// The same with its mask, such as `10.0.0.1/24`.
    #[cfg_attr(feature = "sql", sql(as = text))]
    pub address: IpNet,
    /// How it is given: `host`, `dhcp` or `slaac`.
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
    /// Whose it is.
    #[sync(references = Tenant)]
    #[rest(lookup = "tenant -> tenancy/tenants(name)")]
    pub tenant: Option<String>,
    /// Its name in DNS, which Nautobot writes in small letters.
    #[sync(compare = ignore_case)]
    pub dns_name: String,
    /// What it is.
    pub description: String,
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

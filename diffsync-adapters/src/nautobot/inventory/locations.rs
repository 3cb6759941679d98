//! Locations.

use diffsync_core::SyncModel;
use uuid::Uuid;

use super::{CustomField, CustomFieldChoice, Status, Tag, Tenant};
use crate::RestModel;
#[cfg(feature = "sql")]
use crate::SqlModel;
use crate::nautobot::{CustomFields, LocationPath};

/// A kind of place, such as `Site`.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "location_types"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "dcim/location-types")]
pub struct LocationType {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// The kind of place that such places are in.
    #[sync(parent = Self)]
    #[rest(lookup = "parent -> dcim/location-types(name)")]
    pub parent: Option<String>,
    /// What it is for.
    pub description: String,
    /// Whether such places can be in places of the same kind.
    pub nestable: bool,
    /// The kinds of record that can be in such places.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub content_types: Vec<String>,
    /// The values of its custom fields.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub custom_fields: CustomFields,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// A place.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "locations"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "dcim/locations")]
pub struct Location {
    /// The names from the root of the tree down to it.
    #[sync(id)]
    #[rest(field = "parent*/name")]
    #[cfg_attr(feature = "sql", sql(as = text))]
    pub path: LocationPath,
    /// The place that it is in: the path without its last name.
    #[sync(parent = Self)]
    #[rest(lookup = "parent -> dcim/locations(parent*/name)")]
    #[cfg_attr(feature = "sql", sql(as = text))]
    pub parent: Option<LocationPath>,
    /// What kind of place it is.
    #[sync(references = LocationType)]
    #[rest(lookup = "location_type -> dcim/location-types(name)")]
    pub location_type: String,
    /// What state it is in.
    #[sync(references = Status)]
    #[rest(lookup = "status -> extras/statuses(name)")]
    pub status: String,
    /// Whose it is.
    #[sync(references = Tenant)]
    #[rest(lookup = "tenant -> tenancy/tenants(name)")]
    pub tenant: Option<String>,
    /// What it is.
    pub description: String,
    /// The facility's own name for it.
    pub facility: String,
    /// The number of its autonomous system.
    pub asn: Option<u32>,
    /// Its time zone, such as `Europe/Amsterdam`.
    pub time_zone: Option<String>,
    /// Where it is.
    pub physical_address: String,
    /// Where to send things.
    pub shipping_address: String,
    /// Degrees north, as decimal text. Nautobot writes them with six decimals.
    #[sync(compare = with(same_number))]
    pub latitude: Option<String>,
    /// Degrees east, as decimal text.
    #[sync(compare = with(same_number))]
    pub longitude: Option<String>,
    /// Whom to ask.
    pub contact_name: String,
    /// Their telephone number.
    pub contact_phone: String,
    /// Their address.
    pub contact_email: String,
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

/// Whether two texts are the same number, however many zeros they end in.
#[allow(clippy::ref_option, reason = "a comparison gets the fields as they are")]
fn same_number(source: &Option<String>, target: &Option<String>) -> bool {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.trim().parse::<f64>().ok());
    source == target || number(source).is_some_and(|source| number(target) == Some(source))
}

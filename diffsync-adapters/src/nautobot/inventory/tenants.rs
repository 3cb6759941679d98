//! Tenants.

use diffsync_core::SyncModel;
use uuid::Uuid;

use super::{CustomField, CustomFieldChoice, Tag};
use crate::RestModel;
#[cfg(feature = "sql")]
use crate::SqlModel;
use crate::nautobot::CustomFields;

/// A group of tenants, or of such groups.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "tenant_groups"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "tenancy/tenant-groups")]
pub struct TenantGroup {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// The group that it is in.
    #[sync(parent = Self)]
    #[rest(lookup = "parent -> tenancy/tenant-groups(name)")]
    pub parent: Option<String>,
    /// What it is for.
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

/// A customer, or a department.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "tenants"))]
#[sync(after(CustomField, CustomFieldChoice))]
#[rest(path = "tenancy/tenants")]
pub struct Tenant {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// The group that it is in.
    #[sync(references = TenantGroup)]
    #[rest(lookup = "tenant_group -> tenancy/tenant-groups(name)")]
    pub tenant_group: Option<String>,
    /// Who it is.
    pub description: String,
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

//! What gives other records their meaning: statuses, roles, tags, custom fields.

use diffsync_core::SyncModel;
use serde_json::Value;
use uuid::Uuid;

use crate::RestModel;
#[cfg(feature = "sql")]
use crate::SqlModel;

/// A state that records are in, such as `Active`.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "statuses"))]
#[sync(flags(skip_unmatched_dst), after(CustomField, CustomFieldChoice))]
#[rest(path = "extras/statuses")]
pub struct Status {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// Its colour, as six hexadecimal digits.
    pub color: String,
    /// What it is for.
    pub description: String,
    /// The kinds of record that can have it, such as `dcim.device`.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub content_types: Vec<String>,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// What a record is for, such as `access` or `Loopback`.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "roles"))]
#[sync(flags(skip_unmatched_dst), after(CustomField, CustomFieldChoice))]
#[rest(path = "extras/roles")]
pub struct Role {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// Its colour, as six hexadecimal digits.
    pub color: String,
    /// What it is for.
    pub description: String,
    /// Its place in lists.
    pub weight: Option<u32>,
    /// The kinds of record that can have it.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub content_types: Vec<String>,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// A mark on records.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "tags"))]
#[sync(flags(skip_unmatched_dst), after(CustomField, CustomFieldChoice))]
#[rest(path = "extras/tags")]
pub struct Tag {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// Its colour, as six hexadecimal digits.
    pub color: String,
    /// What it is for.
    pub description: String,
    /// The kinds of record that can have it.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub content_types: Vec<String>,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// A further field of records.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "custom_fields"))]
#[sync(flags(skip_unmatched_dst))]
#[rest(path = "extras/custom-fields")]
pub struct CustomField {
    /// What it is called in records.
    #[sync(id)]
    pub key: String,
    /// What it is called in forms.
    pub label: String,
    /// What it holds, such as `text` or `select`, which is said once and for all.
    #[sync(create_only)]
    #[rest(field = "type", choice)]
    pub kind: String,
    /// What it is for.
    pub description: String,
    /// The heading under which forms show it.
    pub grouping: String,
    /// Whether it must be filled.
    pub required: bool,
    /// What it holds in new records.
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub default: Option<Value>,
    /// Its place in forms.
    pub weight: u32,
    /// The kinds of record that have it.
    #[sync(compare = contains)]
    #[cfg_attr(feature = "sql", sql(as = json))]
    pub content_types: Vec<String>,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

/// One of the values that a custom field with a choice takes.
#[derive(Debug, Clone, SyncModel, RestModel)]
#[cfg_attr(feature = "sql", derive(SqlModel), sql(table = "custom_field_choices"))]
#[sync(flags(skip_unmatched_dst))]
#[rest(path = "extras/custom-field-choices")]
pub struct CustomFieldChoice {
    /// The custom field.
    #[sync(id, parent = CustomField)]
    #[rest(lookup = "custom_field -> extras/custom-fields(key)")]
    pub custom_field: String,
    /// The value.
    #[sync(id)]
    pub value: String,
    /// Its place in the list.
    pub weight: u32,
    /// Nautobot's own key.
    #[sync(local)]
    #[rest(key)]
    pub id: Option<Uuid>,
}

impl Tag {
    /// A grey tag for these kinds of record.
    #[must_use]
    pub fn new(name: impl Into<String>, content_types: Vec<String>) -> Self {
        let color = "9e9e9e".to_owned();
        Self { name: name.into(), color, description: String::new(), content_types, id: None }
    }
}

impl CustomField {
    /// A custom field that holds a text, of these kinds of record. Its label is made of its key: `Managed by` of
    /// `managed_by`.
    #[must_use]
    pub fn text(key: impl Into<String>, content_types: Vec<String>) -> Self {
        let key = key.into();
        let words = key.replace('_', " ");
        let mut letters = words.chars();
        let label = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();

        Self {
            key,
            label,
            kind: "text".to_owned(),
            description: String::new(),
            grouping: String::new(),
            required: false,
            default: None,
            weight: 100,
            content_types,
            id: None,
        }
    }
}

//! Whose records are: what a target stamps on those it writes, so that it deletes no others.

use diffsync_core::adapter::{AdapterError, HealthCheck, LoadContext};
use diffsync_core::data::{HasTable, Side, VisitedBy};
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset};

use super::content_type::content_type;
use super::entries::{ModelEntries, ModelEntry};
use super::{CustomField, Tag, custom_fields};
use crate::rest;
use crate::rest::{Part, PartKind, RestModel, RestSchema};

/// What is stamped on the records that a Nautobot is written: the value of a custom field, or a tag.
///
/// Only records that carry it are deleted. The custom field, or the tag, is itself a record that must be there first: a
/// source that is [`OwnedSource`] holds it, so it is created like any other record, and a dry run writes nothing.
///
/// ```
/// use diffsync_adapters::nautobot::{Inventory, Nautobot, OwnedSource, Owner};
/// # use diffsync_core::value::{Secret, Url};
///
/// # fn example(url: &Url, token: &Secret<String>) -> Result<(), Box<dyn std::error::Error>> {
/// let owner = Owner::custom_field("managed_by", "diffsync");
/// let source = owner.wrap_source(Nautobot::<Inventory>::open(url, token)?);
/// let target = Nautobot::<Inventory>::open(url, token)?.owner(&owner);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(Mark);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    CustomField { key: String, value: String },
    Tag(String),
}

impl Owner {
    /// The custom field `key` holds `value`. All but custom fields themselves can carry one; a link, such
    /// as that a prefix is used in a location, goes with what it lives under.
    #[must_use]
    pub fn custom_field(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self(Mark::CustomField { key: key.into(), value: value.into() })
    }

    /// The record has the tag `name`. Statuses, roles, location types, manufacturers, platforms and groups of tenants have
    /// no tags, so they are never deleted.
    #[must_use]
    pub fn tag(name: impl Into<String>) -> Self {
        Self(Mark::Tag(name.into()))
    }

    /// The source with what the owner needs.
    pub fn wrap_source<A>(&self, source: A) -> OwnedSource<A> {
        OwnedSource { source, owner: self.clone() }
    }

    /// Adds what the owner needs to what a source holds.
    pub fn add_to<D>(&self, data: &mut D)
    where
        D: Dataset + VisitedBy<ModelEntries<D>> + HasTable<CustomField> + HasTable<Tag>,
    {
        let entries = ModelEntries::<D>::of_data();
        let carriers = entries.iter().map(|entry| entry.schema).filter(|schema| (self.carriers())(schema));
        let content_types: Vec<String> = carriers.map(|schema| content_type(schema.path)).collect();
        let with = |mut types: Vec<String>| {
            let more = content_types.iter().filter(|of| !types.contains(of)).cloned().collect::<Vec<_>>();
            types.extend(more);
            types
        };
        match &self.0 {
            Mark::CustomField { key, .. } => {
                let table: &mut diffsync_core::Table<CustomField> = data.table_mut();
                let known = table
                    .modify(key.as_str(), |field| field.content_types = with(std::mem::take(&mut field.content_types)));
                if known.is_none() {
                    table.insert(CustomField::text(key, with(Vec::new())));
                }
            }
            Mark::Tag(name) => {
                let table: &mut diffsync_core::Table<Tag> = data.table_mut();
                let known =
                    table.modify(name.as_str(), |tag| tag.content_types = with(std::mem::take(&mut tag.content_types)));
                if known.is_none() {
                    table.insert(Tag::new(name, with(Vec::new())));
                }
            }
        }
    }

    /// Takes the custom field out of the records: whose they are is not compared, or the stamp of another owner in the
    /// source would be written over and over.
    pub(super) fn take_stamp<D>(&self, data: &mut D, entries: &[ModelEntry<D>]) -> Result<(), AdapterError> {
        match &self.0 {
            Mark::CustomField { key, .. } => {
                entries.iter().try_for_each(|entry| (entry.without)(data, &|field, _| field == key))
            }
            Mark::Tag(_) => Ok(()),
        }
    }

    /// The same for one record that was written.
    pub(super) fn take_stamp_of<M: RestModel>(&self, mut record: M) -> Result<M, AdapterError> {
        if let Mark::CustomField { key, .. } = &self.0
            && let Some(patch) = custom_fields::taking_out(&record, &|field, _| field == key)?
        {
            record.apply(&patch);
        }
        Ok(record)
    }

    pub(super) fn stamp(&self) -> rest::Owner {
        const NAME: &[Part] = &[Part { path: &["name"], kind: PartKind::Value }];
        match &self.0 {
            Mark::CustomField { key, value } => rest::Owner::field(&format!("custom_fields.{key}"), value.as_str()),
            Mark::Tag(name) => rest::Owner::list_item("tags", "extras/tags", NAME, name.as_str()),
        }
    }

    /// Which models have a place for it.
    pub(super) fn carriers(&self) -> fn(&RestSchema) -> bool {
        match self.0 {
            Mark::CustomField { .. } => |schema| !WITHOUT_CUSTOM_FIELDS.contains(&schema.path),
            Mark::Tag(_) => {
                |schema| !WITHOUT_CUSTOM_FIELDS.contains(&schema.path) && !WITHOUT_TAGS.contains(&schema.path)
            }
        }
    }
}

const WITHOUT_CUSTOM_FIELDS: [&str; 4] = [
    "extras/custom-fields",
    "extras/custom-field-choices",
    "ipam/ip-address-to-interface",
    "ipam/prefix-location-assignments",
];
const WITHOUT_TAGS: [&str; 9] = [
    "extras/statuses",
    "extras/roles",
    "extras/tags",
    "tenancy/tenant-groups",
    "dcim/location-types",
    "dcim/manufacturers",
    "dcim/platforms",
    "ipam/rirs",
    "dcim/rack-groups",
];

/// A source that also holds what an [`Owner`] needs: its custom field, or its tag. What its own records hold in that custom
/// field is left out: it says whose they are in the source.
#[derive(Debug)]
pub struct OwnedSource<A> {
    source: A,
    owner: Owner,
}

impl<A: Adapter> Adapter for OwnedSource<A>
where
    A::Data: Dataset + VisitedBy<ModelEntries<A::Data>> + HasTable<CustomField> + HasTable<Tag>,
{
    type Data = A::Data;

    async fn load(&self, data: &mut A::Data, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.source.load(data, cx).await?;
        if cx.side() == Side::Source {
            self.owner.take_stamp(data, &ModelEntries::of_data())?;
            self.owner.add_to(data);
        }
        Ok(())
    }

    async fn check(&self, health: &mut HealthCheck) {
        self.source.check(health).await;
    }

    fn resource(&self) -> Option<String> {
        self.source.resource()
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        self.source.record_url(model, id)
    }
}

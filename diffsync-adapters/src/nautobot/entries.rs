//! The models of a data set, as an adapter that does not know their types sees them.

use std::collections::HashSet;

use diffsync_core::Dataset;
use diffsync_core::adapter::{AdapterError, WriteContext};
use diffsync_core::data::{HasTable, Visit, VisitedBy};
use diffsync_core::schema::FieldSchema;

use super::custom_fields;
use super::custom_fields::Takes;
use crate::rest;
use crate::rest::{RestModel, RestSchema};

/// A data set that a Nautobot can hold: all of its models have [`RestModel`](crate::RestModel).
pub trait NautobotData: Dataset + VisitedBy<rest::ModelEntries<Self>> + VisitedBy<ModelEntries<Self>> {}

impl<D: Dataset + VisitedBy<rest::ModelEntries<D>> + VisitedBy<ModelEntries<D>>> NautobotData for D {}

/// The models of a data set. `#[derive(Dataset)]` fills it.
#[derive(Debug)]
pub struct ModelEntries<D: 'static>(Vec<ModelEntry<D>>);

/// One model of a data set, whose type is not known.
#[derive(Debug)]
pub(crate) struct ModelEntry<D: 'static> {
    pub(crate) model: &'static str,
    pub(crate) identifiers: &'static [FieldSchema],
    pub(crate) schema: &'static RestSchema,
    /// Takes custom fields out of all records.
    pub(crate) without: fn(&mut D, Takes<'_>) -> Result<(), AdapterError>,
    /// Adds the keys of the records that the plan deletes.
    pub(crate) plan: fn(&WriteContext<'_, D>, &mut HashSet<String>),
}

impl<D: VisitedBy<Self>> ModelEntries<D> {
    /// The models of the data set.
    pub(crate) fn of_data() -> Vec<ModelEntry<D>> {
        let mut entries = Self(Vec::new());
        D::visit_each(&mut entries);
        entries.0
    }
}

impl<D: Dataset + HasTable<M>, M: RestModel> Visit<D, M> for ModelEntries<D> {
    fn visit(&mut self) {
        self.0.push(ModelEntry {
            model: M::NAME,
            identifiers: M::SCHEMA.identifiers,
            schema: M::REST,
            without: custom_fields::without::<D, M>,
            plan: planned::<D, M>,
        });
    }
}

/// Adds the keys of the records of a model that the plan deletes.
fn planned<D: Dataset + HasTable<M>, M: RestModel>(cx: &WriteContext<'_, D>, keys: &mut HashSet<String>) {
    let keys_of = |record: &M| record.remote_key().ok().and_then(|key| key.as_str().map(str::to_lowercase));
    keys.extend(cx.planned_deletes::<M>().filter_map(keys_of));
}

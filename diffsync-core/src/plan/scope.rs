//! The scope of a comparison: what of the two sides takes part in it.

use crate::model::flags::Flags;
use crate::model::operation::{Operation, Operations};
use crate::model::schema::ModelSchema;
use crate::model::{ModelExt, SyncModel};
use crate::plan_file::filter::Filter;
use crate::plan_file::selection::PlanSelection;

/// What of the two sides takes part in a comparison. The default is everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// What is left alone of all records.
    pub(crate) flags: Flags,
    /// Which part of the diff the run is about: what all of these admit.
    pub(crate) filters: Vec<Filter>,
    /// The attributes that are not compared, each with its model.
    pub(crate) ignore: &'static [(&'static str, &'static str)],
    /// What the target is able to do with each model, in the order of the data set's fields; everything if it is empty.
    pub(crate) can: Vec<Operations>,
    /// The saved plan that is carried out, and nothing else.
    pub(crate) selection: Option<PlanSelection>,
}

impl Scope {
    /// Whether some operations may be left out because of what they are.
    pub(crate) fn is_selective(&self) -> bool {
        self.filters.iter().any(|filter| !filter.is_empty()) || self.selection.is_some()
    }

    /// Whether all filters admit an operation on this record.
    pub(crate) fn filters_admit<M: SyncModel>(&self, operation: Operation, id: &M::Id) -> bool {
        self.filters.iter().all(|filter| filter.admits(M::NAME, id, operation))
    }

    /// Whether an operation takes part. The target's record is the old one of an update, and not looked at otherwise.
    pub(crate) fn admits<M: SyncModel>(
        &self,
        operation: Operation,
        record: &M,
        old: &M,
        changed: &dyn Fn(usize) -> bool,
    ) -> bool {
        let unfiltered = self.filters.iter().all(Filter::is_empty);
        (unfiltered || self.filters_admit::<M>(operation, &record.id()))
            && self.selection.as_ref().is_none_or(|selection| selection.admits(operation, record, old, changed))
    }

    /// Whether the target is able to do this with records of the model at this position.
    pub(crate) fn can(&self, model: usize, operation: Operation) -> bool {
        self.can.get(model).is_none_or(|ops| ops.allow(operation))
    }

    /// Whether an attribute is not compared, for each attribute of a model; nothing if all are.
    pub(crate) fn ignored(&self, schema: &ModelSchema) -> Option<Vec<bool>> {
        let ignored = |name: &str| self.ignore.contains(&(schema.name, name));
        let ignored: Vec<bool> = schema.attributes.iter().map(|attribute| ignored(attribute.name)).collect();
        ignored.contains(&true).then_some(ignored)
    }
}

//! The scope of a comparison: the part of the two sides to compare.

use crate::model::flags::Flags;
use crate::model::operation::{Operation, Operations};
use crate::model::schema::ModelSchema;
use crate::model::{ModelExt, SyncModel};
use crate::plan_file::filter::Filter;
use crate::plan_file::selection::PlanSelection;

/// The part of the two sides to compare. The default is everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// The flags of all records.
    pub(crate) flags: Flags,
    /// The run's filters. An operation must match all of them.
    pub(crate) filters: Vec<Filter>,
    /// The attributes that are not compared, each with its model.
    pub(crate) ignore: &'static [(&'static str, &'static str)],
    /// The operations that the target can do with each model, in the order of the data set's fields; all if empty.
    pub(crate) operations: Vec<Operations>,
    /// The saved plan to apply; nothing else takes part.
    pub(crate) selection: Option<PlanSelection>,
}

impl Scope {
    /// Whether a filter or a saved plan may leave operations out.
    pub(crate) fn is_selective(&self) -> bool {
        self.filters.iter().any(|filter| !filter.is_empty()) || self.selection.is_some()
    }

    /// Whether all filters admit an operation on this record.
    pub(crate) fn filters_admit<M: SyncModel>(&self, operation: Operation, id: &M::Id) -> bool {
        self.filters.iter().all(|filter| filter.admits(M::NAME, id, operation))
    }

    /// Whether an operation takes part. `old` is the target's record of an update, and is not used otherwise.
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

    /// Whether the target can do this operation with the model at this position.
    pub(crate) fn supports(&self, model: usize, operation: Operation) -> bool {
        self.operations.get(model).is_none_or(|ops| ops.allow(operation))
    }

    /// For each attribute of a model, whether it is not compared; `None` if all are compared.
    pub(crate) fn ignored(&self, schema: &ModelSchema) -> Option<Vec<bool>> {
        let ignored = |name: &str| self.ignore.contains(&(schema.name, name));
        let ignored: Vec<bool> = schema.attributes.iter().map(|attribute| ignored(attribute.name)).collect();
        ignored.contains(&true).then_some(ignored)
    }
}

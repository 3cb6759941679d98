//! The models of a data set, as an adapter that does not know their types sees them.

use std::fmt;

use diffsync_core::adapter::AdapterError;
use diffsync_core::data::{HasTable, Side, Visit, VisitedBy};

use super::context::RestContext;
use super::model::RestModel;
use super::model::schema::RestSchema;
use super::steps::load::fill;

/// The models of a data set. `#[derive(Dataset)]` fills it.
#[derive(Debug)]
pub struct ModelEntries<D>(Vec<ModelEntry<D>>);

/// One model of a data set, whose type is not known.
pub(crate) struct ModelEntry<D> {
    pub(crate) schema: &'static RestSchema,
    pub(crate) model: &'static str,
    /// Fills its table with the rows that were read.
    pub(crate) fill: fn(&RestContext, &mut D, Side) -> Result<(), AdapterError>,
}

impl<D> ModelEntries<D> {
    /// The models of the data set.
    pub(crate) fn of_data() -> Vec<ModelEntry<D>>
    where
        D: VisitedBy<Self>,
    {
        let mut entries = Self(Vec::new());
        D::visit_each(&mut entries);
        entries.0
    }
}

impl<D: HasTable<M>, M: RestModel> Visit<D, M> for ModelEntries<D> {
    fn visit(&mut self) {
        self.0.push(ModelEntry { schema: M::REST, model: M::NAME, fill: fill::<D, M> });
    }
}

impl<D> fmt::Debug for ModelEntry<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model)
    }
}

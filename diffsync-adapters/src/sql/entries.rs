//! The models of a data set, as an adapter that does not know their types sees them.

use diffsync_core::adapter::AdapterError;
use diffsync_core::data::{HasTable, Visit, VisitedBy};
use diffsync_core::schema::ModelSchema;
use futures_util::future::BoxFuture;

use super::model::SqlModel;
use super::model::schema::SqlTable;
use super::steps::load;
use super::steps::load::Loading;

/// The models of a data set. `#[derive(Dataset)]` fills it.
#[allow(missing_debug_implementations, reason = "functions of generated code")]
pub struct ModelEntries<D>(Vec<ModelEntry<D>>);

/// One model of a data set, whose type is not known.
pub(crate) struct ModelEntry<D> {
    pub(crate) table: &'static SqlTable,
    pub(crate) schema: &'static ModelSchema,
    pub(crate) load: Load<D>,
    /// Marks its table as loaded, and empty.
    pub(crate) mark_loaded: fn(&mut D),
}

/// Reads all rows of a table.
pub(crate) type Load<D> = for<'a> fn(&'a mut D, &'a mut Loading<'_>) -> BoxFuture<'a, Result<(), AdapterError>>;

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

impl<D: HasTable<M>, M: SqlModel> Visit<D, M> for ModelEntries<D> {
    fn visit(&mut self) {
        self.0.push(ModelEntry {
            table: M::TABLE,
            schema: M::SCHEMA,
            load: |data, loading| Box::pin(load::table::<M>(data.table_mut(), loading)),
            mark_loaded: |data| data.table_mut().mark_loaded(),
        });
    }
}

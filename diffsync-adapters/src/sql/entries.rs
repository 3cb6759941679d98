//! The tables of a data set, as an adapter that does not know its models sees them.

use diffsync_core::schema::ModelSchema;
use diffsync_core::{AdapterError, HasTable, Visit, VisitedBy};
use futures_util::future::BoxFuture;

use super::model::SqlModel;
use super::model::schema::SqlTable;
use super::steps::load;
use super::steps::load::Loading;

/// The tables of the models of a data set.
#[allow(missing_debug_implementations, reason = "functions of generated code")]
pub struct Tables<D>(Vec<Entry<D>>);

/// The table of a model, and how it is loaded.
pub(crate) struct Entry<D> {
    pub(crate) table: &'static SqlTable,
    pub(crate) schema: &'static ModelSchema,
    pub(crate) load: Load<D>,
    /// Says that there is nothing in it.
    pub(crate) mark_loaded: fn(&mut D),
}

/// Reads all rows of a table.
pub(crate) type Load<D> = for<'a> fn(&'a mut D, &'a mut Loading<'_>) -> BoxFuture<'a, Result<(), AdapterError>>;

impl<D> Tables<D> {
    /// The tables of all models of the data set.
    pub(crate) fn of() -> Vec<Entry<D>>
    where
        D: VisitedBy<Self>,
    {
        let mut tables = Self(Vec::new());
        D::visit_each(&mut tables);
        tables.0
    }
}

impl<D: HasTable<M>, M: SqlModel> Visit<D, M> for Tables<D> {
    fn visit(&mut self) {
        self.0.push(Entry {
            table: M::TABLE,
            schema: M::SCHEMA,
            load: |data, loading| Box::pin(load::table::<M>(data.table_mut(), loading)),
            mark_loaded: |data| data.table_mut().mark_loaded(),
        });
    }
}

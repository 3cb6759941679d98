//! The target as it now is: what it held when it was loaded, with what was written since.

use fixedbitset::FixedBitSet;

use crate::dataset::{Dataset, HasTable};
use crate::model::SyncModel;
use crate::plan::Plan;
use crate::table::Table;

/// The target's records while a plan is carried out.
///
/// What was created and updated lies in a data set of its own, so that the plan stays as it was reviewed; its size grows
/// with the changes.
pub(crate) struct Current<'a, D: 'static> {
    plan: &'a Plan<D>,
    /// The records created and updated so far, as the target stored them.
    written: D,
    /// For each model the rows of the target that were deleted.
    deleted: Vec<FixedBitSet>,
}

impl<'a, D: Dataset> Current<'a, D> {
    /// The target as it was loaded.
    pub(crate) fn new(plan: &'a Plan<D>) -> Self {
        Self { plan, written: D::default(), deleted: vec![FixedBitSet::new(); plan.diff().tables().len()] }
    }

    pub(crate) fn plan(&self) -> &'a Plan<D> {
        self.plan
    }

    /// Takes note of a record that was created or updated.
    pub(crate) fn store<M: SyncModel>(&mut self, record: M)
    where
        D: HasTable<M>,
    {
        self.written.table_mut().replace(record);
    }

    /// Takes note of a row that was deleted.
    pub(crate) fn delete(&mut self, model: usize, row: u32) {
        self.deleted[model].grow_and_insert(row as usize);
    }

    /// The record with this identifier.
    pub(crate) fn get<M: SyncModel>(&self, key: M::Key<'_>) -> Option<&M>
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        if let Some(row) = written.position(key) {
            return written.rows().get(row as usize);
        }
        let target: &Table<M> = self.plan.target().table();
        let row = target.position(key)?;
        (!self.is_deleted(M::NAME, row as usize)).then(|| &target.rows()[row as usize])
    }

    /// All records of a model, in the order they were loaded, new ones last.
    pub(crate) fn records<M: SyncModel>(&self) -> impl Iterator<Item = &M>
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        let target: &Table<M> = self.plan.target().table();
        let kept =
            target.rows().iter().enumerate().filter(|(row, _)| !self.is_deleted(M::NAME, *row)).map(
                move |(_, record)| written.position(record.key()).map_or(record, |row| &written.rows()[row as usize]),
            );
        let created = written.rows().iter().filter(move |record| target.position(record.key()).is_none());
        // Nothing was done to duplicates: a file that is written from these records must not lose them.
        kept.chain(target.duplicates()).chain(created)
    }

    fn is_deleted(&self, model: &str, row: usize) -> bool {
        let model = self.plan.diff().tables().iter().position(|table| table.schema().name == model);
        model.is_some_and(|model| self.deleted[model].contains(row))
    }
}

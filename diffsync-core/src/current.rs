//! The target as it now is: what it held when it was loaded, with what was written since.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fixedbitset::FixedBitSet;

use crate::dataset::{Dataset, HasTable, LinksIn, ModelVisitor};
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
    /// What the group that is being written has done so far; nobody reads it before the group is done.
    news: Mutex<News<D>>,
}

/// What one group has done.
struct News<D> {
    written: D,
    /// The model and row of each record that was deleted.
    deleted: Vec<(usize, u32)>,
}

impl<'a, D: Dataset> Current<'a, D> {
    /// The target as it was loaded.
    pub(crate) fn new(plan: &'a Plan<D>) -> Self {
        Self {
            plan,
            written: D::default(),
            deleted: vec![FixedBitSet::new(); plan.diff().tables().len()],
            news: Mutex::new(News { written: D::default(), deleted: Vec::new() }),
        }
    }

    pub(crate) fn plan(&self) -> &'a Plan<D> {
        self.plan
    }

    fn news(&self) -> MutexGuard<'_, News<D>> {
        // A panic elsewhere leaves the tables whole.
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a record that was created or updated. It can be read once it is taken over.
    pub(crate) fn store<M: SyncModel>(&self, record: M)
    where
        D: HasTable<M>,
    {
        self.news().written.table_mut().replace(record);
    }

    /// Takes note of a row that was deleted.
    pub(crate) fn delete(&self, model: usize, row: u32) {
        self.news().deleted.push((model, row));
    }

    /// Makes what the last group has done part of what can be read.
    pub(crate) fn take_over(&mut self) {
        struct TakeOver<'a, D> {
            written: &'a mut D,
            news: &'a mut D,
        }
        impl<D> ModelVisitor<D> for TakeOver<'_, D> {
            fn visit<M: LinksIn<D>>(&mut self)
            where
                D: HasTable<M>,
            {
                let news: &mut Table<M> = self.news.table_mut();
                let written: &mut Table<M> = self.written.table_mut();
                // The first group is often all there is, so its table is not built a second time.
                if written.is_empty() {
                    *written = std::mem::take(news);
                    return;
                }
                for record in std::mem::take(news).into_rows() {
                    written.replace(record);
                }
            }
        }
        let news = self.news.get_mut().unwrap_or_else(PoisonError::into_inner);
        D::visit_models(&mut TakeOver { written: &mut self.written, news: &mut news.written });
        for (model, row) in news.deleted.drain(..) {
            self.deleted[model].grow_and_insert(row as usize);
        }
    }

    /// The record with this identifier as it was created or updated, if it was.
    pub(crate) fn written<M: SyncModel>(&self, key: M::Key<'_>) -> Option<&M>
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        written.position(key).map(|row| &written.rows()[row as usize])
    }

    /// The record with this identifier.
    pub(crate) fn get<M: SyncModel>(&self, key: M::Key<'_>) -> Option<&M>
    where
        D: HasTable<M>,
    {
        let (written, target): (&Table<M>, &Table<M>) = (self.written.table(), self.plan.target().table());
        let deleted = &self.deleted[Self::position::<M>()];
        let is_there = |row: &u32| !deleted.contains(*row as usize);
        if let Some(row) = written.position(key) {
            // It may have been written to take its references back, and deleted after.
            let is_there = deleted.is_clear() || target.position(key).is_none_or(|row| is_there(&row));
            return written.rows().get(row as usize).filter(|_| is_there);
        }
        target.position(key).filter(is_there).map(|row| &target.rows()[row as usize])
    }

    /// All records of a model, in the order they were loaded, new ones last.
    pub(crate) fn records<M: SyncModel>(&self) -> impl Iterator<Item = &M>
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        let target: &Table<M> = self.plan.target().table();
        let model = Self::position::<M>();
        let kept =
            target.rows().iter().enumerate().filter(move |(row, _)| !self.is_deleted(model, *row)).map(
                move |(_, record)| written.position(record.key()).map_or(record, |row| &written.rows()[row as usize]),
            );
        // Nothing was done to duplicates: a file that is written from these records must not lose them.
        kept.chain(target.duplicates()).chain(self.created())
    }

    /// The records of a model that were created.
    pub(crate) fn created<M: SyncModel>(&self) -> impl Iterator<Item = &M>
    where
        D: HasTable<M>,
    {
        let (written, target): (&Table<M>, &Table<M>) = (self.written.table(), self.plan.target().table());
        written.rows().iter().filter(move |record| target.position(record.key()).is_none())
    }

    /// Whether any record of a model was created, updated or deleted.
    pub(crate) fn has_changed<M: SyncModel>(&self) -> bool
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        !written.is_empty() || !self.deleted[Self::position::<M>()].is_clear()
    }

    /// Whether a row of the target was deleted.
    pub(crate) fn is_deleted(&self, model: usize, row: usize) -> bool {
        self.deleted[model].contains(row)
    }

    fn position<M: SyncModel>() -> usize {
        D::SCHEMAS.iter().position(|schema| schema.name == M::NAME).unwrap_or_default()
    }
}

//! The diff: the creates, updates and deletes that make the target match the source.
//!
//! It holds row positions and the set of changed attributes, never copies of records. It is computed once, so that exactly
//! what is shown is executed.

mod compare;
mod differ;
mod exclude;
mod excluded;
mod join;
mod select;
mod spelling;
mod summary;
mod table_diff;
mod twins;

use self::compare::compare;
pub(crate) use self::spelling::respell;
pub use self::summary::{Counts, DiffSummary, ModelSummary};
pub use self::table_diff::TableDiff;
pub(crate) use self::table_diff::Withheld;
pub(crate) use self::twins::twins;
use crate::data::check::Checked;
use crate::data::dataset::Dataset;
use crate::plan::scope::Scope;

/// The changes in the target, as positions in the two data sets that it was computed from.
#[derive(Debug)]
pub struct Diff {
    tables: Vec<TableDiff>,
}

impl Diff {
    /// Compares two data sets that were checked.
    pub(crate) fn between<D: Dataset>(source: &Checked<D>, target: &Checked<D>, scope: &Scope) -> Self {
        Self { tables: compare(source, target, scope) }
    }

    /// A diff that was not computed by comparing.
    pub(crate) fn of(tables: Vec<TableDiff>) -> Self {
        Self { tables }
    }

    /// The parts of the diff, one for each model in the order of the data set's fields.
    #[must_use]
    pub fn tables(&self) -> &[TableDiff] {
        &self.tables
    }

    pub(crate) fn tables_mut(&mut self) -> &mut [TableDiff] {
        &mut self.tables
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations() == 0
    }

    /// The number of records to create, update and delete, including withheld operations.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.tables.iter().map(TableDiff::operations).sum()
    }

    /// How many records of each model are to be created, updated and deleted.
    #[must_use]
    pub fn summary(&self) -> DiffSummary {
        DiffSummary::of(&self.tables)
    }
}

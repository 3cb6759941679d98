//! The counts of a diff.

use serde::{Deserialize, Serialize};

use super::table_diff::{TableDiff, Withheld};
use crate::model::operation::Operation;

/// The numbers of records to create, update and delete, and of unchanged ones, for each model.
///
/// Each record of the union of both sides is counted exactly once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffSummary {
    /// The sums over all models.
    pub total: Counts,
    /// The counts of each model, in the order of the data set's fields.
    pub models: Vec<ModelSummary>,
}

/// The counts of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelSummary {
    /// The model's name.
    pub model: &'static str,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Numbers of records, by what the plan does with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Counts {
    /// Records only in the source.
    pub create: usize,
    /// Records in both with a differing attribute.
    pub update: usize,
    /// Records only in the target.
    pub delete: usize,
    /// Records only in the target that the target deletes with their parent.
    pub cascade: usize,
    /// Records in both without a differing attribute.
    pub no_change: usize,
    /// Records that a guard or `prevent_destroy` holds back.
    pub held: usize,
    /// Records that the target cannot create, update or delete.
    pub unsupported: usize,
    /// Unusable records, and their descendants.
    pub rejected: usize,
    /// Records that a flag, a filter or the loader left out, and those that depend on them.
    pub left_out: usize,
}

impl Counts {
    fn of(table: &TableDiff) -> Self {
        let mut counts =
            Self { no_change: table.unchanged, rejected: table.rejected, left_out: table.left_out, ..Self::default() };
        for operation in Operation::ALL {
            if table.withholds_nothing() {
                *counts.of_operation(operation) = table.len(operation);
                continue;
            }

            for place in 0..table.len(operation) {
                *match table.withheld(operation, place) {
                    None => counts.of_operation(operation),
                    Some(Withheld::Held(_)) => &mut counts.held,
                    Some(Withheld::Unsupported) => &mut counts.unsupported,
                    Some(Withheld::Cascaded) => &mut counts.cascade,
                } += 1;
            }
        }
        counts
    }

    fn of_operation(&mut self, operation: Operation) -> &mut usize {
        match operation {
            Operation::Create => &mut self.create,
            Operation::Update => &mut self.update,
            Operation::Delete => &mut self.delete,
        }
    }

    fn add(&mut self, other: Self) {
        let Self { create, update, delete, cascade, no_change, held, unsupported, rejected, left_out } = other;
        self.create += create;
        self.update += update;
        self.delete += delete;
        self.cascade += cascade;
        self.no_change += no_change;
        self.held += held;
        self.unsupported += unsupported;
        self.rejected += rejected;
        self.left_out += left_out;
    }

    /// The number of records that a run would change in the target.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.create + self.update + self.delete + self.cascade
    }

    /// The number of records of both sides together.
    #[must_use]
    pub fn records(&self) -> usize {
        let Self { create, update, delete, cascade, no_change, held, unsupported, rejected, left_out } = self;
        create + update + delete + cascade + no_change + held + unsupported + rejected + left_out
    }
}

impl DiffSummary {
    pub(super) fn of(tables: &[TableDiff]) -> Self {
        let of_table = |table: &TableDiff| ModelSummary { model: table.schema.name, counts: Counts::of(table) };
        let models: Vec<_> = tables.iter().map(of_table).collect();

        let mut total = Counts::default();
        for model in &models {
            total.add(model.counts);
        }
        Self { total, models }
    }
}

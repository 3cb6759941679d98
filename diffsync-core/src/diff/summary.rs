//! The counts of a diff.

use serde::Serialize;

use super::{Diff, TableDiff};

/// How many records of each model are to be created, updated and deleted, and how many stay as they are.
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

/// Numbers of records by what is to happen to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Records only in the source.
    pub create: usize,
    /// Records in both with a differing attribute.
    pub update: usize,
    /// Records only in the target.
    pub delete: usize,
    /// Records in both without a differing attribute.
    pub no_change: usize,
    /// Records that cannot be used, and what lives under them.
    pub rejected: usize,
    /// Records of models that were left out.
    pub left_out: usize,
}

impl Counts {
    fn of(table: &TableDiff) -> Self {
        Self {
            create: table.creates.len(),
            update: table.updates.len(),
            delete: table.deletes.len(),
            no_change: table.unchanged,
            rejected: table.rejected,
            left_out: table.left_out,
        }
    }

    fn add(&mut self, other: Self) {
        self.create += other.create;
        self.update += other.update;
        self.delete += other.delete;
        self.no_change += other.no_change;
        self.rejected += other.rejected;
        self.left_out += other.left_out;
    }

    /// The number of records of both sides together.
    #[must_use]
    pub fn records(&self) -> usize {
        self.create + self.update + self.delete + self.no_change + self.rejected + self.left_out
    }
}

impl DiffSummary {
    pub(super) fn of(diff: &Diff) -> Self {
        let models: Vec<_> = diff
            .tables()
            .iter()
            .map(|table| ModelSummary { model: table.schema.name, counts: Counts::of(table) })
            .collect();
        let mut total = Counts::default();
        for model in &models {
            total.add(model.counts);
        }
        Self { total, models }
    }
}

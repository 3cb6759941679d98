//! The diff: what must be created, updated and deleted in the target to match the source.
//!
//! It holds row positions and the set of changed attributes, never copies of records, and is computed once: what is
//! shown is what is executed.

mod join;
mod out;
mod summary;

use fixedbitset::FixedBitSet;

pub use self::summary::{Counts, DiffSummary, ModelSummary};

use crate::check::Checked;
use crate::dataset::{Dataset, HasTable, LinksIn, ModelVisitor, in_order};
use crate::schema::ModelSchema;
use crate::table::{LoadState, Table, row};

/// What must change in the target, as positions into the two data sets it was computed from.
#[derive(Debug)]
pub struct Diff {
    tables: Vec<TableDiff>,
}

/// The part of a [`Diff`] that concerns one model.
#[derive(Debug)]
pub struct TableDiff {
    pub(crate) schema: &'static ModelSchema,
    /// Source rows to create.
    pub(crate) creates: Vec<u32>,
    /// Pairs of rows to update, source row first.
    pub(crate) updates: Vec<(u32, u32)>,
    /// Target rows to delete.
    pub(crate) deletes: Vec<u32>,
    /// Target rows that stay as they are because they or what they are under were rejected.
    pub(crate) withheld: Vec<u32>,
    pub(crate) unchanged: usize,
    pub(crate) rejected: usize,
    pub(crate) left_out: usize,
    /// One bit per attribute, in as many words per update as the model's attributes need.
    changed: Vec<u64>,
}

impl TableDiff {
    fn new(schema: &'static ModelSchema) -> Self {
        Self {
            schema,
            creates: Vec::new(),
            updates: Vec::new(),
            deletes: Vec::new(),
            withheld: Vec::new(),
            unchanged: 0,
            rejected: 0,
            left_out: 0,
            changed: Vec::new(),
        }
    }

    /// The model's schema.
    #[must_use]
    pub fn schema(&self) -> &'static ModelSchema {
        self.schema
    }

    /// Whether the update at this position of the list changes this attribute.
    pub(crate) fn is_changed(&self, update: usize, attribute: usize) -> bool {
        let word = update * words(self.schema) + attribute / 64;
        self.changed.get(word).is_some_and(|bits| bits & (1 << (attribute % 64)) != 0)
    }

    /// The number of operations.
    pub(crate) fn operations(&self) -> usize {
        self.creates.len() + self.updates.len() + self.deletes.len()
    }
}

/// The words that the set of a model's attributes takes.
fn words(schema: &ModelSchema) -> usize {
    schema.attributes.len().div_ceil(64)
}

impl Diff {
    /// Compares two data sets that were checked.
    pub(crate) fn between<D: Dataset>(source: &Checked<D>, target: &Checked<D>) -> Self {
        let schemas = D::SCHEMAS;
        let rejected = |side: &Checked<D>| side.models.iter().any(|model| model.rejected() > 0);
        let out = |side: &Checked<D>| side.models.iter().map(|model| model.out.clone()).collect();
        let mut differ = Differ {
            source: &source.data,
            target: &target.data,
            any_out: rejected(source) || rejected(target),
            source_out: out(source),
            target_out: out(target),
            wanted: 0,
            at: 0,
            names: schemas.iter().map(|schema| schema.name).collect(),
            tables: schemas.iter().map(|schema| TableDiff::new(schema)).collect(),
        };
        for position in in_order(schemas) {
            differ.wanted = position;
            differ.at = 0;
            D::visit_models(&mut differ);
        }
        Self { tables: differ.tables }
    }

    /// The parts of the diff, one for each model in the order of the data set's fields.
    #[must_use]
    pub fn tables(&self) -> &[TableDiff] {
        &self.tables
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations() == 0
    }

    /// The number of records to create, update and delete.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.tables.iter().map(TableDiff::operations).sum()
    }

    /// How many records of each model are to be created, updated and deleted.
    #[must_use]
    pub fn summary(&self) -> DiffSummary {
        DiffSummary::of(self)
    }
}

struct Differ<'a, D> {
    source: &'a D,
    target: &'a D,
    /// Whether any record of any model is out of the diff: the questions that follow from it cost nothing otherwise.
    any_out: bool,
    source_out: Vec<FixedBitSet>,
    target_out: Vec<FixedBitSet>,
    wanted: usize,
    at: usize,
    names: Vec<&'static str>,
    tables: Vec<TableDiff>,
}

impl<D: Dataset> ModelVisitor<D> for Differ<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        if self.at == self.wanted {
            self.tables[self.wanted] = self.table::<M>();
        }
        self.at += 1;
    }
}

impl<D> Differ<'_, D> {
    fn table<M: LinksIn<D>>(&mut self) -> TableDiff
    where
        D: HasTable<M>,
    {
        let (source, target): (&Table<M>, &Table<M>) = (self.source.table(), self.target.table());
        let mut diff = TableDiff::new(M::SCHEMA);
        if *source.state() != LoadState::Loaded || *target.state() != LoadState::Loaded {
            let only_in_target = target.iter().filter(|record| source.position(record.key()).is_none());
            diff.left_out = source.len() + only_in_target.count();
            return diff;
        }
        if self.any_out {
            self.take_out::<M>();
        }
        let source_out = &self.source_out[self.wanted];
        let mut matched = FixedBitSet::with_capacity(target.len());
        let stride = words(M::SCHEMA);
        join::join(source, target, |row, found| {
            if let Some(found) = found {
                matched.insert(found as usize);
            }
            match found {
                _ if self.any_out && source_out.contains(row as usize) => diff.rejected += 1,
                None => diff.creates.push(row),
                Some(found) => {
                    let start = diff.changed.len();
                    source.rows()[row as usize].differences(&target.rows()[found as usize], &mut |attribute| {
                        if diff.changed.len() == start {
                            diff.changed.resize(start + stride, 0);
                        }
                        diff.changed[start + attribute / 64] |= 1 << (attribute % 64);
                    });
                    if diff.changed.len() == start {
                        diff.unchanged += 1;
                    } else {
                        diff.updates.push((row, found));
                    }
                }
            }
        });
        if self.any_out {
            self.withhold::<M>(&matched);
        }
        let target_out = &self.target_out[self.wanted];
        for at in matched.zeroes() {
            if target_out.contains(at) {
                diff.rejected += 1;
            } else {
                diff.deletes.push(row(at));
            }
        }
        diff.withheld = target_out.ones().map(row).collect();
        if self.any_out {
            diff.rejected += out::without_row_on_either(source, target);
        }
        diff.creates.shrink_to_fit();
        diff.updates.shrink_to_fit();
        diff.deletes.shrink_to_fit();
        diff.changed.shrink_to_fit();
        diff
    }
}

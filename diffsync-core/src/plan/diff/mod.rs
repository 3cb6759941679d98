//! The diff: the creates, updates and deletes that make the target match the source.
//!
//! It holds row positions and the set of changed attributes, never copies of records. It is computed once, so that exactly
//! what is shown is executed.

mod exclude;
mod join;
mod select;
mod spelling;
mod summary;
mod twins;

use std::collections::{BTreeMap, HashMap};

use fixedbitset::FixedBitSet;

use self::exclude::Excluded;
pub(crate) use self::spelling::respell;
pub use self::summary::{Counts, DiffSummary, ModelSummary};
pub(crate) use self::twins::{Twin, twins};

use crate::data::check::Checked;
use crate::data::dataset::{Dataset, HasTable, LinksIn, ModelVisitor, position, visit_in_order};
use crate::data::table::{LoadState, Table, row};
use crate::model::operation::Operation;
use crate::model::schema::ModelSchema;
use crate::plan::hold_reason::HoldReason;
use crate::plan::record_ref::RecordRef;
use crate::plan::scope::Scope;

/// The changes in the target, as positions in the two data sets that it was computed from.
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
    pub(crate) unchanged: usize,
    pub(crate) rejected: usize,
    pub(crate) left_out: usize,
    /// One bit per attribute, in as many words per update as the model's attributes need.
    changed: Vec<u64>,
    /// The source's rows that take no part; empty if all do.
    out: FixedBitSet,
    /// The deletes that the target does by itself, with the parent, by place.
    cascaded: FixedBitSet,
    /// The deletes of records with `prevent_destroy`, by place.
    prevented: FixedBitSet,
    /// The deletes of records that may be the same as new ones, by place, each with the new record.
    twins: BTreeMap<usize, RecordRef>,
    /// The attributes that are not compared, if there are any.
    pub(crate) ignored: Option<Vec<bool>>,
    /// Why an operation is withheld for all records, by operation.
    withheld: [Option<Withheld>; 3],
}

/// Why an operation of the diff is withheld from the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// It is held back.
    Held(HoldReason),
    /// The target cannot do it.
    Unsupported,
    /// The target does it by itself, with the record's parent.
    Cascaded,
}

impl TableDiff {
    pub(crate) fn new(schema: &'static ModelSchema) -> Self {
        Self {
            schema,
            creates: Vec::new(),
            updates: Vec::new(),
            deletes: Vec::new(),
            unchanged: 0,
            rejected: 0,
            left_out: 0,
            changed: Vec::new(),
            out: FixedBitSet::new(),
            cascaded: FixedBitSet::new(),
            prevented: FixedBitSet::new(),
            twins: BTreeMap::new(),
            ignored: None,
            withheld: [const { None }; 3],
        }
    }

    /// The model's schema.
    #[must_use]
    pub fn schema(&self) -> &'static ModelSchema {
        self.schema
    }

    /// Whether a row of the source takes no part.
    pub(crate) fn is_out(&self, row: u32) -> bool {
        self.out.contains(row as usize)
    }

    /// Whether the update at this position of the list changes this attribute.
    pub(crate) fn is_changed(&self, update: usize, attribute: usize) -> bool {
        let word = update * words(self.schema) + attribute / 64;
        self.changed.get(word).is_some_and(|bits| bits & (1 << (attribute % 64)) != 0)
    }

    /// Adds an update of these attributes.
    pub(crate) fn update(&mut self, rows: (u32, u32), attributes: impl Iterator<Item = usize>) {
        let start = self.changed.len();
        self.changed.resize(start + words(self.schema), 0);
        for attribute in attributes {
            self.changed[start + attribute / 64] |= 1 << (attribute % 64);
        }
        self.updates.push(rows);
    }

    /// The number of operations of one kind, including withheld ones.
    pub(crate) fn len(&self, operation: Operation) -> usize {
        match operation {
            Operation::Create => self.creates.len(),
            Operation::Update => self.updates.len(),
            Operation::Delete => self.deletes.len(),
        }
    }

    /// The number of operations.
    pub(crate) fn operations(&self) -> usize {
        self.creates.len() + self.updates.len() + self.deletes.len()
    }

    /// Why an operation is withheld from the target, if it is.
    pub(crate) fn withheld(&self, operation: Operation, place: usize) -> Option<Withheld> {
        let all = self.withheld[operation as usize].clone();
        if operation == Operation::Delete {
            if self.prevented.contains(place) {
                return Some(Withheld::Held(HoldReason::PreventDestroy));
            }
            if let Some(new) = self.twins.get(&place) {
                return Some(Withheld::Held(HoldReason::PossibleDuplicate { new: *new }));
            }
            // A record that a guard holds back must not be deleted with its parent either, so the parent stays, too.
            if let Some(Withheld::Held(_)) = all {
                return all;
            }
            if self.cascaded.contains(place) {
                return Some(Withheld::Cascaded);
            }
        }
        all
    }

    /// Whether the target can do this operation with the model.
    pub(crate) fn can(&self, operation: Operation) -> bool {
        self.withheld[operation as usize] != Some(Withheld::Unsupported)
    }

    /// Whether no operation is withheld from the target.
    pub(crate) fn withholds_nothing(&self) -> bool {
        let places = [&self.cascaded, &self.prevented];
        self.withheld.iter().all(Option::is_none) && places.iter().all(|set| set.is_clear()) && self.twins.is_empty()
    }

    /// Withholds all operations of one kind.
    pub(crate) fn withhold(&mut self, operation: Operation, why: Withheld) {
        self.withheld[operation as usize] = Some(why);
    }

    /// Withholds the operations that the target cannot do with the model at this position.
    pub(crate) fn withhold_unsupported(&mut self, scope: &Scope, model: usize) {
        for operation in Operation::ALL {
            if !scope.supports(model, operation) {
                self.withhold(operation, Withheld::Unsupported);
            }
        }
    }

    /// Holds back the deletes at these places.
    pub(crate) fn prevent_deletes(&mut self, prevented: impl IntoIterator<Item = bool>) {
        let places = prevented.into_iter().enumerate().filter(|(_, prevented)| *prevented);
        self.prevented = places.map(|(place, _)| place).collect();
    }

    /// Holds back the deletes at these places, each for a new record that it may be.
    pub(crate) fn hold_twins(&mut self, twins: impl IntoIterator<Item = (usize, RecordRef)>) {
        self.twins = twins.into_iter().collect();
    }

    /// Holds back the delete at this place for a new record.
    pub(crate) fn hold_for(&mut self, place: usize, new: RecordRef) {
        self.twins.entry(place).or_insert(new);
    }

    /// The rows whose deletes are held back for new records, each with the new one.
    pub(crate) fn twins(&self) -> impl Iterator<Item = (u32, RecordRef)> {
        self.twins.iter().map(|(place, new)| (self.deletes[*place], *new))
    }

    /// Leaves out the creates and updates of these rows of the source, and returns the number of updates among them.
    pub(crate) fn leave_out_writes(&mut self, rows: &FixedBitSet) -> usize {
        let updates = self.updates.len();
        self.creates.retain(|row| !rows.contains(*row as usize));
        self.retain_updates(|_, (row, _)| !rows.contains(row as usize));
        updates - self.updates.len()
    }

    /// Leaves out the deletes at these places.
    pub(crate) fn leave_out_deletes(&mut self, places: &FixedBitSet) {
        let kept: Vec<usize> = (0..self.deletes.len()).filter(|place| !places.contains(*place)).collect();
        self.left_out += self.deletes.len() - kept.len();

        // The sets hold places among the deletes, which have moved up.
        let at = |set: &FixedBitSet| (0..kept.len()).filter(|new| set.contains(kept[*new])).collect();
        (self.cascaded, self.prevented) = (at(&self.cascaded), at(&self.prevented));
        self.twins = kept.iter().enumerate().filter_map(|(new, old)| Some((new, *self.twins.get(old)?))).collect();
        self.deletes = kept.iter().map(|place| self.deletes[*place]).collect();
    }

    /// Keeps the updates for which `keep` returns true, with the attributes that they change.
    fn retain_updates(&mut self, mut keep: impl FnMut(usize, (u32, u32)) -> bool) {
        let stride = words(self.schema);
        let mut kept = 0;

        for place in 0..self.updates.len() {
            let rows = self.updates[place];
            if keep(place, rows) {
                self.updates[kept] = rows;
                self.changed.copy_within(place * stride..(place + 1) * stride, kept * stride);
                kept += 1;
            }
        }

        self.updates.truncate(kept);
        self.changed.truncate(kept * stride);
    }

    fn shrink(&mut self) {
        self.creates.shrink_to_fit();
        self.updates.shrink_to_fit();
        self.deletes.shrink_to_fit();
        self.changed.shrink_to_fit();
    }
}

/// The number of words in the set of a model's attributes.
fn words(schema: &ModelSchema) -> usize {
    schema.attributes.len().div_ceil(64)
}

impl Diff {
    /// Compares two data sets that were checked.
    pub(crate) fn between<D: Dataset>(source: &Checked<D>, target: &Checked<D>, scope: &Scope) -> Self {
        let schemas = D::SCHEMAS;
        let rejected = |side: &Checked<D>| side.models.iter().any(|model| model.rejected() > 0);
        let out = |side: &Checked<D>| side.models.iter().map(|model| Excluded::rejected(model.out.clone())).collect();

        let mut differ = Differ {
            source: &source.data,
            target: &target.data,
            scope,
            selective: rejected(source) || rejected(target) || select::is_asked_for(&source.data, &target.data, scope),
            source_out: out(source),
            target_out: out(target),
            absent: schemas.iter().map(|_| Excluded::default()).collect(),
            cascading: schemas.iter().map(|_| FixedBitSet::new()).collect(),
            held: schemas.iter().map(|_| HashMap::new()).collect(),
            tables: schemas.iter().map(|schema| TableDiff::new(schema)).collect(),
        };

        visit_in_order(&mut differ);
        Self { tables: differ.tables }
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
        DiffSummary::of(self)
    }
}

/// Compares the models, each after those that it links to.
struct Differ<'a, D> {
    source: &'a D,
    target: &'a D,
    scope: &'a Scope,
    /// Whether any record may be excluded from the diff. Otherwise the checks for it are skipped.
    selective: bool,
    source_out: Vec<Excluded>,
    target_out: Vec<Excluded>,
    /// The source's rows that will not exist in the target, since their creates are excluded.
    absent: Vec<Excluded>,
    /// The target's rows whose children are deleted with them.
    cascading: Vec<FixedBitSet>,
    /// The target's rows that are held back because they may be new records, each with the new one.
    held: Vec<HashMap<u32, RecordRef>>,
    tables: Vec<TableDiff>,
}

impl<D: Dataset> ModelVisitor<D> for Differ<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        self.tables[position::<D, M>()] = self.table::<M>();
    }
}

impl<D> Differ<'_, D> {
    fn table<M: LinksIn<D>>(&mut self) -> TableDiff
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let (source, target): (&Table<M>, &Table<M>) = (self.source.table(), self.target.table());
        let mut diff = TableDiff::new(M::SCHEMA);

        if *source.state() != LoadState::Loaded || *target.state() != LoadState::Loaded {
            let only_in_target = target.iter().filter(|record| source.position(record.key()).is_none());
            diff.left_out = source.len() + only_in_target.count();
            return diff;
        }

        if self.selective {
            self.take_out::<M>();
        }
        diff.withhold_unsupported(self.scope, model);

        let source_out = &self.source_out[model];
        let ignored = self.scope.ignored(M::SCHEMA);
        let mut matched = FixedBitSet::with_capacity(target.len());
        let stride = words(M::SCHEMA);
        // The source's rows that the target does not hold, if not all of them are created.
        let mut new = Vec::new();

        join::join(source, target, |row, found| {
            match found {
                Some(found) => matched.insert(found as usize),
                None if self.selective => new.push(row),
                None => {}
            }
            if self.selective && source_out.counts(row as usize, &mut diff) {
                return;
            }
            let Some(found) = found else {
                diff.creates.push(row);
                return;
            };

            let start = diff.changed.len();
            source.rows()[row as usize].differences(&target.rows()[found as usize], &mut |attribute| {
                if ignored.as_ref().is_some_and(|ignored| ignored[attribute]) {
                    return;
                }
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
        });
        diff.ignored = ignored;

        if self.selective {
            self.select::<M>(&mut diff, &matched, &new);
        } else {
            diff.deletes.extend(matched.zeroes().map(row));
            let new = std::mem::take(&mut diff.creates);
            self.hold_twins::<M>(&mut diff, &new);
            diff.creates = new;
        }

        diff.shrink();
        diff
    }
}

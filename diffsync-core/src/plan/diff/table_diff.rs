//! The diff of one model.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use crate::model::operation::Operation;
use crate::model::schema::ModelSchema;
use crate::plan::hold_reason::HoldReason;
use crate::plan::record_ref::RecordRef;
use crate::plan::scope::Scope;

/// The part of a [`Diff`](super::Diff) that concerns one model.
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
    pub(super) changed: Vec<u64>,
    /// The source's rows that take no part; empty if all do.
    pub(super) out: FixedBitSet,
    /// The deletes that the target does by itself, with the parent, by place.
    pub(super) cascaded: FixedBitSet,
    /// The deletes of records with `prevent_destroy`, by place.
    pub(super) prevented: FixedBitSet,
    /// The deletes of records that may be the same as new ones, by place, each with the new record.
    pub(super) twins: BTreeMap<usize, RecordRef>,
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
    pub(super) fn retain_updates(&mut self, mut keep: impl FnMut(usize, (u32, u32)) -> bool) {
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

    pub(super) fn shrink(&mut self) {
        self.creates.shrink_to_fit();
        self.updates.shrink_to_fit();
        self.deletes.shrink_to_fit();
        self.changed.shrink_to_fit();
    }
}

/// The number of words in the set of a model's attributes.
pub(super) fn words(schema: &ModelSchema) -> usize {
    schema.attributes.len().div_ceil(64)
}

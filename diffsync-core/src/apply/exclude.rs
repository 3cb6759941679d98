//! Drops operations from an undo plan: records excluded by flags or filters, their descendants, and records whose
//! dependencies were dropped.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use crate::data::dataset::{
    At, Dataset, HasTable, KeyOf, LinkVisitor, LinksIn, ModelVisitor, position, to_self, visit_in_order,
};
use crate::data::graph::add_descendants;
use crate::data::table::{LoadState, Table};
use crate::model::SyncModel;
use crate::model::schema::{LinkKind, LinkSchema};
use crate::plan::diff::TableDiff;

/// The rows of one model on both sides.
pub(super) struct ModelRows {
    /// The operation that each row of the source comes from.
    pub(super) origins: Vec<usize>,
    /// The rows of the source that flags or filters leave out, or that depend on one of these.
    pub(super) left_out: FixedBitSet,
    /// The rows of the source that depend on a record that will not exist.
    pub(super) lacking: FixedBitSet,
    /// The rows of the target that take no part, with their descendants.
    pub(super) ignored: FixedBitSet,
    /// The rows of the target that a flag keeps from being deleted, with their descendants that would be deleted.
    skipped: FixedBitSet,
    /// The rows of the target that a filter keeps from being deleted.
    filtered: FixedBitSet,
}

impl ModelRows {
    pub(super) fn of(target: usize) -> Self {
        let none = FixedBitSet::with_capacity(target);
        Self {
            origins: Vec::new(),
            left_out: FixedBitSet::new(),
            lacking: FixedBitSet::new(),
            ignored: none.clone(),
            skipped: none.clone(),
            filtered: none,
        }
    }

    /// Adds a row of the source, which comes from this operation.
    pub(super) fn adds(&mut self, origin: usize, is_out: bool) {
        let row = self.origins.len();
        self.origins.push(origin);
        for set in [&mut self.left_out, &mut self.lacking] {
            set.grow(row + 1);
        }
        self.left_out.set(row, is_out);
    }

    /// Adds a row of the target that is to be deleted.
    pub(super) fn deletes(&mut self, row: u32, skipped: bool, filtered: bool) {
        self.skipped.set(row as usize, skipped);
        self.filtered.set(row as usize, filtered);
    }

    /// Whether a row of the target is kept from being deleted.
    pub(super) fn keeps(&self, row: u32) -> bool {
        [&self.ignored, &self.skipped, &self.filtered].into_iter().any(|set| set.contains(row as usize))
    }
}

/// Adds the descendants of the kept rows of the target to them, model after model.
pub(super) fn deletes_left_out<D: Dataset>(target: &D, tables: &[TableDiff], models: &mut [ModelRows]) {
    if models.iter().all(|rows| rows.ignored.is_clear() && rows.skipped.is_clear()) {
        return;
    }
    visit_in_order(&mut KeptDeletes { target, tables, models });
}

struct KeptDeletes<'a, D> {
    target: &'a D,
    tables: &'a [TableDiff],
    models: &'a mut [ModelRows],
}

impl<D: Dataset> ModelVisitor<D> for KeptDeletes<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let records: &Table<M> = self.target.table();

        let ModelRows { ignored, skipped, .. } = &self.models[model];
        let sets = [ignored.clone(), skipped.clone()];

        let mut under = UnderKept { all: self, records: records.rows(), sets, parent_in_self: None };
        M::visit_links(&mut under);
        let UnderKept { sets: [mut ignored, mut skipped], parent_in_self, .. } = under;

        // Skip flags matter only for rows that this plan deletes; elsewhere they protect neither the row nor its children.
        let deleted: FixedBitSet = self.tables[model].deletes.iter().map(|row| *row as usize).collect();
        skipped.intersect_with(&deleted);

        if let Some(KeyOf::One(key)) = parent_in_self {
            let parent = |row: usize| records.position(key(&records.rows()[row])?);
            add_descendants(&mut ignored, parent);
            add_descendants(&mut skipped, |row| parent(row).filter(|_| deleted.contains(row)));
        }

        let rows = &mut self.models[model];
        (rows.ignored, rows.skipped) = (ignored, skipped);
    }
}

/// Finds the rows under a kept row.
struct UnderKept<'a, 'b, D, M: SyncModel> {
    all: &'a KeptDeletes<'b, D>,
    records: &'a [M],
    /// The rows that take no part, and those that are not deleted.
    sets: [FixedBitSet; 2],
    parent_in_self: Option<KeyOf<M, M>>,
}

impl<D: Dataset, M: SyncModel> LinkVisitor<D, M> for UnderKept<'_, '_, D, M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        if link.kind != LinkKind::Parent {
            return;
        }
        self.parent_in_self = self.parent_in_self.or(to_self(key));

        let model = position::<D, P>();
        let parents: &Table<P> = self.all.target.table();
        let ModelRows { ignored, skipped, .. } = &self.all.models[model];
        if ignored.is_clear() && skipped.is_clear() {
            return;
        }

        for (row, record) in self.records.iter().enumerate() {
            key.each(record, |named| {
                let Some(parent) = parents.position(named) else { return };
                for (mine, its) in self.sets.iter_mut().zip([ignored, skipped]) {
                    if its.contains(parent as usize) {
                        mine.insert(row);
                    }
                }
            });
        }
    }
}

/// Finds the rows of the source that are left out or lack a record, and then, in one walk, all that depend on them.
pub(super) fn writes_left_out<D: Dataset>(source: &D, tables: &[TableDiff], target: &D, models: &mut [ModelRows]) {
    let mut needs = Dependencies { source, tables, target, models, needed_by: HashMap::new() };
    D::visit_models(&mut needs);
    let needed_by = needs.needed_by;

    // A row that is left out is counted as such, even if it also lacks a record.
    for rows in &mut *models {
        rows.lacking.difference_with(&rows.left_out);
    }

    let mut open: Vec<(At, bool)> = Vec::new();
    for left_out in [true, false] {
        for (model, rows) in (0..).zip(&*models) {
            let set = if left_out { &rows.left_out } else { &rows.lacking };
            open.extend(set.ones().map(|row| (At { model, row: crate::data::table::row(row) }, left_out)));
        }

        while let Some((at, left_out)) = open.pop() {
            for &At { model, row } in needed_by.get(&at).into_iter().flatten() {
                let (rows, place) = (&mut models[model], row as usize);
                if rows.left_out.contains(place) || rows.lacking.contains(place) {
                    continue;
                }
                let set = if left_out { &mut rows.left_out } else { &mut rows.lacking };
                set.insert(place);
                open.push((At { model, row }, left_out));
            }
        }
    }
}

/// Finds which rows of the source depend on others of them, and which depend on a missing record.
struct Dependencies<'a, D> {
    source: &'a D,
    tables: &'a [TableDiff],
    target: &'a D,
    models: &'a mut [ModelRows],
    needed_by: HashMap<At, Vec<At>>,
}

impl<D: Dataset> ModelVisitor<D> for Dependencies<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let source: &Table<M> = self.source.table();
        let model = position::<D, M>();
        let table = &self.tables[model];

        for (row, old) in &table.updates {
            let rows = &mut self.models[model];
            if rows.ignored.contains(*old as usize) {
                rows.left_out.insert(*row as usize);
            }
        }

        let updates = table.updates.iter().enumerate().map(|(place, (row, _))| (*row, place)).collect();
        M::visit_links(&mut ModelDependencies { all: self, own: model, table, records: source.rows(), updates });
    }
}

struct ModelDependencies<'a, 'b, D, M> {
    all: &'a mut Dependencies<'b, D>,
    /// The position of the model.
    own: usize,
    table: &'a TableDiff,
    records: &'a [M],
    /// The place of each row that is an update.
    updates: HashMap<u32, usize>,
}

impl<D: Dataset, M: SyncModel> LinkVisitor<D, M> for ModelDependencies<'_, '_, D, M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        let (model, own) = (position::<D, P>(), self.own);
        let Dependencies { source, tables, target, models, needed_by } = &mut *self.all;
        let (source, target): (&Table<P>, &Table<P>) = ((*source).table(), (*target).table());
        if !link.orders() || *target.state() != LoadState::Loaded {
            return;
        }

        let deletes = &tables[model].deletes;
        let named = |position: usize| link.fields.contains(&self.table.schema().attributes[position].name);
        let fields: Vec<usize> = (0..self.table.schema().attributes.len()).filter(|at| named(*at)).collect();

        for (row, record) in (0u32..).zip(self.records) {
            // An update depends only on the links that it changes.
            let update = self.updates.get(&row);
            if update.is_some_and(|place| !fields.iter().any(|at| self.table.is_changed(*place, *at))) {
                continue;
            }

            key.each(record, |named| {
                let in_target = target.position(named);
                if link.kind == LinkKind::Parent
                    && in_target.is_some_and(|row| models[model].ignored.contains(row as usize))
                {
                    models[own].left_out.insert(row as usize);
                }

                // The target has the record and keeps it.
                if in_target.is_some_and(|row| deletes.binary_search(&row).is_err()) {
                    return;
                }
                match source.position(named) {
                    Some(needed) => {
                        let needed = At { model, row: needed };
                        needed_by.entry(needed).or_default().push(At { model: own, row });
                    }
                    None => models[own].lacking.insert(row as usize),
                }
            });
        }
    }
}

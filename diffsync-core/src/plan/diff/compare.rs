//! Comparing two data sets, model by model.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use super::differ::Differ;
use super::excluded::Excluded;
use super::join::join;
use super::select::is_asked_for;
use super::table_diff::{TableDiff, words};
use crate::data::check::Checked;
use crate::data::dataset::{Dataset, HasTable, LinksIn, ModelVisitor, position, visit_in_order};
use crate::data::table::{LoadState, Table, row};
use crate::plan::scope::Scope;

/// Compares two data sets that were checked.
pub(super) fn compare<D: Dataset>(source: &Checked<D>, target: &Checked<D>, scope: &Scope) -> Vec<TableDiff> {
    let schemas = D::SCHEMAS;
    let rejected = |side: &Checked<D>| side.models.iter().any(|model| model.rejected() > 0);
    let out = |side: &Checked<D>| side.models.iter().map(|model| Excluded::rejected(model.out.clone())).collect();

    let mut differ = Differ {
        source: &source.data,
        target: &target.data,
        scope,
        selective: rejected(source) || rejected(target) || is_asked_for(&source.data, &target.data, scope),
        source_out: out(source),
        target_out: out(target),
        absent: schemas.iter().map(|_| Excluded::default()).collect(),
        cascading: schemas.iter().map(|_| FixedBitSet::new()).collect(),
        held: schemas.iter().map(|_| HashMap::new()).collect(),
        tables: schemas.iter().map(|schema| TableDiff::new(schema)).collect(),
    };

    visit_in_order(&mut differ);
    differ.tables
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

        join(source, target, |row, found| {
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

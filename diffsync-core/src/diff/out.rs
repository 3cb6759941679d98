//! Which records leave the diff: those that one side cannot use, and what lives under them on either side.

use std::collections::HashSet;

use fixedbitset::FixedBitSet;

use super::Differ;
use crate::dataset::{HasTable, KeyOf, LinkVisitor, LinksIn};
use crate::model::{Names, SyncModel};
use crate::schema::LinkSchema;
use crate::step::Side;
use crate::table::Table;

impl<D> Differ<'_, D> {
    /// Takes out of both sides the records that either cannot use, and those that live under them in the source. A row
    /// of the source is out exactly if its counterpart in the target is.
    pub(super) fn take_out<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let (source, target): (&Table<M>, &Table<M>) = (self.source.table(), self.target.table());
        let (source_out, target_out) = (&mut self.source_out[self.wanted], &mut self.target_out[self.wanted]);
        take_out_named(source_out, source, &target.without_row());
        take_out_named(target_out, target, &source.without_row());
        take_out_counterparts(target_out, target, source_out, source);
        // What lives under a record that is out on the other side only is known now.
        let (under, key_of_self) = self.under::<M>(Side::Source);
        let (source_out, target_out) = (&mut self.source_out[self.wanted], &mut self.target_out[self.wanted]);
        source_out.union_with(&under);
        if let Some(KeyOf::One(key)) = key_of_self {
            take_out_descendants(source_out, |row| source.position(key(&source.rows()[row])?));
        }
        take_out_counterparts(source_out, source, target_out, target);
    }

    /// Takes out the target's unmatched rows that live under a record that is out: they must not become deletes.
    pub(super) fn withhold<M: LinksIn<D>>(&mut self, matched: &FixedBitSet)
    where
        D: HasTable<M>,
    {
        let target: &Table<M> = self.target.table();
        let (mut under, key_of_self) = self.under::<M>(Side::Target);
        under.difference_with(matched);
        let target_out = &mut self.target_out[self.wanted];
        target_out.union_with(&under);
        if let Some(KeyOf::One(key)) = key_of_self {
            // Where a matched row will be is for the source to say.
            let unmatched = |row: &usize| !matched.contains(*row);
            take_out_descendants(target_out, |row| {
                Some(row).filter(unmatched).and_then(|row| target.position(key(&target.rows()[row])?))
            });
        }
    }

    /// The rows of one side that live directly under a record that is out on either, and how to tell a row's parent in a
    /// model that nests in itself.
    fn under<M: LinksIn<D>>(&self, side: Side) -> (FixedBitSet, Option<KeyOf<M, M>>)
    where
        D: HasTable<M>,
    {
        let children: &Table<M> = match side {
            Side::Source => self.source.table(),
            Side::Target => self.target.table(),
        };
        let rows = FixedBitSet::with_capacity(children.len());
        let mut under = Under { differ: self, children, rows, key_of_self: None };
        M::visit_links(&mut under);
        (under.rows, under.key_of_self)
    }
}

struct Under<'a, 'd, D, M: SyncModel> {
    differ: &'a Differ<'d, D>,
    children: &'a Table<M>,
    rows: FixedBitSet,
    key_of_self: Option<KeyOf<M, M>>,
}

impl<D, M: SyncModel> LinkVisitor<D, M> for Under<'_, '_, D, M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        if link.model == M::NAME {
            self.key_of_self = (&key as &dyn std::any::Any).downcast_ref::<KeyOf<M, M>>().copied();
        }
        let Some(model) = self.differ.names.iter().position(|name| *name == P::NAME) else { return };
        let (source, target): (&Table<P>, &Table<P>) = (self.differ.source.table(), self.differ.target.table());
        let (source_out, target_out) = (&self.differ.source_out[model], &self.differ.target_out[model]);
        let mut without_row = source.without_row();
        without_row.extend(target.without_row());
        if source_out.is_clear() && target_out.is_clear() && without_row.is_empty() {
            return;
        }
        for (row, record) in self.children.iter().enumerate() {
            let KeyOf::One(key) = key else { continue };
            let Some(parent) = key(record) else { continue };
            let out = source.position(parent).is_some_and(|at| source_out.contains(at as usize))
                || target.position(parent).is_some_and(|at| target_out.contains(at as usize))
                || (!without_row.is_empty() && without_row.contains(&P::to_id(parent)));
            self.rows.set(row, out);
        }
    }
}

/// Takes out the rows with these identifiers.
fn take_out_named<M: SyncModel>(out: &mut FixedBitSet, table: &Table<M>, ids: &HashSet<M::Id>) {
    for row in ids.iter().filter_map(|id| table.position(id.key()?)) {
        out.insert(row as usize);
    }
}

/// Takes out of one side what is out on the other.
fn take_out_counterparts<M: SyncModel>(
    out: &FixedBitSet,
    table: &Table<M>,
    other_out: &mut FixedBitSet,
    other: &Table<M>,
) {
    for row in out.ones().filter_map(|row| other.position(table.rows()[row].key())) {
        other_out.insert(row as usize);
    }
}

/// Takes out the rows above which one is out. A circle, which only the target can have, is none.
fn take_out_descendants(out: &mut FixedBitSet, parent: impl Fn(usize) -> Option<u32>) {
    let mut seen = FixedBitSet::with_capacity(out.len());
    let mut path = Vec::new();
    for start in 0..out.len() {
        let mut at = Some(start);
        let under = loop {
            match at {
                Some(row) if out.contains(row) => break true,
                Some(row) if !seen.put(row) => path.push(row),
                // The top, or a row that was seen not to be under one that is out.
                _ => break false,
            }
            at = at.and_then(&parent).map(|row| row as usize);
        };
        let path = path.drain(..);
        if under {
            path.for_each(|row| out.insert(row));
        }
    }
}

/// How many records cannot be used and have no row on either side: they count, though there is nothing to show.
pub(super) fn without_row_on_either<M: SyncModel>(source: &Table<M>, target: &Table<M>) -> usize {
    let (source_ids, target_ids) = (source.without_row(), target.without_row());
    source_ids.union(&target_ids).filter(|id| !source.contains(*id) && !target.contains(*id)).count()
}

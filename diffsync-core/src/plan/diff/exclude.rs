//! Excluding records from the diff: unusable and ignored ones, their descendants on either side, and records that depend on
//! one that will not exist.

use std::collections::HashSet;

use fixedbitset::FixedBitSet;

use super::differ::Differ;
use super::excluded::Excluded;
use crate::data::dataset::{HasTable, KeyOf, LinkVisitor, LinksIn, position, to_self};
use crate::data::side::Side;
use crate::data::table::Table;
use crate::model::flags::Flags;
use crate::model::schema::{LinkKind, LinkSchema};
use crate::model::{AsKey, SyncModel};

impl<D> Differ<'_, D> {
    /// Excludes from both sides the records that are rejected or ignored on either, their descendants in the source, and the
    /// source's records that depend on one that will not exist. A row of the source is excluded exactly if its counterpart
    /// in the target is.
    pub(super) fn take_out<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let (source, target): (&Table<M>, &Table<M>) = (self.source.table(), self.target.table());
        self.absent[model] = Excluded::none_of(source.len());

        let (source_out, target_out) = (&mut self.source_out[model], &mut self.target_out[model]);
        source_out.left_out.grow(source.len());
        target_out.left_out.grow(target.len());
        take_out_named(&mut source_out.rejected, source, &target.without_row());
        take_out_named(&mut target_out.rejected, target, &source.without_row());

        let all = self.scope.flags | M::SCHEMA.flags | source.flags() | target.flags();
        if all.contains(Flags::IGNORE) {
            source_out.left_out.insert_range(..);
            target_out.left_out.insert_range(..);
        }
        take_out_named(&mut source_out.left_out, source, &ignored(source, target));
        take_out_named(&mut target_out.left_out, target, &ignored(source, target));
        take_out_counterparts(target_out, target, source_out, source);

        // Now the descendants of records that only the other side excludes are known.
        let (under, parent_in_self) = self.under::<M>(Side::Source);
        let (source_out, target_out) = (&mut self.source_out[model], &mut self.target_out[model]);
        for (set, under) in source_out.each(&under) {
            set.union_with(under);
        }

        if let Some(KeyOf::One(key)) = parent_in_self {
            source_out.add_descendants(|row| source.position(key(&source.rows()[row])?));
        }
        take_out_counterparts(source_out, source, target_out, target);
    }

    /// Excludes the target's unmatched rows under an excluded record: they must not become deletes.
    pub(super) fn withhold<M: LinksIn<D>>(&mut self, matched: &FixedBitSet)
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let target: &Table<M> = self.target.table();
        let (mut under, parent_in_self) = self.under::<M>(Side::Target);
        for set in under.sets() {
            set.difference_with(matched);
        }

        let target_out = &mut self.target_out[model];
        for (set, under) in target_out.each(&under) {
            set.union_with(under);
        }

        if let Some(KeyOf::One(key)) = parent_in_self {
            // The source decides the parent of a matched row.
            target_out.add_descendants(|row| {
                let unmatched = !matched.contains(row);
                unmatched.then(|| target.position(key(&target.rows()[row])?)).flatten()
            });
        }
    }

    /// The rows of one side directly under a record that is excluded on either side or, in the source, that depend on one
    /// that will not exist; and the link to the parent in a model that nests in itself.
    fn under<M: LinksIn<D>>(&self, side: Side) -> (Excluded, Option<KeyOf<M, M>>)
    where
        D: HasTable<M>,
    {
        let children: &Table<M> = match side {
            Side::Source => self.source.table(),
            Side::Target => self.target.table(),
        };
        let rows = Excluded::none_of(children.len());
        let mut under = UnderExcluded { differ: self, side, children, rows, parent_in_self: None };
        M::visit_links(&mut under);
        (under.rows, under.parent_in_self)
    }
}

struct UnderExcluded<'a, 'd, D, M: SyncModel> {
    differ: &'a Differ<'d, D>,
    side: Side,
    children: &'a Table<M>,
    rows: Excluded,
    parent_in_self: Option<KeyOf<M, M>>,
}

impl<D, M: SyncModel> LinkVisitor<D, M> for UnderExcluded<'_, '_, D, M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        let is_parent = link.kind == LinkKind::Parent;
        if is_parent {
            self.parent_in_self = self.parent_in_self.or(to_self(key));
        }

        let model = position::<D, P>();
        let (source, target): (&Table<P>, &Table<P>) = (self.differ.source.table(), self.differ.target.table());
        let (source_out, target_out) = (&self.differ.source_out[model], &self.differ.target_out[model]);
        let absent = &self.differ.absent[model];
        let needs = self.side == Side::Source && link.orders();

        let mut without_row = source.without_row();
        without_row.extend(target.without_row());
        let none_out = source_out.is_empty() && target_out.is_empty() && without_row.is_empty();
        if none_out && absent.is_empty() || !is_parent && !needs {
            return;
        }

        for (row, record) in self.children.iter().enumerate() {
            key.each(record, |named| {
                let (in_source, in_target) = (source.position(named), target.position(named));
                if is_parent {
                    self.rows.follow(row, source_out, in_source);
                    self.rows.follow(row, target_out, in_target);
                }
                if needs {
                    self.rows.follow(row, absent, in_source);
                }

                // Children always follow their parent; a reference counts only if neither side has the record.
                let lost = is_parent || needs && in_source.is_none() && in_target.is_none();
                if lost && !without_row.is_empty() && without_row.contains(&P::to_id(named)) {
                    self.rows.rejected.insert(row);
                }
            });
        }
    }
}

/// The identifiers of the records that either side's loader ignores.
fn ignored<M: SyncModel>(source: &Table<M>, target: &Table<M>) -> HashSet<M::Id> {
    let flags = source.record_flags().iter().chain(target.record_flags());
    flags.filter(|(_, flags)| flags.contains(Flags::IGNORE)).map(|(id, _)| id.clone()).collect()
}

/// Excludes the rows with these identifiers.
fn take_out_named<M: SyncModel>(out: &mut FixedBitSet, table: &Table<M>, ids: &HashSet<M::Id>) {
    for row in ids.iter().filter_map(|id| table.position(id.key()?)) {
        out.insert(row as usize);
    }
}

/// Excludes the counterparts of the rows that are excluded on the other side.
fn take_out_counterparts<M: SyncModel>(out: &Excluded, table: &Table<M>, other_out: &mut Excluded, other: &Table<M>) {
    for (other_out, out) in other_out.each(out) {
        for row in out.ones().filter_map(|row| other.position(table.rows()[row].key())) {
            other_out.insert(row as usize);
        }
    }
}

/// The number of unusable records without a row on either side. They are counted, although they cannot be shown.
pub(super) fn without_row_on_either<M: SyncModel>(source: &Table<M>, target: &Table<M>) -> usize {
    let (source_ids, target_ids) = (source.without_row(), target.without_row());
    source_ids.union(&target_ids).filter(|id| !source.contains(*id) && !target.contains(*id)).count()
}

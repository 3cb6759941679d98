//! Applying flags and filters to the operations of a table, and withholding deletes from the target.

use fixedbitset::FixedBitSet;

use super::differ::Differ;
use super::exclude::without_row_on_either;
use super::excluded::Excluded;
use super::table_diff::TableDiff;
use crate::data::dataset::{Dataset, HasTable, KeyOf, LinkVisitor, LinksIn, ModelVisitor, position, to_self};
use crate::data::graph::{add_descendants, walk};
use crate::data::table::{LoadState, Table, row};
use crate::model::flags::Flags;
use crate::model::operation::Operation;
use crate::model::schema::{LinkKind, LinkSchema};
use crate::model::{ModelExt, SyncModel};
use crate::plan::scope::Scope;

/// Whether any flag is set or any filter given, so that the diff must apply them.
pub(super) fn is_asked_for<D: Dataset>(source: &D, target: &D, scope: &Scope) -> bool {
    struct Flagged<'a, D> {
        sides: [&'a D; 2],
        any: bool,
    }
    impl<D> ModelVisitor<D> for Flagged<'_, D> {
        fn visit<M: LinksIn<D>>(&mut self)
        where
            D: HasTable<M>,
        {
            self.any |= !M::SCHEMA.flags.is_empty();
            for side in self.sides {
                let table: &Table<M> = side.table();
                self.any |= !table.flags().is_empty() || !table.record_flags().is_empty();
            }
        }
    }
    let mut flagged = Flagged { sides: [source, target], any: !scope.flags.is_empty() || scope.is_selective() };
    D::visit_models(&mut flagged);
    flagged.any
}

impl<D> Differ<'_, D> {
    /// Drops the creates and updates that flags, filters or a missing record exclude, and finds the deletes. `new` are the
    /// source's rows that the target does not hold.
    pub(super) fn select<M: LinksIn<D>>(&mut self, diff: &mut TableDiff, matched: &FixedBitSet, new: &[u32])
    where
        D: HasTable<M>,
    {
        self.select_writes::<M>(diff, matched);
        self.withhold::<M>(matched);
        self.select_deletes::<M>(diff, matched, new);

        let (source, target): (&Table<M>, &Table<M>) = (self.source.table(), self.target.table());
        diff.rejected += without_row_on_either(source, target);
    }

    fn select_writes<M: LinksIn<D>>(&mut self, diff: &mut TableDiff, matched: &FixedBitSet)
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let (source, target): (&Table<M>, &Table<M>) = (self.source.table(), self.target.table());
        let flags = RecordFlags::of(source, target, self.scope.flags);

        // A row that is excluded or not created will not exist in the target.
        let absent = &mut self.absent[model];
        let in_target = |row: usize| target.position(source.rows()[row].key()).is_some();
        let source_out = &self.source_out[model];
        for (absent, out) in absent.each(source_out) {
            absent.extend(out.ones().filter(|row| !in_target(*row)));
        }

        for &row in &diff.creates {
            let record = &source.rows()[row as usize];
            if flags.of_row(record).contains(Flags::SKIP_UNMATCHED_SRC)
                || !self.scope.admits(Operation::Create, record, record, &|_| true)
            {
                absent.left_out.insert(row as usize);
            }
        }

        let filtered: FixedBitSet = if self.scope.is_selective() {
            let updates = diff.updates.iter().enumerate();
            let refused = updates.filter(|&(update, &(row, at))| {
                let (record, old) = (&source.rows()[row as usize], &target.rows()[at as usize]);
                !self.scope.admits(Operation::Update, record, old, &|attribute| diff.is_changed(update, attribute))
            });
            refused.map(|(_, &(row, _))| row as usize).collect()
        } else {
            FixedBitSet::new()
        };

        // Rows of the same model that depend on each other. A row that exists in the target already is not absent, but it
        // cannot be written either.
        let mut blocked = absent.clone();
        if !absent.is_empty() && M::SCHEMA.links.iter().any(|link| link.model == M::NAME) {
            follow_own_links::<D, M>(source, &mut blocked, matched.count_ones(..) > 0, &in_target);
            for (absent, blocked) in absent.each(&blocked) {
                absent.extend(blocked.ones().filter(|row| !in_target(*row)));
            }
        }

        blocked.left_out.union_with(&filtered);
        for set in [&blocked.rejected, &blocked.left_out, &source_out.rejected, &source_out.left_out] {
            diff.out.union_with(set);
        }
        if blocked.is_empty() {
            return;
        }

        let mut creates = std::mem::take(&mut diff.creates);
        creates.retain(|&row| !blocked.counts(row as usize, diff));
        diff.creates = creates;

        let mut out = TableDiff::new(M::SCHEMA);
        diff.retain_updates(|_, (row, _)| !blocked.counts(row as usize, &mut out));
        diff.rejected += out.rejected;
        diff.left_out += out.left_out;
    }

    fn select_deletes<M: LinksIn<D>>(&mut self, diff: &mut TableDiff, matched: &FixedBitSet, new: &[u32])
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let (source, target): (&Table<M>, &Table<M>) = (self.source.table(), self.target.table());
        let flags = RecordFlags::of(source, target, self.scope.flags);

        let mut links = OwnLinks { parent: None, ordering: Vec::new() };
        <M as LinksIn<D>>::visit_links(&mut links);
        let parent = links.parent.and_then(|key| match key {
            KeyOf::One(key) => Some(key),
            KeyOf::Many(_) => None,
        });

        // The source decides the parent of a matched row, so only unmatched rows follow theirs.
        let unmatched = |row: usize| !matched.contains(row);
        let parent_row =
            |row: usize| parent.filter(|_| unmatched(row)).and_then(|key| target.position(key(&target.rows()[row])?));

        let out = &mut self.target_out[model];
        if flags.any(Flags::SKIP_UNMATCHED_DST) {
            for at in matched.zeroes() {
                if flags.of_row(&target.rows()[at]).contains(Flags::SKIP_UNMATCHED_DST) {
                    out.left_out.insert(at);
                }
            }
            add_descendants(&mut out.left_out, parent_row);
        }

        let out = &self.target_out[model];
        for at in matched.zeroes() {
            let record = &target.rows()[at];
            if out.counts(at, diff) {
                continue;
            }
            if self.scope.admits(Operation::Delete, record, record, &|_| true) {
                diff.deletes.push(row(at));
            } else {
                diff.left_out += 1;
            }
        }

        self.hold_twins::<M>(diff, new);
        self.cascade::<M>(diff, &flags, parent_row);
    }

    /// Marks the deletes that are prevented, and those that the target does by itself.
    fn cascade<M: LinksIn<D>>(
        &mut self,
        diff: &mut TableDiff,
        flags: &RecordFlags<'_, M>,
        parent_row: impl Fn(usize) -> Option<u32>,
    ) where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let target: &Table<M> = self.target.table();
        let mut under =
            UnderCascading { differ: self, children: target, rows: FixedBitSet::with_capacity(target.len()) };
        M::visit_links(&mut under);
        let mut along = under.rows;
        if along.is_clear() && !flags.any(Flags::PREVENT_DESTROY | Flags::SKIP_CHILDREN_ON_DELETE) {
            return;
        }

        let mut deleted = FixedBitSet::with_capacity(target.len());
        let mut prevented = FixedBitSet::with_capacity(target.len());
        // The rows that the target deletes with their descendants.
        let mut cascading = FixedBitSet::with_capacity(target.len());

        for (place, &row) in diff.deletes.iter().enumerate() {
            let flags = flags.of_row(&target.rows()[row as usize]);
            let row = row as usize;
            prevented.set(row, flags.contains(Flags::PREVENT_DESTROY));
            deleted.set(row, !prevented.contains(row) && !diff.twins.contains_key(&place));
            cascading.set(row, deleted.contains(row) && flags.contains(Flags::SKIP_CHILDREN_ON_DELETE));
        }
        if !self.scope.supports(model, Operation::Delete) {
            cascading.clear();
        }

        along.intersect_with(&deleted);
        cascading.union_with(&along);

        let own = cascading.clone();
        add_descendants(&mut cascading, |row| parent_row(row).filter(|_| deleted.contains(row)));
        cascading.intersect_with(&deleted);

        // The topmost rows are deleted by a call each; the target deletes the rows under them.
        for row in cascading.ones() {
            let under_one = || parent_row(row).is_some_and(|parent| cascading.contains(parent as usize));
            if !own.contains(row) || under_one() {
                along.insert(row);
            }
        }

        let places = |rows: &FixedBitSet| {
            let all = diff.deletes.iter().enumerate();
            all.filter(|(_, row)| rows.contains(**row as usize)).map(|(place, _)| place).collect()
        };
        (diff.cascaded, diff.prevented) = (places(&along), places(&prevented));
        self.cascading[model] = cascading;
    }
}

/// The flags of each record of a table on both sides.
struct RecordFlags<'a, M: SyncModel> {
    all: Flags,
    source: &'a Table<M>,
    target: &'a Table<M>,
}

impl<'a, M: SyncModel> RecordFlags<'a, M> {
    fn of(source: &'a Table<M>, target: &'a Table<M>, run: Flags) -> Self {
        Self { all: run | M::SCHEMA.flags | source.flags() | target.flags(), source, target }
    }

    /// Whether any record has one of these flags.
    fn any(&self, flags: Flags) -> bool {
        let each = || self.source.record_flags().values().chain(self.target.record_flags().values());
        self.all.intersects(flags) || each().any(|its| its.intersects(flags))
    }

    fn of_row(&self, record: &M) -> Flags {
        let mut flags = self.all;
        for table in [self.source, self.target] {
            if !table.record_flags().is_empty() {
                flags |= table.record_flags().get(&record.id()).copied().unwrap_or_default();
            }
        }
        flags
    }
}

/// The links of a model to itself.
struct OwnLinks<M: SyncModel> {
    parent: Option<KeyOf<M, M>>,
    ordering: Vec<KeyOf<M, M>>,
}

impl<D, M: SyncModel> LinkVisitor<D, M> for OwnLinks<M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        let own = to_self(key);
        if link.kind == LinkKind::Parent {
            self.parent = self.parent.or(own);
        }
        self.ordering.extend(own.filter(|_| link.orders()));
    }
}

/// Adds the source's rows that depend, directly or not, on a row of the set that will not exist in the target.
fn follow_own_links<D, M: LinksIn<D>>(
    source: &Table<M>,
    blocked: &mut Excluded,
    some_matched: bool,
    in_target: &impl Fn(usize) -> bool,
) {
    let mut links = OwnLinks { parent: None, ordering: Vec::new() };
    M::visit_links(&mut links);

    let leads_to = |row: u32, to: &mut Vec<u32>| {
        for key in &links.ordering {
            key.each(&source.rows()[row as usize], |key| to.extend(source.position(key)));
        }
    };

    let left = |at: u32, to: &[u32]| {
        for set in [&mut blocked.rejected, &mut blocked.left_out] {
            let missing = |&&row: &&u32| set.contains(row as usize) && !(some_matched && in_target(row as usize));
            if to.iter().find(missing).is_some() {
                set.insert(at as usize);
            }
        }
    };

    walk(row(source.len()), leads_to, left);
}

/// Finds the rows under a row of another model that the target deletes with its descendants.
struct UnderCascading<'a, 'd, D, M: SyncModel> {
    differ: &'a Differ<'d, D>,
    children: &'a Table<M>,
    rows: FixedBitSet,
}

impl<D, M: SyncModel> LinkVisitor<D, M> for UnderCascading<'_, '_, D, M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        let model = position::<D, P>();
        let cascading = &self.differ.cascading[model];
        let parents: &Table<P> = self.differ.target.table();
        if link.kind != LinkKind::Parent || cascading.is_clear() || *parents.state() != LoadState::Loaded {
            return;
        }
        for (row, record) in self.children.iter().enumerate() {
            key.each(record, |named| {
                if parents.position(named).is_some_and(|parent| cascading.contains(parent as usize)) {
                    self.rows.insert(row);
                }
            });
        }
    }
}

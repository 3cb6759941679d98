//! Deletes of records that may be the same as new ones: their identifiers differ only in case or surrounding space.
//!
//! Many systems treat such identifiers as equal. There the create fails or finds the old record, and the delete would remove
//! it with all its descendants. So the delete is held back. Where the system distinguishes the two, the create succeeds, and
//! the next run deletes the old record.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::fast::{FoldHasher, RandomState};
use hashbrown::HashTable;

use super::differ::Differ;
use super::table_diff::TableDiff;
use crate::data::dataset::{HasTable, KeyOf, LinkVisitor, LinksIn, position, to_self};
use crate::data::side::Side;
use crate::data::table::Table;
use crate::model::schema::{LinkKind, LinkSchema};
use crate::model::{ModelExt, SyncModel};
use crate::plan::folded::{folded, lower};
use crate::plan::record_ref::RecordRef;

static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The places of the deletes with a twin among the new rows of the source, each with that row.
pub(crate) fn twins<M: SyncModel>(
    source: &Table<M>,
    new: &[u32],
    target: &Table<M>,
    deletes: &[u32],
) -> BTreeMap<usize, u32> {
    let mut twins = BTreeMap::new();
    if new.is_empty() || deletes.is_empty() {
        return twins;
    }
    let record = |table: &'_ Table<M>, row: u32| folded_hash(&table.rows()[row as usize]);

    let mut folded: HashTable<(u64, usize)> = HashTable::with_capacity(deletes.len());
    for (place, row) in deletes.iter().enumerate() {
        let hash = record(target, *row);
        folded.insert_unique(hash, (hash, place), |(hash, _)| *hash);
    }

    for row in new {
        let hash = record(source, *row);
        for (_, place) in folded.iter_hash(hash).filter(|(other, _)| *other == hash) {
            let (one, other) = (&source.rows()[*row as usize], &target.rows()[deletes[*place] as usize]);
            if !twins.contains_key(place) && are_twins(one, other) {
                twins.insert(*place, *row);
            }
        }
    }
    twins
}

/// A hash of an identifier that does not depend on case and space. [`are_twins`] decides whether two with the same hash are
/// twins.
fn folded_hash<M: SyncModel>(record: &M) -> u64 {
    struct Folding(FoldHasher<'static>);
    impl fmt::Write for Folding {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            // Quotes and escapes in an identifier's text depend on its case, too.
            let plain = text.chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, '"' | '\\'));
            plain.flat_map(char::to_lowercase).for_each(|letter| self.0.write_u32(letter.into()));
            Ok(())
        }
    }

    let mut folding = Folding(HASHER.build_hasher());
    // Writing to the hasher does not fail.
    let _ = write!(folding, "{}", record.id());
    folding.0.finish()
}

fn are_twins<M: SyncModel>(one: &M, other: &M) -> bool {
    let folded = |record: &M| serde_json::to_value(record.id()).map(|id| folded(&id, &|text| lower(text.trim())));
    matches!((folded(one), folded(other)), (Ok(one), Ok(other)) if one == other)
}

impl<D> Differ<'_, D> {
    /// Holds back the deletes that have a twin among the source's new records, and the deletes under them.
    pub(super) fn hold_twins<M: LinksIn<D>>(&mut self, diff: &mut TableDiff, new: &[u32])
    where
        D: HasTable<M>,
    {
        if diff.deletes.is_empty() {
            return;
        }

        let (source, target): (&Table<M>, &Table<M>) = (self.source.table(), self.target.table());
        let model = position::<D, M>();
        let twins = twins(source, new, target, &diff.deletes);
        diff.twins = twins.into_iter().map(|(place, row)| (place, RecordRef::new(Side::Source, model, row))).collect();

        let mut under =
            UnderTwins { differ: self, children: target, deletes: &diff.deletes, held: BTreeMap::new(), own: None };
        M::visit_links(&mut under);
        let UnderTwins { held, own, .. } = under;

        for (place, new) in held {
            diff.twins.entry(place).or_insert(new);
        }
        if let Some(KeyOf::One(parent)) = own.filter(|_| !diff.twins.is_empty()) {
            hold_descendants(diff, |row| target.position(parent(&target.rows()[row as usize])?));
        }

        self.held[model] = diff.twins.iter().map(|(place, new)| (diff.deletes[*place], *new)).collect();
    }
}

/// Holds back the deletes under a held record of the same model.
fn hold_descendants(diff: &mut TableDiff, parent: impl Fn(u32) -> Option<u32>) {
    for place in 0..diff.deletes.len() {
        let mut at = diff.deletes[place];
        // A longer chain than the number of deletes is a circle.
        for _ in 0..diff.deletes.len() {
            let Some(above) = parent(at).and_then(|above| diff.deletes.binary_search(&above).ok()) else { break };
            if let Some(new) = diff.twins.get(&above).copied() {
                diff.twins.entry(place).or_insert(new);
                break;
            }
            at = diff.deletes[above];
        }
    }
}

/// Finds the deletes under a held record of another model.
struct UnderTwins<'a, 'd, D, M: SyncModel> {
    differ: &'a Differ<'d, D>,
    children: &'a Table<M>,
    deletes: &'a [u32],
    held: BTreeMap<usize, RecordRef>,
    /// The parent in a model that nests in itself.
    own: Option<KeyOf<M, M>>,
}

impl<D, M: SyncModel> LinkVisitor<D, M> for UnderTwins<'_, '_, D, M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        if link.kind != LinkKind::Parent {
            return;
        }

        self.own = to_self(key);
        let model = position::<D, P>();
        let held = &self.differ.held[model];
        if held.is_empty() {
            return;
        }

        let parents: &Table<P> = self.differ.target.table();
        for (place, row) in self.deletes.iter().enumerate() {
            key.each(&self.children.rows()[*row as usize], |named| {
                let new = parents.position(named).and_then(|parent| held.get(&parent));
                self.held.extend(new.map(|new| (place, *new)));
            });
        }
    }
}

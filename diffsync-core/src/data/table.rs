//! A table: all records of one model on one side.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{LazyLock, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::model::flags::Flags;
use crate::model::{AsKey, ModelExt, SyncModel};

/// One hash function for all tables, so that a key hashed once can be looked up on both sides.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// All records of one model on one side, in the order they were loaded, found by identifier.
///
/// Loading never stops at a bad record: a second record with the same identifier is set aside, and all problems of a data
/// set are reported together once it is loaded.
///
/// ```
/// use diffsync_core::{SyncModel, Table};
///
/// #[derive(SyncModel)]
/// struct Country {
///     #[sync(id)]
///     slug: String,
///     population: u64,
/// }
///
/// let mut countries = Table::default();
/// countries.insert(Country { slug: "niue".into(), population: 1_619 });
/// countries.modify("niue", |country| country.population += 1);
/// assert_eq!(countries.get("niue").unwrap().population, 1_620);
/// ```
pub struct Table<M: SyncModel> {
    rows: Vec<M>,
    /// Row positions by the hash of the row's key; the keys themselves are only in the rows.
    index: HashTable<u32>,
    state: LoadState,
    duplicates: Vec<M>,
    rejected: Vec<(M::Id, String)>,
    /// The identifiers of both, computed at the first use.
    unusable: OnceLock<HashSet<M::Id>>,
    flags: Flags,
    record_flags: HashMap<M::Id, Flags>,
    /// Whether the table is complete although it is left out.
    whole: bool,
    /// The columns and keys of the system's records that the model does not know.
    unknown: BTreeSet<String>,
    /// What the system holds with single records, besides their values.
    beside: HashMap<M::Id, &'static str>,
}

/// Whether a table was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LoadState {
    /// Nothing was loaded, for no known reason. This is not the same as a system without records.
    #[default]
    NotLoaded,
    /// The table holds what the system holds.
    Loaded,
    /// The loader left the model out, with its reason.
    Skipped(String),
}

impl<M: SyncModel> Default for Table<M> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            index: HashTable::new(),
            state: LoadState::NotLoaded,
            duplicates: Vec::new(),
            rejected: Vec::new(),
            unusable: OnceLock::new(),
            flags: Flags::empty(),
            record_flags: HashMap::new(),
            whole: false,
            unknown: BTreeSet::new(),
            beside: HashMap::new(),
        }
    }
}

impl<M: SyncModel> Table<M> {
    /// Adds a record. If its identifier exists already, it is set aside and reported after the load.
    ///
    /// # Panics
    ///
    /// With more than 2³² − 1 records in one table.
    pub fn insert(&mut self, record: M) {
        self.mark_loaded();
        if let Err(duplicate) = self.try_insert(record) {
            self.duplicates.push(duplicate);
            self.unusable.take();
        }
    }

    /// Notes a column or a key of the system's records that the model does not know. It is lost when a record is deleted,
    /// and the undo plan says so.
    ///
    /// ```
    /// # use diffsync_core::{SyncModel, Table};
    /// # #[derive(SyncModel)]
    /// # struct Region { #[sync(id)] slug: String }
    /// let mut regions = Table::<Region>::default();
    /// regions.note_unknown_field("owner");
    /// assert_eq!(regions.unknown_fields().collect::<Vec<_>>(), ["owner"]);
    /// ```
    pub fn note_unknown_field(&mut self, name: impl Into<String>) {
        self.unknown.insert(name.into());
    }

    /// The columns and keys that were noted with [`note_unknown_field`](Self::note_unknown_field), sorted.
    pub fn unknown_fields(&self) -> impl Iterator<Item = &str> {
        self.unknown.iter().map(String::as_str)
    }

    /// Notes what the system holds with a record besides its values, such as `"their comments"` in a file. It is lost when
    /// the record is deleted, and the undo plan says so.
    pub fn note_beside(&mut self, id: M::Id, what: &'static str) {
        self.beside.insert(id, what);
    }

    pub(crate) fn held_beside(&self, id: &M::Id) -> Option<&'static str> {
        self.beside.get(id).copied()
    }

    /// The same table for another model. It keeps which records are rejected, duplicate or flagged, and whether the table
    /// was loaded or left out. `record` and `id` turn a record and an identifier into those of the other model.
    ///
    /// An adapter that wraps another one passes its tables on with this. Do not copy the records with [`iter`](Self::iter)
    /// instead: the rejected ones would be missing without notice, and be deleted in the target.
    ///
    /// ```
    /// # use diffsync_core::{SyncModel, Table};
    /// # mod yaml {
    /// #     #[derive(diffsync_core::SyncModel)]
    /// #     pub struct Device { #[sync(id)] pub name: String, pub mtu: u16 }
    /// # }
    /// # mod csv {
    /// #     #[derive(diffsync_core::SyncModel)]
    /// #     pub struct Device { #[sync(id)] pub name: String, pub mtu: u16 }
    /// # }
    /// let mut devices = Table::<yaml::Device>::default();
    /// devices.insert(yaml::Device { name: "edge-01".into(), mtu: 1500 });
    /// devices.reject(yaml::DeviceId::new("edge-02"), "its MTU is not a number");
    ///
    /// let devices: Table<csv::Device> = devices.map(
    ///     |device| csv::Device { name: device.name, mtu: device.mtu },
    ///     |id| csv::DeviceId::new(id.name),
    /// );
    /// assert_eq!(devices.get("edge-01").unwrap().mtu, 1500);
    /// assert_eq!(devices.rejections().map(|(id, why)| format!("{id}: {why}")).collect::<Vec<_>>(), [
    ///     "edge-02: its MTU is not a number"
    /// ]);
    /// ```
    #[must_use]
    pub fn map<N: SyncModel>(self, mut record: impl FnMut(M) -> N, mut id: impl FnMut(M::Id) -> N::Id) -> Table<N> {
        let mut table = Table::<N>::default();
        table.rows.reserve(self.rows.len());
        for row in self.rows {
            table.insert(record(row));
        }

        table.duplicates.extend(self.duplicates.into_iter().map(record));
        table.rejected.extend(self.rejected.into_iter().map(|(rejected, reason)| (id(rejected), reason)));
        table.beside.extend(self.beside.into_iter().map(|(beside, what)| (id(beside), what)));
        for (flagged, flags) in self.record_flags {
            table.flag(id(flagged), flags);
        }

        table.state = self.state;
        table.flags = self.flags;
        table.whole = self.whole;
        table.unknown = self.unknown;
        table
    }

    /// The records that were rejected, each with the reason.
    pub fn rejections(&self) -> impl Iterator<Item = (&M::Id, &str)> {
        self.rejected.iter().map(|(id, reason)| (id, reason.as_str()))
    }

    /// Adds a record unless its identifier exists already, and returns whether it was added.
    pub fn insert_if_absent(&mut self, record: M) -> bool {
        self.mark_loaded();
        self.try_insert(record).is_ok()
    }

    fn try_insert(&mut self, record: M) -> Result<(), M> {
        let Self { rows, index, .. } = self;
        let entry = index.entry(
            hash::<M>(record.key()),
            |&row| rows[row as usize].is(record.key()),
            |&row| hash::<M>(rows[row as usize].key()),
        );
        match entry {
            Entry::Occupied(_) => Err(record),
            Entry::Vacant(place) => {
                place.insert(position_after(rows.len()));
                rows.push(record);
                Ok(())
            }
        }
    }

    /// The record that `name` names.
    pub fn get<N: AsKey<M> + ?Sized>(&self, name: &N) -> Option<&M> {
        let row = self.position(name.key()?)?;
        self.rows.get(row as usize)
    }

    /// Whether there is a record that `name` names.
    pub fn contains<N: AsKey<M> + ?Sized>(&self, name: &N) -> bool {
        self.get(name).is_some()
    }

    /// Changes the record that `name` names, and returns what `change` returns, or `None` if there is no such record.
    ///
    /// If the identifier itself is changed, the record is found under the new one from then on; if that is taken, the
    /// record is set aside as a duplicate and reported after the load.
    pub fn modify<N: AsKey<M> + ?Sized, R>(&mut self, name: &N, change: impl FnOnce(&mut M) -> R) -> Option<R> {
        let row = self.position(name.key()?)?;
        let record = self.rows.get_mut(row as usize)?;
        let before = record.id();
        let result = change(record);

        let kept = before.key().is_some_and(|before| record.is(before));
        if !kept && let Some(before) = before.key() {
            let moved = self.detach(row, before);
            self.insert(moved);
        }
        Some(result)
    }

    /// Removes the record that `name` names from the table, and returns it. The last record takes its place in the order.
    pub fn remove<N: AsKey<M> + ?Sized>(&mut self, name: &N) -> Option<M> {
        let key = name.key()?;
        let row = self.position(key)?;
        Some(self.detach(row, key))
    }

    /// Removes the row that is indexed under `key`.
    fn detach(&mut self, row: u32, key: M::Key<'_>) -> M {
        if let Ok(entry) = self.index.find_entry(hash::<M>(key), |&at| at == row) {
            entry.remove();
        }

        // The last row moves to the free place, so its index entry follows.
        let record = self.rows.swap_remove(row as usize);
        if let Some(last) = self.rows.get(row as usize) {
            let former = position_after(self.rows.len());
            if let Some(at) = self.index.find_mut(hash::<M>(last.key()), |&at| at == former) {
                *at = row;
            }
        }
        record
    }

    /// Marks the table as complete even if nothing was inserted: the system holds no such records.
    pub fn mark_loaded(&mut self) {
        if self.state == LoadState::NotLoaded {
            self.state = LoadState::Loaded;
        }
    }

    /// Leaves the model out of this run: its records on the other side are neither compared nor touched. It stays left
    /// out even if records are inserted before or after, since a partly read table must not count as complete.
    pub fn skip(&mut self, reason: impl Into<String>) {
        self.state = LoadState::Skipped(reason.into());
    }

    /// Leaves the model out, loaded or not: its records are written back if the target is written as a whole.
    pub(crate) fn leave_out(&mut self, reason: &str) {
        self.whole |= self.state == LoadState::Loaded;
        self.skip(reason);
    }

    /// Whether the table is complete although it is left out.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Rejects a record that exists but cannot be used: neither it nor its children take part in the run.
    pub fn reject(&mut self, id: M::Id, reason: impl Into<String>) {
        self.mark_loaded();
        self.rejected.push((id, reason.into()));
        self.unusable.take();
    }

    /// Sets flags on all records of the table, including those inserted later, so that a variable can decide them.
    pub fn set_flags(&mut self, flags: Flags) {
        self.flags |= flags;
    }

    /// Sets flags on one record, even before it is inserted.
    pub fn flag(&mut self, id: M::Id, flags: Flags) {
        *self.record_flags.entry(id).or_default() |= flags;
    }

    /// The records in order.
    pub fn iter(&self) -> std::slice::Iter<'_, M> {
        self.rows.iter()
    }

    /// The number of records, each identifier counted once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the table was loaded, left out or never touched.
    #[must_use]
    pub fn state(&self) -> &LoadState {
        &self.state
    }

    pub(crate) fn flags(&self) -> Flags {
        self.flags
    }

    pub(crate) fn record_flags(&self) -> &HashMap<M::Id, Flags> {
        &self.record_flags
    }

    pub(crate) fn rows(&self) -> &[M] {
        &self.rows
    }

    pub(crate) fn into_rows(self) -> Vec<M> {
        self.rows
    }

    pub(crate) fn duplicates(&self) -> &[M] {
        &self.duplicates
    }

    pub(crate) fn rejected(&self) -> &[(M::Id, String)] {
        &self.rejected
    }

    /// The identifiers of unusable records without a row: rejected without being inserted, or set aside as duplicates of a
    /// record that was removed or renamed since.
    pub(crate) fn without_row(&self) -> HashSet<M::Id> {
        self.unusable().iter().filter(|id| !self.contains(*id)).cloned().collect()
    }

    /// Why the table does not know whether the system has a record with this identifier, or its values there.
    pub(crate) fn unknown(&self, id: &M::Id) -> Option<&'static str> {
        if self.state != LoadState::Loaded {
            return Some("did not load this model");
        }
        self.unusable().contains(id).then_some("holds it in a form that cannot be used")
    }

    /// The identifiers of the records that were rejected or set aside as duplicates.
    fn unusable(&self) -> &HashSet<M::Id> {
        self.unusable.get_or_init(|| {
            let rejected = self.rejected.iter().map(|(id, _)| id.clone());
            rejected.chain(self.duplicates.iter().map(ModelExt::id)).collect()
        })
    }

    /// The position of the row with this key.
    pub(crate) fn position(&self, key: M::Key<'_>) -> Option<u32> {
        self.position_hashed(hash::<M>(key), key)
    }

    pub(crate) fn position_hashed(&self, hash: u64, key: M::Key<'_>) -> Option<u32> {
        self.index.find(hash, |&row| self.rows[row as usize].is(key)).copied()
    }

    /// The record with this key.
    pub(crate) fn find(&self, key: M::Key<'_>) -> Option<&M> {
        self.position(key).map(|row| &self.rows[row as usize])
    }

    /// Changes each record without changing its identifier, except for its spelling. `change` also gets the other records.
    pub(crate) fn each_mut(&mut self, mut change: impl FnMut(&mut M, Others<'_, M>)) {
        for row in 0..self.rows.len() {
            let (before, rest) = self.rows.split_at_mut(row);
            let Some((record, after)) = rest.split_first_mut() else { return };
            change(record, Others { index: &self.index, before, after });
        }
    }

    /// The first row that may have this hash; the row itself is not read.
    pub(crate) fn candidate(&self, hash: u64) -> Option<u32> {
        self.index.find(hash, |_| true).copied()
    }

    /// Replaces the record with the same identifier, or adds the record.
    pub(crate) fn replace(&mut self, record: M) {
        match self.position(record.key()) {
            Some(row) => self.rows[row as usize] = record,
            None => self.insert(record),
        }
    }

    /// Frees the spare memory.
    pub(crate) fn shrink(&mut self) {
        let Self { rows, index, .. } = self;
        rows.shrink_to_fit();
        index.shrink_to_fit(|&row| hash::<M>(rows[row as usize].key()));
    }
}

/// The records of a table except one.
pub(crate) struct Others<'a, M> {
    index: &'a HashTable<u32>,
    before: &'a [M],
    after: &'a [M],
}

impl<'a, M: SyncModel> Others<'a, M> {
    /// The record with this key.
    pub(crate) fn find(&self, key: M::Key<'_>) -> Option<&'a M> {
        let at = |row: u32| match (row as usize).checked_sub(self.before.len()) {
            None => self.before.get(row as usize),
            Some(0) => None,
            Some(after) => self.after.get(after - 1),
        };
        let row = self.index.find(hash::<M>(key), |row| at(*row).is_some_and(|record| record.is(key)))?;
        at(*row)
    }
}

/// The hash of a key, the same in every table of this process.
pub(crate) fn hash<M: SyncModel>(key: M::Key<'_>) -> u64 {
    HASHER.hash_one(key)
}

/// A position in a table. It always fits, since `insert` limits the number of records.
#[allow(clippy::cast_possible_truncation, reason = "a table holds at most 2^32 - 1 records")]
pub(crate) const fn row(position: usize) -> u32 {
    position as u32
}

#[allow(clippy::expect_used, reason = "documented at `insert`; a table of that size does not fit into memory")]
fn position_after(len: usize) -> u32 {
    u32::try_from(len).expect("a table holds at most 2^32 - 1 records")
}

impl<M: SyncModel> Extend<M> for Table<M> {
    /// Inserts the records; the table counts as loaded even if there are none.
    fn extend<I: IntoIterator<Item = M>>(&mut self, records: I) {
        self.mark_loaded();
        let records = records.into_iter();
        self.rows.reserve(records.size_hint().0);
        for record in records {
            self.insert(record);
        }
    }
}

impl<M: SyncModel> FromIterator<M> for Table<M> {
    fn from_iter<I: IntoIterator<Item = M>>(records: I) -> Self {
        let mut table = Self::default();
        table.extend(records);
        table
    }
}

impl<'a, M: SyncModel> IntoIterator for &'a Table<M> {
    type Item = &'a M;
    type IntoIter = std::slice::Iter<'a, M>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<M: SyncModel> fmt::Debug for Table<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("model", &M::NAME)
            .field("records", &self.rows.len())
            .field("state", &self.state)
            .field("duplicates", &self.duplicates.len())
            .field("rejected", &self.rejected.len())
            .finish_non_exhaustive()
    }
}

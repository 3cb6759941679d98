//! The current state of the target: the loaded records, with all writes since.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fixedbitset::FixedBitSet;

use crate::data::dataset::{Dataset, HasTable, LinksIn, ModelVisitor, position};
use crate::data::table::Table;
use crate::model::SyncModel;
use crate::model::schema::{Comparison, FieldSchema, ModelSchema};
use crate::plan::Plan;

/// The target's records during the execution of a plan.
///
/// Created and updated records are in a separate data set, so that the plan stays as it was reviewed. A record that the
/// target stored exactly as the source has it is not copied, only marked.
pub(crate) struct TargetState<'a, D: 'static> {
    plan: &'a Plan<D>,
    /// The records created and updated so far, as the target stored them, except those in `as_given`.
    written: D,
    /// For each model the rows of the source whose records the target stored exactly as they are.
    as_given: Vec<FixedBitSet>,
    /// For each model, how to decide whether two records without differences have the same values in all fields; `None` if
    /// that is not possible.
    sameness: Vec<Option<Sameness>>,
    /// For each model the rows of the target that were deleted.
    deleted: Vec<FixedBitSet>,
    /// For each model the records that the target stored under another identifier.
    renamed: Vec<Renamed>,
    /// The writes of the current group, which are not read before the group is done.
    news: Mutex<News<D>>,
}

/// The writes of one group.
struct News<D> {
    written: D,
    /// For each model the rows of the source whose records were stored exactly as they are.
    as_given: Vec<FixedBitSet>,
    /// The model and row of each record that was deleted.
    deleted: Vec<(usize, u32)>,
    /// The model, the source's row, the target's row and the row of `written` of each record that was renamed.
    renamed: Vec<(usize, u32, Option<u32>, u32)>,
}

/// The records of one model that the target stored under another identifier, as rows of `written`.
#[derive(Clone, Default)]
struct Renamed {
    /// By the source's rows.
    of_source: HashMap<u32, u32>,
    /// By the target's rows, for records that existed before.
    of_target: HashMap<u32, u32>,
    /// The target's rows of other records that they replaced.
    written_over: HashSet<u32>,
}

impl<'a, D: Dataset> TargetState<'a, D> {
    /// The target as it was loaded.
    pub(crate) fn new(plan: &'a Plan<D>) -> Self {
        let models = plan.diff().tables().len();
        let none = || vec![FixedBitSet::new(); models];

        Self {
            plan,
            written: D::default(),
            as_given: none(),
            sameness: sameness::<D>(),
            deleted: none(),
            renamed: vec![Renamed::default(); models],
            news: Mutex::new(News {
                written: D::default(),
                as_given: none(),
                deleted: Vec::new(),
                renamed: Vec::new(),
            }),
        }
    }

    pub(crate) fn plan(&self) -> &'a Plan<D> {
        self.plan
    }

    fn news(&self) -> MutexGuard<'_, News<D>> {
        // A panic elsewhere leaves the tables intact.
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a record that was created or updated. It can be read after [`take_over`](Self::take_over).
    pub(crate) fn store<M: SyncModel>(&self, record: M)
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let as_given = self.row_as_given(model, &record);
        let mut news = self.news();

        match as_given {
            Some(row) => news.as_given[model].grow_and_insert(row as usize),
            None => news.written.table_mut().replace(record),
        }
    }

    /// The row of the source that holds exactly this record, so that no copy of it is needed.
    fn row_as_given<M: SyncModel>(&self, model: usize, record: &M) -> Option<u32>
    where
        D: HasTable<M>,
    {
        let sameness = self.sameness[model].as_ref()?;
        let (source, written): (&Table<M>, &Table<M>) = (self.plan.source().table(), self.written.table());
        let row = source.position(record.key())?;

        let given = &source.rows()[row as usize];
        let mut is_same = written.position(record.key()).is_none();
        given.differences(record, &mut |_| is_same = false);
        (is_same && sameness.holds(given, record)).then_some(row)
    }

    /// Stores a record that the target stored under another identifier than the source's row has. `target` is the target's
    /// row, if the record existed before.
    pub(crate) fn store_renamed<M: SyncModel>(&self, model: usize, source: u32, target: Option<u32>, record: M)
    where
        D: HasTable<M>,
    {
        let mut news = self.news();
        let row = put::<M>(news.written.table_mut(), record);
        news.renamed.push((model, source, target, row));
    }

    /// Marks a row as deleted.
    pub(crate) fn delete(&self, model: usize, row: u32) {
        self.news().deleted.push((model, row));
    }

    /// Makes the writes of the last group readable.
    pub(crate) fn take_over(&mut self) {
        struct TakeOver<'a, D: 'static> {
            plan: &'a Plan<D>,
            written: &'a mut D,
            news: &'a mut News<D>,
            as_given: &'a mut [FixedBitSet],
            renamed: &'a mut [Renamed],
        }
        impl<D: Dataset> ModelVisitor<D> for TakeOver<'_, D> {
            fn visit<M: LinksIn<D>>(&mut self)
            where
                D: HasTable<M>,
            {
                let written: &mut Table<M> = self.written.table_mut();
                let (source, target): (&Table<M>, &Table<M>) = (self.plan.source().table(), self.plan.target().table());
                let news: &mut Table<M> = self.news.written.table_mut();
                let model = position::<D, M>();

                // A record that was stored again with other values is no longer as it was given.
                let as_given = &mut self.as_given[model];
                as_given.union_with(&self.news.as_given[model]);
                self.news.as_given[model].clear();
                if !as_given.is_clear() {
                    for row in news.rows().iter().filter_map(|record| source.position(record.key())) {
                        as_given.grow(row as usize + 1);
                        as_given.remove(row as usize);
                    }
                }

                // The first group is often all there is, so its table is not built a second time.
                let moved: Option<Vec<u32>> = if written.is_empty() {
                    *written = std::mem::take(news);
                    None
                } else {
                    Some(std::mem::take(news).into_rows().into_iter().map(|record| put(written, record)).collect())
                };

                for &(_, source_row, target_row, row) in self.news.renamed.iter().filter(|(its, ..)| *its == model) {
                    let row = moved.as_ref().map_or(row, |rows| rows[row as usize]);
                    let renamed = &mut self.renamed[model];
                    renamed.of_source.insert(source_row, row);
                    renamed.of_target.extend(target_row.map(|target_row| (target_row, row)));
                    renamed.written_over.extend(target.position(written.rows()[row as usize].key()));
                }
            }
        }

        let news = self.news.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (written, as_given, renamed) = (&mut self.written, &mut self.as_given, &mut self.renamed);
        D::visit_models(&mut TakeOver { plan: self.plan, written, news, as_given, renamed });

        news.renamed.clear();
        for (model, row) in news.deleted.drain(..) {
            self.deleted[model].grow_and_insert(row as usize);
        }
    }

    /// The record that was given to the target under this identifier, if the target stored it under another.
    pub(crate) fn renamed<M: SyncModel>(&self, key: M::Key<'_>) -> Option<&M>
    where
        D: HasTable<M>,
    {
        let renamed = &self.renamed[position::<D, M>()].of_source;
        if renamed.is_empty() {
            return None;
        }

        let (written, source): (&Table<M>, &Table<M>) = (self.written.table(), self.plan.source().table());
        written.rows().get(*renamed.get(&source.position(key)?)? as usize)
    }

    /// Whether the target replaced this row with another record.
    pub(crate) fn is_written_over(&self, model: usize, row: u32) -> bool {
        self.renamed[model].written_over.contains(&row)
    }

    /// The record with this identifier, if it was created or updated.
    pub(crate) fn written<M: SyncModel>(&self, key: M::Key<'_>) -> Option<&M>
    where
        D: HasTable<M>,
    {
        self.renamed::<M>(key).or_else(|| self.written_as(key))
    }

    /// The record that the target stored under this identifier, if it was created or updated.
    fn written_as<M: SyncModel>(&self, key: M::Key<'_>) -> Option<&M>
    where
        D: HasTable<M>,
    {
        let (written, source): (&Table<M>, &Table<M>) = (self.written.table(), self.plan.source().table());
        if let Some(record) = written.find(key) {
            return Some(record);
        }

        let as_given = &self.as_given[position::<D, M>()];
        if as_given.is_clear() {
            return None;
        }
        let row = source.position(key).filter(|row| as_given.contains(*row as usize))?;
        source.rows().get(row as usize)
    }

    /// The record with this identifier.
    pub(crate) fn get<M: SyncModel>(&self, key: M::Key<'_>) -> Option<&M>
    where
        D: HasTable<M>,
    {
        if let Some(renamed) = self.renamed::<M>(key) {
            return Some(renamed);
        }

        let target: &Table<M> = self.plan.target().table();
        let deleted = &self.deleted[position::<D, M>()];
        let is_there = |row: &u32| !deleted.contains(*row as usize);
        if let Some(written) = self.written_as(key) {
            // It may have been updated to remove its references, and then deleted.
            let is_there = deleted.is_clear() || target.position(key).is_none_or(|row| is_there(&row));
            return Some(written).filter(|_| is_there);
        }
        target.position(key).filter(is_there).map(|row| &target.rows()[row as usize])
    }

    /// All records of a model, in the order they were loaded, new ones last.
    pub(crate) fn records<M: SyncModel>(&self) -> impl Iterator<Item = &M>
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        let target: &Table<M> = self.plan.target().table();
        let model = position::<D, M>();
        let renamed = &self.renamed[model].of_target;
        let rows = (0u32..).zip(target.rows()).filter(move |(row, _)| !self.is_deleted(model, *row as usize));
        let kept = rows.map(move |(row, record)| {
            let now = if renamed.is_empty() { None } else { renamed.get(&row).copied() };
            let now = now.map(|row| &written.rows()[row as usize]);
            now.or_else(|| self.written_as(record.key())).unwrap_or(record)
        });
        // Nothing was done to duplicates: a file that is written from these records must not lose them.
        kept.chain(target.duplicates()).chain(self.created())
    }

    /// The records of a model that were created, those that the target stored otherwise than they were given last.
    pub(crate) fn created<M: SyncModel>(&self) -> impl Iterator<Item = &M>
    where
        D: HasTable<M>,
    {
        let (written, target): (&Table<M>, &Table<M>) = (self.written.table(), self.plan.target().table());
        let source: &Table<M> = self.plan.source().table();
        let model = position::<D, M>();
        let as_given = self.as_given[model].ones().map(|row| &source.rows()[row]);
        let as_given = as_given.filter(|record| target.position(record.key()).is_none());

        let updated: HashSet<u32> = self.renamed[model].of_target.values().copied().collect();
        let rows = (0u32..).zip(written.rows());
        let created = rows.filter(move |(row, record)| {
            target.position(record.key()).is_none() && (updated.is_empty() || !updated.contains(row))
        });
        as_given.chain(created.map(|(_, record)| record))
    }

    /// Whether any record of a model was created, updated or deleted.
    pub(crate) fn has_changed<M: SyncModel>(&self) -> bool
    where
        D: HasTable<M>,
    {
        let written: &Table<M> = self.written.table();
        let model = position::<D, M>();
        !written.is_empty() || !self.as_given[model].is_clear() || !self.deleted[model].is_clear()
    }

    /// Whether a row of the target was deleted.
    pub(crate) fn is_deleted(&self, model: usize, row: usize) -> bool {
        self.deleted[model].contains(row)
    }
}

/// The fields of two equal records that must still be compared as plain values: those whose types may treat values as
/// equal that are written differently. By their positions.
struct Sameness {
    identifiers: Vec<usize>,
    attributes: Vec<usize>,
}

impl Sameness {
    fn holds<M: SyncModel>(&self, one: &M, other: &M) -> bool {
        let is_same =
            |one: Result<_, _>, other: Result<_, _>| matches!((one, other), (Ok(one), Ok(other)) if one == other);
        self.identifiers.iter().all(|at| is_same(one.identifier(*at), other.identifier(*at)))
            && self.attributes.iter().all(|at| is_same(one.attribute(*at), other.attribute(*at)))
    }
}

/// For each model, how to decide whether two records without differences are the same. Every field must be compared by
/// `==` for that. An identifier with several spellings changes the comparison of the links to it, in any model.
fn sameness<D: Dataset>() -> Vec<Option<Sameness>> {
    let is_equal = |field: &FieldSchema| field.comparison == Comparison::Equal;
    let has_one_spelling = D::SCHEMAS.iter().all(|schema| schema.identifiers.iter().all(is_equal));
    let is_compared = |field: &FieldSchema| is_equal(field) && !field.when_some && !field.create_only;
    let is_whole = |schema: &&ModelSchema| schema.locals.is_empty() && schema.attributes.iter().all(is_compared);
    let to_be_asked = |fields: &[FieldSchema]| {
        let asked = fields.iter().enumerate().filter(|(_, field)| !is_exact(field.type_name));
        asked.map(|(position, _)| position).collect()
    };

    let sameness = |schema: &&ModelSchema| Sameness {
        identifiers: to_be_asked(schema.identifiers),
        attributes: to_be_asked(schema.attributes),
    };
    D::SCHEMAS.iter().map(|schema| Some(schema).filter(|its| has_one_spelling && is_whole(its)).map(sameness)).collect()
}

/// Whether two equal values of this type are always written alike. A user's own type may compare by another rule.
fn is_exact(type_name: &str) -> bool {
    const NAMES: [&str; 17] = [
        "String", "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
        "isize", "f32", "f64",
    ];
    let within = |outer| type_name.strip_prefix(outer).and_then(|its| its.strip_suffix('>'));
    within("Option<").or_else(|| within("Vec<")).map_or_else(|| NAMES.contains(&type_name), is_exact)
}

/// Replaces the record with the same identifier, or adds the record, and returns its row.
fn put<M: SyncModel>(table: &mut Table<M>, record: M) -> u32 {
    let row = table.position(record.key()).unwrap_or_else(|| crate::data::table::row(table.len()));
    table.replace(record);
    row
}

#[cfg(all(test, feature = "derive"))]
mod tests {
    use diffsync_derive::{Dataset, SyncModel};
    use serde::{Deserialize, Serialize};

    use super::*;

    /// An address that is the same in upper and lower case.
    #[derive(Clone, Serialize, Deserialize)]
    struct Mac(String);

    impl PartialEq for Mac {
        fn eq(&self, other: &Self) -> bool {
            self.0.eq_ignore_ascii_case(&other.0)
        }
    }

    #[derive(SyncModel, Clone)]
    struct Port {
        #[sync(id)]
        name: String,
        mac: Mac,
    }

    #[derive(Dataset, Default)]
    struct Ports {
        ports: Table<Port>,
    }

    fn port(name: &str, mac: &str) -> Port {
        Port { name: name.to_owned(), mac: Mac(mac.to_owned()) }
    }

    #[test]
    fn a_record_is_known_as_the_target_stored_it() {
        let names = ["as given", "otherwise", "changed again"];
        let source = Ports { ports: names.iter().map(|name| port(name, "AA")).collect() };
        let plan = Plan::new(source, Ports::default());
        let mut current = TargetState::new(&plan);
        for stored in [port("as given", "AA"), port("otherwise", "aa")] {
            current.store(stored);
        }
        current.store(port("changed again", "AA"));
        current.take_over();
        assert_eq!(current.as_given[0].count_ones(..), 2);

        current.store(port("changed again", "bb"));
        current.take_over();
        let stored = |row: usize| {
            let stored: &Port = current.written(plan.source().ports.rows()[row].key()).unwrap();
            stored.mac.0.as_str()
        };
        assert_eq!([0, 1, 2].map(stored), ["AA", "aa", "bb"]);
        assert_eq!(current.created::<Port>().count(), 3);
        let given = &plan.source().ports.rows()[0];
        assert!(std::ptr::eq(current.get(given.key()).unwrap(), given));
    }
}

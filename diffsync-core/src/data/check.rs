//! The check of a loaded data set. It finds all problems at once.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use crate::data::dataset::{
    Dataset, HasTable, KeyOf, LinkVisitor, LinksIn, ModelVisitor, position, to_self, visit_in_order,
};
use crate::data::graph::{add_descendants, circle_through, circles};
use crate::data::problem::{Problem, ProblemKind, SkippedModel};
use crate::data::refusal::Refusal;
use crate::data::side::Side;
use crate::data::table::{LoadState, Table, row};
use crate::model::schema::{LinkKind, LinkSchema};
use crate::model::{AsKey, ModelExt, SyncModel};

/// A data set that was loaded and checked.
pub(crate) struct Checked<D> {
    pub(crate) data: D,
    pub(crate) problems: Vec<Problem>,
    pub(crate) models: Vec<SideOfModel>,
    side: Side,
    /// Whether the table of a parent is not loaded on this side, so that the other side must be searched.
    asks_other: bool,
}

impl<D: Dataset> Checked<D> {
    /// Checks a data set by itself, and frees the spare memory of its tables.
    pub(crate) fn new(side: Side, mut data: D) -> Self {
        shrink(&mut data);
        let SideCheck { models, problems, asks_other, .. } = SideCheck::run(side, &data, None);
        Self { data, problems, models, side, asks_other }
    }

    /// Looks for parents on the other side if only that side loaded their table.
    pub(crate) fn ask_other(&mut self, other: &D) {
        if self.asks_other {
            let SideCheck { models, problems, .. } = SideCheck::run(self.side, &self.data, Some(other));
            (self.models, self.problems) = (models, problems);
        }
    }

    /// The compared tables that have unusable records.
    pub(crate) fn rejections(&self, other: &Self) -> impl Iterator<Item = Rejection> {
        let tables = self.models.iter().zip(&other.models).zip(D::SCHEMAS);
        tables.filter(|((table, other), _)| table.loaded && other.loaded && table.rejected() > 0).map(
            |((table, _), schema)| Rejection {
                side: self.side,
                model: schema.name,
                rejected: table.rejected(),
                records: table.records(),
            },
        )
    }
}

impl<D: Dataset> Checked<D> {
    /// The models that were left out.
    pub(crate) fn skipped_models(&self) -> std::vec::IntoIter<SkippedModel> {
        struct Skipped<'a, D>(Side, &'a D, Vec<SkippedModel>);
        impl<D> ModelVisitor<D> for Skipped<'_, D> {
            fn visit<M: LinksIn<D>>(&mut self)
            where
                D: HasTable<M>,
            {
                if let LoadState::Skipped(reason) = self.1.table().state() {
                    self.2.push(SkippedModel { model: M::NAME, side: self.0, reason: reason.clone() });
                }
            }
        }

        let mut skipped = Skipped(self.side, &self.data, Vec::new());
        D::visit_models(&mut skipped);
        skipped.2.into_iter()
    }

    /// What would be lost if the target were written as a whole: records without a row cannot be written back.
    pub(crate) fn unwritable(&self) -> Option<Refusal> {
        self.models.iter().zip(D::SCHEMAS).find_map(|(table, schema)| match table.rejected_without_row {
            _ if table.skipped => Some(Refusal::WouldLoseAll { model: schema.name }),
            0 => None,
            count => Some(Refusal::WouldLose { model: schema.name, count }),
        })
    }
}

/// How many of a table's records cannot be used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejection {
    pub(crate) side: Side,
    pub(crate) model: &'static str,
    pub(crate) rejected: usize,
    pub(crate) records: usize,
}

/// What the check found in one table.
#[derive(Debug, Default)]
pub(crate) struct SideOfModel {
    /// The rows that leave the diff.
    pub(crate) out: FixedBitSet,
    /// How many records cannot be used and have no row.
    rejected_without_row: usize,
    rows: usize,
    /// Whether the table was loaded; otherwise it was not checked.
    loaded: bool,
    /// Whether the loader left the model out.
    skipped: bool,
}

impl SideOfModel {
    /// The records of this table that leave the diff.
    pub(crate) fn rejected(&self) -> usize {
        self.out.count_ones(..) + self.rejected_without_row
    }

    /// The records of this table, usable or not.
    fn records(&self) -> usize {
        self.rows + self.rejected_without_row
    }
}

/// Frees the spare memory of the tables.
fn shrink<D: Dataset>(data: &mut D) {
    struct Shrink<'a, D>(&'a mut D);
    impl<D> ModelVisitor<D> for Shrink<'_, D> {
        fn visit<M: LinksIn<D>>(&mut self)
        where
            D: HasTable<M>,
        {
            self.0.table_mut().shrink();
        }
    }

    D::visit_models(&mut Shrink(data));
}

/// The check of one side. Parents are visited first, so that the children of a rejected record are known.
struct SideCheck<'a, D> {
    side: Side,
    data: &'a D,
    other: Option<&'a D>,
    models: Vec<SideOfModel>,
    problems: Vec<Problem>,
    asks_other: bool,
}

impl<'a, D: Dataset> SideCheck<'a, D> {
    fn run(side: Side, data: &'a D, other: Option<&'a D>) -> Self {
        let mut check = Self {
            side,
            data,
            other,
            models: D::SCHEMAS.iter().map(|_| SideOfModel::default()).collect(),
            problems: Vec::new(),
            asks_other: false,
        };
        visit_in_order(&mut check);
        check
    }
}

impl<D: Dataset> ModelVisitor<D> for SideCheck<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let (model, table): (_, &Table<M>) = (position::<D, M>(), self.data.table());
        if *table.state() == LoadState::Loaded {
            let mut check = TableCheck::<D, M> {
                side: self.side,
                data: self.data,
                other: self.other,
                table,
                models: &self.models,
                out: FixedBitSet::with_capacity(table.len()),
                problems: &mut self.problems,
                asks_other: &mut self.asks_other,
                own_links: Vec::new(),
            };
            check.loader_rejections();
            check.duplicates();
            M::visit_links(&mut check);
            check.among_themselves();

            let out = check.out;
            let rejected_without_row = table.without_row().len();
            self.models[model] =
                SideOfModel { out, rejected_without_row, rows: table.len(), loaded: true, skipped: false };
        }

        if matches!(table.state(), LoadState::Skipped(_)) && !table.is_whole() {
            self.models[model].skipped = true;
        }
    }
}

struct TableCheck<'a, D, M: SyncModel> {
    side: Side,
    data: &'a D,
    other: Option<&'a D>,
    table: &'a Table<M>,
    models: &'a [SideOfModel],
    out: FixedBitSet,
    problems: &'a mut Vec<Problem>,
    asks_other: &'a mut bool,
    /// The links to records of the same model.
    own_links: Vec<(&'static LinkSchema, KeyOf<M, M>)>,
}

impl<D, M: SyncModel> TableCheck<'_, D, M> {
    fn report(&mut self, record: String, kind: ProblemKind) {
        self.problems.push(Problem { side: self.side, model: M::NAME, record, kind });
    }

    fn loader_rejections(&mut self) {
        for (id, reason) in self.table.rejected() {
            self.report(id.to_string(), ProblemKind::Rejected { reason: reason.clone() });
            if let Some(row) = id.key().and_then(|key| self.table.position(key)) {
                self.out.insert(row as usize);
            }
        }
    }

    fn duplicates(&mut self) {
        // For each identifier: the first record that was set aside, and the number of records with it.
        let mut times: HashMap<M::Id, (usize, usize)> = HashMap::new();
        for (first, duplicate) in self.table.duplicates().iter().enumerate() {
            times.entry(duplicate.id()).or_insert((first, 1)).1 += 1;
        }

        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable_by_key(|(_, (first, _))| *first);

        for (id, (_, times)) in times {
            if let Some(row) = id.key().and_then(|key| self.table.position(key)) {
                self.out.insert(row as usize);
            }
            self.report(id.to_string(), ProblemKind::Duplicate { times });
        }
    }

    fn text(&self, row: u32) -> String {
        self.table.rows()[row as usize].id().to_string()
    }

    /// Finds the records that name a missing record, and the children of rejected records.
    fn links_up<P: SyncModel>(&mut self, link: &LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        let own: &Table<P> = self.data.table();
        let on_own_side = *own.state() == LoadState::Loaded;
        *self.asks_other |= !on_own_side;
        let lookup = if on_own_side { Some(own) } else { self.other.map(HasTable::table) };
        let Some(lookup) = lookup.filter(|table| *table.state() == LoadState::Loaded) else { return };

        // Only children follow a rejected record out of the diff; the diff decides whether a referenced record will exist.
        let follows = on_own_side && link.kind == LinkKind::Parent;
        let out_there = follows.then(|| &self.models[position::<D, P>()].out);
        let without_row = lookup.without_row();

        // Neighbours mostly share their parent, so the last one found is tried before the table is searched.
        let mut last: Option<u32> = None;
        let table = self.table;
        for (row, record) in (0u32..).zip(table.rows()) {
            if self.out.contains(row as usize) {
                continue;
            }

            let mut out = false;
            key.each(record, |named| {
                let near = last.filter(|&at| lookup.rows()[at as usize].is(named));
                let found = near.or_else(|| lookup.position(named));
                last = found.or(last);
                if let Some(found) = found {
                    out |= out_there.is_some_and(|out| out.contains(found as usize));
                } else if without_row.is_empty() || !without_row.contains(&P::to_id(named)) {
                    self.dangling::<P>(link, record, named);
                    out = true;
                } else {
                    out |= follows;
                }
            });

            // In the target, only records that the source does not have follow their parent; the diff handles them.
            if out && self.side == Side::Source {
                self.out.insert(row as usize);
            }
        }
    }

    fn dangling<P: SyncModel>(&mut self, link: &LinkSchema, record: &M, named: P::Key<'_>) {
        let missing = P::to_id(named).to_string();
        let kind = match link.kind {
            LinkKind::Parent => ProblemKind::Orphan { parent_model: P::NAME, parent: missing },
            LinkKind::Reference { .. } => ProblemKind::Dangling { referenced_model: P::NAME, referenced: missing },
        };
        self.report(record.id().to_string(), kind);
    }

    /// The identifiers of the rows of a circle; of a long circle, the first and the last.
    fn shortened(&self, circle: &[u32]) -> Vec<String> {
        const SHOWN: usize = 20;
        if circle.len() <= SHOWN {
            return circle.iter().map(|&row| self.text(row)).collect();
        }

        let (first, last) = (&circle[..SHOWN / 2], &circle[circle.len() - SHOWN / 2..]);
        let between = format!("… {} more …", circle.len() - SHOWN);
        let texts = |rows: &[u32]| rows.iter().map(|&row| self.text(row)).collect::<Vec<_>>();
        texts(first).into_iter().chain([between]).chain(texts(last)).collect()
    }

    /// Finds the circles within a model that links to itself and, in the source, all descendants of excluded records.
    fn among_themselves(&mut self) {
        let links = std::mem::take(&mut self.own_links);
        let table = self.table;

        let ordering: Vec<_> = links.iter().filter(|(link, _)| link.orders()).map(|(_, key)| *key).collect();
        let leads_to = |row: u32, to: &mut Vec<u32>| {
            for key in &ordering {
                key.each(&table.rows()[row as usize], |key| to.extend(table.position(key)));
            }
        };

        let circles = if ordering.is_empty() { Vec::new() } else { circles(row(table.len()), leads_to) };
        for rows in circles {
            let circle = circle_through(rows[0], &rows, leads_to);
            self.report(self.text(rows[0]), ProblemKind::Loop { path: self.shortened(&circle) });
            if self.side == Side::Source {
                self.out.extend(rows.iter().map(|&row| row as usize));
            }
        }

        // A broken link in the target is only a warning, so its descendants stay in.
        let parent = links.iter().find(|(link, _)| link.kind == LinkKind::Parent);
        if let (Side::Source, Some((_, KeyOf::One(parent)))) = (self.side, parent) {
            add_descendants(&mut self.out, |row| table.position(parent(&table.rows()[row])?));
        }
    }
}

impl<D, M: SyncModel> LinkVisitor<D, M> for TableCheck<'_, D, M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        self.links_up(link, key);
        self.own_links.extend(to_self(key).map(|key| (link, key)));
    }
}

/// The models that only one side loaded and that the other did not leave out, as `(model, side that lacks it)`.
pub(crate) fn half_loaded<D: Dataset>(source: &D, target: &D) -> Vec<(&'static str, Side)> {
    struct States<'a, D> {
        source: &'a D,
        target: &'a D,
        missing: Vec<(&'static str, Side)>,
    }
    impl<D> ModelVisitor<D> for States<'_, D> {
        fn visit<M: LinksIn<D>>(&mut self)
        where
            D: HasTable<M>,
        {
            match (self.source.table().state(), self.target.table().state()) {
                (LoadState::NotLoaded, LoadState::Loaded) => self.missing.push((M::NAME, Side::Source)),
                (LoadState::Loaded, LoadState::NotLoaded) => self.missing.push((M::NAME, Side::Target)),
                _ => {}
            }
        }
    }

    let mut states = States { source, target, missing: Vec::new() };
    D::visit_models(&mut states);
    states.missing
}

/// Whether no table of the data set was loaded or left out on purpose.
pub(crate) fn nothing_loaded<D: Dataset>(data: &D) -> bool {
    struct NothingLoaded<'a, D>(&'a D, bool);
    impl<D> ModelVisitor<D> for NothingLoaded<'_, D> {
        fn visit<M: LinksIn<D>>(&mut self)
        where
            D: HasTable<M>,
        {
            self.1 &= *self.0.table().state() == LoadState::NotLoaded;
        }
    }

    let mut all = NothingLoaded(data, true);
    D::visit_models(&mut all);
    all.1
}

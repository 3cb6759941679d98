//! The plan of a run: both sides and the diff between them.
//!
//! [`Plan`] is typed by its data set; a [`PlanView`] reads any plan, for reports and pages. A [`Diff`] lists what must change,
//! a [`DiffTree`] prints it, and [`Outcomes`] holds the outcome of each record. A [`Refusal`] is why a plan may not be
//! executed.

pub(crate) mod diff;
pub(crate) mod fit;
pub(crate) mod guard;
mod held;
pub(crate) mod hold_reason;
pub(crate) mod outcome;
mod reason;
pub(crate) mod record_ref;
pub(crate) mod scope;
pub(crate) mod target_state;
pub(crate) mod tree;

pub use self::diff::{Counts, Diff, DiffSummary, ModelSummary, TableDiff};
pub use self::hold_reason::HoldReason;
pub use self::outcome::{Outcome, OutcomeCounts, OutcomeKind, Outcomes};
pub use self::record_ref::RecordRef;
pub use self::tree::{DiffLine, DiffRow, DiffTree};
pub use crate::data::refusal::{Breach, Drift, Refusal};

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use fixedbitset::FixedBitSet;
use serde_json::Value;

use crate::data::check::{Checked, Rejection};
use crate::data::dataset::{At, Dataset, HasTable, KeyOf, LinkVisitor, LinksIn, Model, ModelVisitor};
use crate::data::problem::Problem;
use crate::data::side::Side;
use crate::data::table::{Table, row};
use crate::model::operation::Operation;
use crate::model::schema::{LinkKind, LinkSchema, ModelSchema};
use crate::model::{AsKey, ModelExt, SyncModel};
use crate::plan::diff::{Withheld, respell};
use crate::plan::fit::PlanFit;
use crate::plan::outcome::Task;
use crate::plan::scope::Scope;

/// Both sides of a run and the diff between them.
pub struct Plan<D: 'static> {
    source: D,
    target: D,
    diff: Diff,
    problems: Vec<Problem>,
    rejections: Vec<Rejection>,
    /// Why the target may not be written as a whole, if it would lose records.
    unwritable: Option<Refusal>,
    readers: Vec<&'static dyn ReadModel<D>>,
    /// For each model and each of its links, the position of the linked model.
    links: Vec<Vec<usize>>,
    /// Whether updates set exactly the source's values, even where an equal value would do.
    exact: bool,
    /// How the applied plan file fits the two sides.
    fit: Option<PlanFit>,
    /// The limits that it exceeds.
    breaches: Vec<Breach>,
    comparison: ComparisonId,
}

impl<D: Dataset> Plan<D> {
    /// A plan that was not computed by comparing: its updates set exactly the values in `source`.
    pub(crate) fn restored(
        mut source: D,
        mut target: Checked<D>,
        tables: Vec<TableDiff>,
        comparison: ComparisonId,
    ) -> Self {
        respell(&mut source, &target.data);

        let unwritable = target.unwritable();
        let problems = std::mem::take(&mut target.problems);
        let (readers, links) = (Self::readers(), Self::link_models());
        let mut plan = Self {
            source,
            target: target.data,
            diff: Diff::of(tables),
            problems,
            rejections: Vec::new(),
            unwritable,
            readers,
            links,
            exact: true,
            fit: None,
            breaches: Vec::new(),
            comparison,
        };

        plan.hold_under_twins();
        plan
    }

    /// Compares two data sets that were checked when they were loaded.
    pub(crate) fn between(
        mut source: Checked<D>,
        mut target: Checked<D>,
        scope: &Scope,
        comparison: ComparisonId,
    ) -> Self {
        source.ask_other(&target.data);
        target.ask_other(&source.data);

        let rejections = source.rejections(&target).chain(target.rejections(&source)).collect();
        let unwritable = target.unwritable();
        let problems = source.problems.drain(..).chain(target.problems.drain(..)).collect();

        // Names are respelled first, so that a difference in spelling is not an update.
        respell(&mut source.data, &target.data);
        let diff = Diff::between(&source, &target, scope);

        let (source, target) = (source.data, target.data);
        let (readers, links) = (Self::readers(), Self::link_models());
        Self {
            source,
            target,
            diff,
            problems,
            rejections,
            unwritable,
            readers,
            links,
            exact: false,
            fit: None,
            breaches: Vec::new(),
            comparison,
        }
    }

    fn link_models() -> Vec<Vec<usize>> {
        let position = |name: &str| D::SCHEMAS.iter().position(|schema| schema.name == name);
        let links =
            |schema: &&'static ModelSchema| schema.links.iter().filter_map(|link| position(link.model)).collect();
        D::SCHEMAS.iter().map(links).collect()
    }

    fn readers() -> Vec<&'static dyn ReadModel<D>> {
        struct Readers<D: 'static>(Vec<&'static dyn ReadModel<D>>);
        impl<D> ModelVisitor<D> for Readers<D> {
            fn visit<M: LinksIn<D>>(&mut self)
            where
                D: HasTable<M>,
            {
                self.0.push(&const { Model::<M>::NEW });
            }
        }

        let mut readers = Readers(Vec::new());
        D::visit_models(&mut readers);
        readers.0
    }

    /// What the source holds.
    pub fn source(&self) -> &D {
        &self.source
    }

    /// What the target held when it was loaded.
    pub fn target(&self) -> &D {
        &self.target
    }

    /// What must change.
    pub fn diff(&self) -> &Diff {
        &self.diff
    }

    /// What is wrong with the two data sets.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the two data sets, the source's first.
    pub fn into_sides(self) -> (D, D) {
        (self.source, self.target)
    }

    /// Holds back all operations of one kind on a model.
    pub(crate) fn hold(&mut self, model: usize, operation: Operation) {
        self.diff.tables_mut()[model].withhold(operation, Withheld::Held(HoldReason::Guard));
    }

    /// Holds back a delete for a new record, which may be an ancestor of the deleted one.
    pub(crate) fn hold_for(&mut self, task: Task, new: RecordRef) {
        self.diff.tables_mut()[task.model].hold_for(task.place, new);
    }

    /// Calls `unchanged` with each record that is the same on both sides, as the source has it.
    pub(crate) fn unchanged(&self, mut unchanged: impl FnMut(RecordRef)) {
        for (model, table) in self.diff.tables().iter().enumerate() {
            if table.unchanged == 0 {
                continue;
            }

            let changed: FixedBitSet = table.updates.iter().map(|(row, _)| *row as usize).collect();
            let rows = (0..self.rows(Side::Source, model)).map(|row| RecordRef::new(Side::Source, model, row));
            let left = rows.filter(|record| !changed.contains(record.row() as usize) && !table.is_out(record.row()));
            left.filter(|record| self.counterpart(*record).is_some()).for_each(&mut unchanged);
        }
    }

    /// Whether updates set exactly the source's values, even where an equal value would do.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// The number of rows of a model on one side.
    pub(crate) fn rows(&self, side: Side, model: usize) -> u32 {
        self.readers[model].rows(self.data(side))
    }

    /// Calls `linked` with each record that a record names, on its side, and the link by which it does.
    pub(crate) fn links(&self, record: RecordRef, mut linked: impl FnMut(&'static LinkSchema, RecordRef)) {
        let RecordRef { side, at: At { model, row } } = record;
        self.readers[model].links(self.data(side), row, &mut |link, row| {
            let schema = &self.diff.tables()[model].schema().links[link];
            linked(schema, RecordRef::new(side, self.links[model][link], row));
        });
    }

    /// Calls `named` with each row of a model on one side that names a row of another. A duplicate without a row is reported
    /// with the row that has its identifier.
    pub(crate) fn all_links(&self, side: Side, model: usize, link: usize, named: &mut dyn FnMut(LinkedRow)) {
        self.readers[model].all_links(self.data(side), link, named);
    }

    /// The position of the model that a link leads to.
    pub(crate) fn linked_model(&self, model: usize, link: usize) -> usize {
        self.links[model][link]
    }

    /// The comparison that produced it.
    pub(crate) fn comparison(&self) -> ComparisonId {
        self.comparison
    }

    /// How the applied plan file fits the two sides.
    pub(crate) fn fit(&self) -> Option<&PlanFit> {
        self.fit.as_ref()
    }

    /// Sets how the applied plan file fits the two sides.
    pub(crate) fn set_fit(&mut self, fit: PlanFit) {
        self.fit = Some(fit);
    }

    /// Sets the limits that it exceeds.
    pub(crate) fn set_breaches(&mut self, breaches: Vec<Breach>) {
        self.breaches = breaches;
    }

    /// The rows of both sides that have this identifier, the source's first.
    pub(crate) fn rows_of(&self, model: usize, id: &Value) -> Result<[Option<u32>; 2], serde_json::Error> {
        let reader = &self.readers[model];
        Ok([reader.row_of(&self.source, id)?, reader.row_of(&self.target, id)?])
    }

    /// The text of an identifier that a plan holds, as reports show it.
    pub(crate) fn name_of(&self, model: usize, id: &Value) -> Result<String, serde_json::Error> {
        self.readers[model].name_of(id)
    }

    /// Why it is unknown whether a side has a record with this identifier, the source's first.
    pub(crate) fn unknown(&self, model: usize, id: &Value) -> Result<[Option<&'static str>; 2], serde_json::Error> {
        let reader = &self.readers[model];
        Ok([reader.unknown(&self.source, id)?, reader.unknown(&self.target, id)?])
    }

    /// The positions of the attributes in which two records differ.
    pub(crate) fn differing(&self, source: RecordRef, target: RecordRef) -> Vec<usize> {
        let reader = &self.readers[source.at.model];
        reader.differing((&self.source, source.at.row), (&self.target, target.at.row))
    }

    /// Leaves out the deletes of a model at these places.
    pub(crate) fn leave_out_deletes(&mut self, model: usize, places: &FixedBitSet) {
        if !places.is_clear() {
            self.diff.tables_mut()[model].leave_out_deletes(places);
        }
    }

    pub(crate) fn unwritable(&self) -> Option<Refusal> {
        self.unwritable.clone()
    }

    pub(crate) fn rejections(&self) -> &[Rejection] {
        &self.rejections
    }

    fn data(&self, side: Side) -> &D {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

impl<D> fmt::Debug for Plan<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("diff", &self.diff).field("problems", &self.problems).finish_non_exhaustive()
    }
}

/// Unique id of one comparison in this process. A run refuses a plan that another comparison computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ComparisonId(u64);

impl ComparisonId {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// A plan of any data set, as reports, trees and pages read it. Values are copied only when they are read.
pub trait PlanView: Send + Sync {
    /// What must change.
    fn diff(&self) -> &Diff;
    /// What is wrong with the two data sets.
    fn problems(&self) -> &[Problem];
    /// The limits of the run that it exceeds, or for which operations are held; none before a run has checked them.
    fn breaches(&self) -> &[Breach];
    /// The identifier of a record, as text.
    fn record(&self, record: RecordRef) -> String;
    /// The identifier of a record as a plain value.
    ///
    /// # Errors
    ///
    /// If the identifier's own `Serialize` fails.
    fn identifier(&self, record: RecordRef) -> Result<Value, serde_json::Error>;
    /// An attribute of a record, by its position in the schema, as a plain value with its secrets redacted.
    ///
    /// # Errors
    ///
    /// If the attribute's own `Serialize` fails.
    fn attribute(&self, record: RecordRef, attribute: usize) -> Result<Value, serde_json::Error>;
    /// An attribute as an update of the target's record would leave it.
    ///
    /// # Errors
    ///
    /// As [`attribute`](Self::attribute).
    fn planned(&self, source: RecordRef, target: RecordRef, attribute: usize) -> Result<Value, serde_json::Error>;
    /// The record's parent, on its side.
    fn parent(&self, record: RecordRef) -> Option<RecordRef>;
    /// The record with the same identifier on the other side.
    fn counterpart(&self, record: RecordRef) -> Option<RecordRef>;
}

impl<D: Dataset> PlanView for Plan<D> {
    fn diff(&self) -> &Diff {
        &self.diff
    }

    fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    fn record(&self, record: RecordRef) -> String {
        self.readers[record.at.model].id_text(self.data(record.side), record.at.row)
    }

    fn identifier(&self, record: RecordRef) -> Result<Value, serde_json::Error> {
        self.readers[record.at.model].id_value(self.data(record.side), record.at.row)
    }

    fn attribute(&self, record: RecordRef, attribute: usize) -> Result<Value, serde_json::Error> {
        self.readers[record.at.model].attribute(self.data(record.side), record.at.row, attribute)
    }

    fn planned(&self, source: RecordRef, target: RecordRef, attribute: usize) -> Result<Value, serde_json::Error> {
        let reader = &self.readers[source.at.model];
        reader.planned((&self.source, source.at.row), (&self.target, target.at.row), attribute)
    }

    fn parent(&self, record: RecordRef) -> Option<RecordRef> {
        let mut parent = None;
        self.links(record, |link, linked| {
            if link.kind == LinkKind::Parent {
                parent = Some(linked);
            }
        });
        parent
    }

    fn counterpart(&self, record: RecordRef) -> Option<RecordRef> {
        let other = match record.side {
            Side::Source => Side::Target,
            Side::Target => Side::Source,
        };
        let row = self.readers[record.at.model].counterpart(self.data(record.side), record.at.row, self.data(other))?;
        Some(RecordRef::new(other, record.at.model, row))
    }
}

/// A row that names another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkedRow {
    /// The row that names the other.
    pub(crate) by: u32,
    /// Whether it is a duplicate of that row, which has no row of its own.
    pub(crate) duplicate: bool,
    /// The row that is named.
    pub(crate) row: u32,
}

/// Reads the records of one model.
trait ReadModel<D>: Sync {
    fn rows(&self, data: &D) -> u32;
    fn id_text(&self, data: &D, row: u32) -> String;
    fn attribute(&self, data: &D, row: u32, attribute: usize) -> Result<Value, serde_json::Error>;
    fn planned(&self, source: (&D, u32), target: (&D, u32), attribute: usize) -> Result<Value, serde_json::Error>;
    /// Each link of a row, by its position in the schema, and the row it leads to.
    fn links(&self, data: &D, row: u32, linked: &mut dyn FnMut(usize, u32));
    /// The same for one link of all rows.
    fn all_links(&self, data: &D, link: usize, named: &mut dyn FnMut(LinkedRow));
    fn counterpart(&self, data: &D, row: u32, other: &D) -> Option<u32>;
    fn id_value(&self, data: &D, row: u32) -> Result<Value, serde_json::Error>;
    fn name_of(&self, id: &Value) -> Result<String, serde_json::Error>;
    fn row_of(&self, data: &D, id: &Value) -> Result<Option<u32>, serde_json::Error>;
    fn unknown(&self, data: &D, id: &Value) -> Result<Option<&'static str>, serde_json::Error>;
    fn differing(&self, source: (&D, u32), target: (&D, u32)) -> Vec<usize>;
}

impl<D: HasTable<M>, M: LinksIn<D>> ReadModel<D> for Model<M> {
    fn rows(&self, data: &D) -> u32 {
        row(data.table().len())
    }

    fn id_text(&self, data: &D, row: u32) -> String {
        record::<D, M>(data, row).id().to_string()
    }

    fn attribute(&self, data: &D, row: u32, attribute: usize) -> Result<Value, serde_json::Error> {
        record::<D, M>(data, row).attribute(attribute)
    }

    fn planned(&self, source: (&D, u32), target: (&D, u32), attribute: usize) -> Result<Value, serde_json::Error> {
        record::<D, M>(source.0, source.1).planned(record::<D, M>(target.0, target.1), attribute)
    }

    fn links(&self, data: &D, row: u32, linked: &mut dyn FnMut(usize, u32)) {
        let records = std::slice::from_ref(record::<D, M>(data, row));
        M::visit_links(&mut Links { data, records, link: 0, wanted: None, found: |link, _, row| linked(link, row) });
    }

    fn all_links(&self, data: &D, wanted: usize, named: &mut dyn FnMut(LinkedRow)) {
        let table: &Table<M> = data.table();
        let mut found = |_, by, row| named(LinkedRow { by, duplicate: false, row });
        M::visit_links(&mut Links { data, records: table.rows(), link: 0, wanted: Some(wanted), found: &mut found });

        let duplicates = table.duplicates();
        let mut found = |_, by, row| {
            if let Some(by) = table.position(M::key(&duplicates[by as usize])) {
                named(LinkedRow { by, duplicate: true, row });
            }
        };
        M::visit_links(&mut Links { data, records: duplicates, link: 0, wanted: Some(wanted), found: &mut found });
    }

    fn id_value(&self, data: &D, row: u32) -> Result<Value, serde_json::Error> {
        serde_json::to_value(record::<D, M>(data, row).id())
    }

    fn name_of(&self, id: &Value) -> Result<String, serde_json::Error> {
        Ok(serde_json::from_value::<M::Id>(id.clone())?.to_string())
    }

    fn row_of(&self, data: &D, id: &Value) -> Result<Option<u32>, serde_json::Error> {
        let id: M::Id = serde_json::from_value(id.clone())?;
        Ok(id.key().and_then(|key| data.table().position(key)))
    }

    fn unknown(&self, data: &D, id: &Value) -> Result<Option<&'static str>, serde_json::Error> {
        Ok(data.table().unknown(&serde_json::from_value(id.clone())?))
    }

    fn differing(&self, source: (&D, u32), target: (&D, u32)) -> Vec<usize> {
        let mut positions = Vec::new();
        let (source, target) = (record::<D, M>(source.0, source.1), record::<D, M>(target.0, target.1));
        source.differences(target, &mut |position| positions.push(position));
        positions
    }

    fn counterpart(&self, data: &D, row: u32, other: &D) -> Option<u32> {
        let table: &Table<M> = other.table();
        table.position(record::<D, M>(data, row).key())
    }
}

fn record<D: HasTable<M>, M: SyncModel>(data: &D, row: u32) -> &M {
    &data.table().rows()[row as usize]
}

/// Calls `found` with the link, the position among the records and the row that it leads to.
struct Links<'a, D, M, F> {
    data: &'a D,
    records: &'a [M],
    /// The position of the current link, and of the only wanted one, if not all are.
    link: usize,
    wanted: Option<usize>,
    found: F,
}

impl<D, M: SyncModel, F: FnMut(usize, u32, u32)> LinkVisitor<D, M> for Links<'_, D, M, F> {
    fn visit<P: SyncModel>(&mut self, _: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        let link = self.link;
        self.link += 1;
        if self.wanted.is_some_and(|wanted| wanted != link) {
            return;
        }

        let table: &Table<P> = self.data.table();
        for (by, record) in (0u32..).zip(self.records) {
            key.each(record, |key| {
                if let Some(row) = table.position(key) {
                    (self.found)(link, by, row);
                }
            });
        }
    }
}

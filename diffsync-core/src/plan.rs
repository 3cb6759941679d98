//! The plan of a run: both sides and the diff between them.

use std::fmt;

use serde_json::Value;

use crate::check::{Checked, Rejection};
use crate::dataset::{At, Dataset, HasTable, KeyOf, LinkVisitor, LinksIn, Model, ModelVisitor};
use crate::diff::Diff;
use crate::model::SyncModel;
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::schema::LinkSchema;
use crate::step::Side;
use crate::table::Table;

/// Both sides of a run and the diff between them.
pub struct Plan<D: 'static> {
    source: D,
    target: D,
    diff: Diff,
    problems: Vec<Problem>,
    rejections: Vec<Rejection>,
    /// What the target would lose if it were written as a whole.
    unwritable: Option<Refusal>,
    readers: Vec<&'static dyn ReadModel<D>>,
}

impl<D: Dataset> Plan<D> {
    /// Checks and compares two data sets.
    ///
    /// A run checks when it loads, and compares in its third step. On its own this serves tests of models and adapters:
    ///
    /// ```
    /// use diffsync_core::{Dataset, Plan, SyncModel, Table};
    ///
    /// #[derive(SyncModel)]
    /// struct Region {
    ///     #[sync(id)]
    ///     slug: String,
    ///     name: String,
    /// }
    ///
    /// #[derive(Dataset, Default)]
    /// struct World {
    ///     regions: Table<Region>,
    /// }
    ///
    /// let (mut source, mut target) = (World::default(), World::default());
    /// source.regions.insert(Region { slug: "asia".into(), name: "Asia".into() });
    /// target.regions.insert(Region { slug: "asia".into(), name: "Azia".into() });
    ///
    /// let plan = Plan::new(source, target);
    /// assert_eq!(plan.diff().summary().total.update, 1);
    /// assert_eq!(plan.tree().to_string(), "~ region asia\n    name: \"Azia\" -> \"Asia\"\n");
    /// ```
    pub fn new(source: D, target: D) -> Self {
        Loaded::new(source, target).compare()
    }

    /// Compares two data sets that were checked when they were loaded.
    fn of(mut source: Checked<D>, mut target: Checked<D>) -> Self {
        source.ask_other(&target.data);
        target.ask_other(&source.data);
        let rejections = source.rejections(&target).chain(target.rejections(&source)).collect();
        let unwritable = target.unwritable();
        let problems = source.problems.drain(..).chain(target.problems.drain(..)).collect();
        let diff = Diff::between(&source, &target);
        let (source, target) = (source.data, target.data);
        Self { source, target, diff, problems, rejections, unwritable, readers: Self::readers() }
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

    /// Gives the two data sets back, the source's first.
    pub fn into_sides(self) -> (D, D) {
        (self.source, self.target)
    }

    /// The number of rows of a model on one side.
    pub(crate) fn rows(&self, side: Side, model: usize) -> u32 {
        self.readers[model].rows(self.data(side))
    }

    /// The records under which a side's duplicates live, each with the row that has the duplicate's identifier.
    pub(crate) fn parents_of_duplicates(&self, side: Side, model: usize) -> Vec<(RecordRef, RecordRef)> {
        let parents = self.readers[model].parents_of_duplicates(self.data(side)).into_iter();
        parents
            .filter_map(|(row, (name, parent_row))| {
                let parent = self.diff.tables().iter().position(|table| table.schema().name == name)?;
                Some((RecordRef::new(side, model, row), RecordRef::new(side, parent, parent_row)))
            })
            .collect()
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

/// Both sides, loaded, and ready to be compared.
pub struct Loaded<D> {
    source: Checked<D>,
    target: Checked<D>,
}

impl<D: Dataset> Loaded<D> {
    /// Checks two data sets, each by itself.
    pub fn new(source: D, target: D) -> Self {
        Self::of(Checked::new(Side::Source, source), Checked::new(Side::Target, target))
    }

    /// Two data sets that were checked when they were loaded.
    pub(crate) fn of(source: Checked<D>, target: Checked<D>) -> Self {
        Self { source, target }
    }

    /// What the source holds.
    pub fn source(&self) -> &D {
        &self.source.data
    }

    /// What the target holds.
    pub fn target(&self) -> &D {
        &self.target.data
    }

    /// Compares both sides.
    #[must_use]
    pub fn compare(self) -> Plan<D> {
        Plan::of(self.source, self.target)
    }
}

impl<D> fmt::Debug for Loaded<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").finish_non_exhaustive()
    }
}

/// A plan whose data set is not known: what reports, trees and pages read it through. Nothing is copied until asked for.
pub trait PlanView: Send + Sync {
    /// What must change.
    fn diff(&self) -> &Diff;
    /// What is wrong with the two data sets.
    fn problems(&self) -> &[Problem];
    /// The identifier of a record, as text.
    fn record(&self, record: RecordRef) -> String;
    /// An attribute of a record, by its position in the schema, as a plain value with its secrets redacted.
    ///
    /// # Errors
    ///
    /// If the attribute's own `Serialize` fails.
    fn attribute(&self, record: RecordRef, attribute: usize) -> Result<Value, serde_json::Error>;
    /// The record that this one lives under, on its side.
    fn parent(&self, record: RecordRef) -> Option<RecordRef>;
    /// The record with the same identifier on the other side.
    fn counterpart(&self, record: RecordRef) -> Option<RecordRef>;
}

/// A record of a plan, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordRef {
    pub(crate) side: Side,
    pub(crate) at: At,
}

impl RecordRef {
    pub(crate) fn new(side: Side, model: usize, row: u32) -> Self {
        Self { side, at: At { model, row } }
    }

    /// The side whose record it is.
    #[must_use]
    pub fn side(self) -> Side {
        self.side
    }

    /// The position of the record in its table.
    pub(crate) fn row(self) -> u32 {
        self.at.row
    }

    /// The position of its model among the diff's tables.
    #[must_use]
    pub fn model(self) -> usize {
        self.at.model
    }
}

impl<D: Dataset> PlanView for Plan<D> {
    fn diff(&self) -> &Diff {
        &self.diff
    }

    fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn record(&self, record: RecordRef) -> String {
        self.readers[record.at.model].id_text(self.data(record.side), record.at.row)
    }

    fn attribute(&self, record: RecordRef, attribute: usize) -> Result<Value, serde_json::Error> {
        self.readers[record.at.model].attribute(self.data(record.side), record.at.row, attribute)
    }

    fn parent(&self, record: RecordRef) -> Option<RecordRef> {
        let (name, row) = self.readers[record.at.model].parent(self.data(record.side), record.at.row)?;
        let model = self.diff.tables().iter().position(|table| table.schema().name == name)?;
        Some(RecordRef::new(record.side, model, row))
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

/// Reads records of one model, whichever it is.
trait ReadModel<D>: Sync {
    fn rows(&self, data: &D) -> u32;
    fn id_text(&self, data: &D, row: u32) -> String;
    fn attribute(&self, data: &D, row: u32, attribute: usize) -> Result<Value, serde_json::Error>;
    fn parent(&self, data: &D, row: u32) -> Option<(&'static str, u32)>;
    fn counterpart(&self, data: &D, row: u32, other: &D) -> Option<u32>;
    /// For each duplicate the row with its identifier, and the model and row of its parent.
    fn parents_of_duplicates(&self, data: &D) -> Vec<(u32, (&'static str, u32))>;
}

impl<D: HasTable<M>, M: LinksIn<D>> ReadModel<D> for Model<M> {
    fn rows(&self, data: &D) -> u32 {
        u32::try_from(data.table().len()).unwrap_or(u32::MAX)
    }

    fn id_text(&self, data: &D, row: u32) -> String {
        record::<D, M>(data, row).id().to_string()
    }

    fn attribute(&self, data: &D, row: u32, attribute: usize) -> Result<Value, serde_json::Error> {
        record::<D, M>(data, row).attribute(attribute)
    }

    fn parent(&self, data: &D, row: u32) -> Option<(&'static str, u32)> {
        parent::<D, M>(data, record::<D, M>(data, row))
    }

    fn counterpart(&self, data: &D, row: u32, other: &D) -> Option<u32> {
        let table: &Table<M> = other.table();
        table.position(record::<D, M>(data, row).key())
    }

    fn parents_of_duplicates(&self, data: &D) -> Vec<(u32, (&'static str, u32))> {
        let table: &Table<M> = data.table();
        let duplicates = table.duplicates().iter();
        duplicates.filter_map(|record| Some((table.position(record.key())?, parent::<D, M>(data, record)?))).collect()
    }
}

fn record<D: HasTable<M>, M: SyncModel>(data: &D, row: u32) -> &M {
    &data.table().rows()[row as usize]
}

/// The model and the row of the parent that `record` names, if the data set holds it.
pub(crate) fn parent<D, M: LinksIn<D>>(data: &D, record: &M) -> Option<(&'static str, u32)> {
    struct Parent<'a, D, M> {
        data: &'a D,
        record: &'a M,
        found: Option<(&'static str, u32)>,
    }
    impl<D, M: SyncModel> LinkVisitor<D, M> for Parent<'_, D, M> {
        fn visit<P: SyncModel>(&mut self, _: &'static LinkSchema, key: KeyOf<M, P>)
        where
            D: HasTable<P>,
        {
            let table: &Table<P> = self.data.table();
            key.each(self.record, |key| {
                if let Some(row) = table.position(key) {
                    self.found = Some((P::NAME, row));
                }
            });
        }
    }
    let mut parent = Parent { data, record, found: None };
    M::visit_links(&mut parent);
    parent.found
}

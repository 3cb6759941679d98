//! Plans that take back a run: what was deleted is built from the file, what was changed gets its former values, and what
//! was created is deleted, in a target that must still hold what the run left there.

use fixedbitset::FixedBitSet;
use serde_json::Value;

use super::SavedOperation;
use super::matching::{Chosen, Standing, Values, moved};
use super::without::{Rows, deletes_left_out, writes_left_out};
use crate::dataset::{Dataset, HasTable, LinksIn, ModelVisitor};
use crate::diff::{TableDiff, twins};
use crate::flags::Flags;
use crate::generated::AttributeValues;
use crate::model::{Names, SyncModel};
use crate::ops::Operation;
use crate::plan::RecordRef;
use crate::scope::Scope;
use crate::secret::with_secrets;
use crate::step::Side;
use crate::table::{Table, row};

/// What the target is to hold again, as far as it differs, and how to get there.
pub(crate) struct Restoring<D> {
    /// The records to create and update.
    pub(crate) source: D,
    pub(crate) tables: Vec<TableDiff>,
    pub(crate) standing: Standing,
}

impl Chosen {
    /// What is to be done to a target to take a run back.
    pub(crate) fn restore<D: Dataset>(&self, target: &D, scope: &Scope) -> Restoring<D> {
        let mut builder = Builder {
            chosen: self,
            scope,
            target,
            models: Vec::new(),
            restoring: Restoring { source: D::default(), tables: Vec::new(), standing: Standing::default() },
        };
        D::visit_models(&mut builder);
        builder.without_what_is_out()
    }
}

struct Builder<'a, D> {
    chosen: &'a Chosen,
    scope: &'a Scope,
    target: &'a D,
    models: Vec<Rows>,
    restoring: Restoring<D>,
}

/// What comes of one operation.
enum Step<M> {
    Create(M),
    /// The record as it is to be, the target's row and the attributes that change.
    Update(M, u32, Vec<usize>),
    Delete(u32),
    Done,
    Moved(String),
}

impl<D: Dataset> ModelVisitor<D> for Builder<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let mut diff = TableDiff::new(M::SCHEMA);
        let target: &Table<M> = self.target.table();
        let flags = RecordFlags { all: self.scope.flags | M::SCHEMA.flags | target.flags(), target };
        let mut rows = Rows::of(target.len());
        if flags.all.contains(Flags::IGNORE) {
            rows.ignored.insert_range(..);
        }
        for (id, _) in target.record_flags().iter().filter(|(_, flags)| flags.contains(Flags::IGNORE)) {
            rows.ignored.extend(id.key().and_then(|key| target.position(key)).map(|row| row as usize));
        }
        let mut prevented = FixedBitSet::with_capacity(target.len());
        // The rows of the target that an operation is about.
        let mut seen = FixedBitSet::with_capacity(target.len());
        let operations = self.chosen.application().plan.operations.iter().enumerate();
        for (at, operation) in operations.filter(|(_, operation)| operation.model == M::NAME) {
            let id = serde_json::from_value::<M::Id>(operation.id.clone()).ok();
            let asked = id.as_ref().map(|id| (flags.of(id), self.scope.filters_admit::<M>(operation.op, id)));
            let (flags, admitted) = asked.unwrap_or((Flags::empty(), true));
            let skipped = match operation.op {
                Operation::Create => flags.contains(Flags::SKIP_UNMATCHED_SRC),
                Operation::Delete => flags.contains(Flags::SKIP_UNMATCHED_DST),
                Operation::Update => false,
            };
            let is_out = skipped || !admitted || flags.contains(Flags::IGNORE);
            let source: &Table<M> = self.restoring.source.table();
            let step = match self.step::<M>(target, operation) {
                Step::Update(_, row, _) | Step::Delete(row) if seen.put(row as usize) => twice(),
                Step::Create(record) if source.position(record.key()).is_some() => twice(),
                step => step,
            };
            let new_row = row(source.len());
            match step {
                Step::Create(record) => {
                    diff.creates.push(new_row);
                    self.restoring.source.table_mut().insert(record);
                    rows.adds(at, is_out);
                }
                Step::Update(record, row, positions) => {
                    self.restoring.source.table_mut().insert(record);
                    diff.update((new_row, row), positions.into_iter());
                    rows.adds(at, is_out);
                }
                Step::Delete(row) => {
                    diff.deletes.push(row);
                    rows.deletes(row, skipped, !admitted);
                    prevented.set(row as usize, flags.contains(Flags::PREVENT_DESTROY));
                }
                Step::Done => self.restoring.standing.done += 1,
                Step::Moved(_) if is_out => self.restoring.standing.left_out += 1,
                Step::Moved(reason) => {
                    let record = id.map(|id| id.to_string());
                    self.restoring.standing.moved.push(moved(operation, record, reason));
                }
            }
        }
        diff.deletes.sort_unstable();
        diff.unchanged = target.len() - diff.updates.len() - diff.deletes.len();
        diff.prevent_deletes(diff.deletes.iter().map(|row| prevented.contains(*row as usize)).collect::<Vec<_>>());
        let twins = twins(self.restoring.source.table(), &diff.creates, target, &diff.deletes);
        let model = self.models.len();
        diff.hold_twins(twins.into_iter().map(|(place, row)| (place, RecordRef::new(Side::Source, model, row))));
        diff.withhold_unsupported(self.scope, model);
        self.restoring.tables.push(diff);
        self.models.push(rows);
    }
}

fn twice<M>() -> Step<M> {
    Step::Moved("the plan is about the same record before".into())
}

/// The flags of each record of the target, with what is set on all of them.
struct RecordFlags<'a, M: SyncModel> {
    all: Flags,
    target: &'a Table<M>,
}

impl<M: SyncModel> RecordFlags<'_, M> {
    fn of(&self, id: &M::Id) -> Flags {
        self.all | self.target.record_flags().get(id).copied().unwrap_or_default()
    }
}

impl<D: Dataset> Builder<'_, D> {
    /// Takes out what flags and filters leave out, with what needs it, and what would be written without something that
    /// it needs: what is neither in the target nor created again.
    fn without_what_is_out(mut self) -> Restoring<D> {
        deletes_left_out(self.target, &self.restoring.tables, &mut self.models);
        for (table, rows) in self.restoring.tables.iter_mut().zip(&self.models) {
            let places = table.deletes.iter().enumerate().filter(|(_, row)| rows.keeps(**row));
            let places: FixedBitSet = places.map(|(place, _)| place).collect();
            self.restoring.standing.left_out += places.count_ones(..);
            if !places.is_clear() {
                table.leave_out_deletes(&places);
            }
        }
        writes_left_out(&self.restoring, self.target, &mut self.models);
        D::visit_models(&mut Left {
            operations: &self.chosen.application().plan.operations,
            models: &self.models,
            model: 0,
            restoring: &mut self.restoring,
        });
        self.restoring
    }

    fn step<M: SyncModel>(&self, target: &Table<M>, operation: &SavedOperation) -> Step<M> {
        let Ok(id) = serde_json::from_value::<M::Id>(operation.id.clone()) else {
            return Step::Moved("its identifier is not one of this model".into());
        };
        let Some(row) = id.key().map(|key| target.position(key)) else {
            return Step::Moved("its identifier names nothing".into());
        };
        if let Some(why) = target.unknown(&id) {
            return Step::Moved(format!("the target {why}"));
        }
        let values = Values::new(M::SCHEMA, self.scope, &self.chosen.application().key, &operation.id);
        let Some(row) = row else {
            return match operation.op {
                Operation::Create => {
                    let record = M::from_values(id, &mut AttributeValues(operation.after.clone()));
                    record.map_or_else(|error| Step::Moved(format!("it cannot be built: {error}")), Step::Create)
                }
                Operation::Update => Step::Moved("the target no longer holds it".into()),
                Operation::Delete => Step::Done,
            };
        };
        let old = &target.rows()[row as usize];
        let differs = |then| values.written(then, |position| old.attribute(position));
        match operation.op {
            Operation::Create => match differs(&operation.after) {
                None => Step::Done,
                Some(differences) => Step::Moved(format!("the target holds it again, and {differences}")),
            },
            Operation::Update if differs(&operation.after).is_none() => Step::Done,
            Operation::Update | Operation::Delete => {
                if let Some(differences) = differs(&operation.before) {
                    return Step::Moved(format!("the target changed: {differences}"));
                }
                if operation.op == Operation::Delete {
                    return Step::Delete(row);
                }
                match changed::<M>(id, old, operation) {
                    Ok((record, positions)) => Step::Update(record, row, positions),
                    Err(error) => Step::Moved(format!("it cannot be built: {error}")),
                }
            }
        }
    }
}

/// The target's record with the values of an operation, and the positions of these.
fn changed<M: SyncModel>(id: M::Id, old: &M, operation: &SavedOperation) -> Result<(M, Vec<usize>), serde_json::Error> {
    let mut values = serde_json::Map::new();
    let mut positions = Vec::new();
    for (position, attribute) in M::SCHEMA.attributes.iter().enumerate() {
        let value: Value = match operation.after.get(attribute.name) {
            Some(value) => {
                positions.push(position);
                value.clone()
            }
            None => with_secrets(|| old.attribute(position))?,
        };
        values.insert(attribute.name.to_owned(), value);
    }
    Ok((M::from_values(id, &mut AttributeValues(values))?, positions))
}

/// Takes the rows of the source out that are not to be written.
struct Left<'a, D> {
    operations: &'a [SavedOperation],
    models: &'a [Rows],
    model: usize,
    restoring: &'a mut Restoring<D>,
}

impl<D: Dataset> ModelVisitor<D> for Left<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let rows = &self.models[self.model];
        let Restoring { source, tables, standing } = &mut *self.restoring;
        let (table, source): (_, &Table<M>) = (&mut tables[self.model], (*source).table());
        for row in rows.lacking.ones() {
            let (record, reason) = (source.rows()[row].id().to_string(), "what it needs is not there".to_owned());
            standing.moved.push(moved(&self.operations[rows.origins[row]], Some(record), reason));
        }
        table.unchanged += table.leave_out_writes(&rows.lacking);
        let left_out = rows.left_out.count_ones(..);
        table.left_out += left_out;
        standing.left_out += left_out;
        table.leave_out_writes(&rows.left_out);
        self.model += 1;
    }
}

//! Applying an undo plan: deleted records are built from the file, changed ones get their former values, and created ones
//! are deleted. The target must still hold what the run left there.

use fixedbitset::FixedBitSet;
use serde_json::Value;

use super::exclude::{ModelRows, deletes_left_out, writes_left_out};
use super::matching::{ValueComparison, drift};
use crate::data::dataset::{Dataset, HasTable, LinksIn, ModelVisitor, position};
use crate::data::side::Side;
use crate::data::table::{Table, row};
use crate::model::derive_support::AttributeValues;
use crate::model::flags::Flags;
use crate::model::operation::Operation;
use crate::model::{AsKey, ModelExt, SyncModel};
use crate::plan::RecordRef;
use crate::plan::diff::{TableDiff, twins};
use crate::plan::drift_check::DriftCheck;
use crate::plan::scope::Scope;
use crate::plan_file::operation::SavedOperation;
use crate::plan_file::selection::PlanSelection;
use crate::value::secret::with_secrets;

/// The records to restore in the target, and the operations that do it.
pub(crate) struct Rollback<D> {
    /// The records to create and update.
    pub(crate) source: D,
    pub(crate) tables: Vec<TableDiff>,
    pub(crate) drift_check: DriftCheck,
}

impl PlanSelection {
    /// The operations that undo a run in a target.
    pub(crate) fn rollback<D: Dataset>(&self, target: &D, scope: &Scope) -> Rollback<D> {
        let mut builder = RollbackBuilder {
            selection: self,
            scope,
            target,
            models: Vec::new(),
            rollback: Rollback { source: D::default(), tables: Vec::new(), drift_check: DriftCheck::default() },
        };
        D::visit_models(&mut builder);
        builder.without_what_is_out()
    }
}

struct RollbackBuilder<'a, D> {
    selection: &'a PlanSelection,
    scope: &'a Scope,
    target: &'a D,
    models: Vec<ModelRows>,
    rollback: Rollback<D>,
}

/// The result of matching one operation with the target.
enum RecordStep<M> {
    Create(M),
    /// The restored record, the target's row and the attributes that change.
    Update(M, u32, Vec<usize>),
    Delete(u32),
    Done,
    Drifted(String),
}

impl<D: Dataset> ModelVisitor<D> for RollbackBuilder<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let mut diff = TableDiff::new(M::SCHEMA);
        let target: &Table<M> = self.target.table();
        let flags = TargetFlags { all: self.scope.flags | M::SCHEMA.flags | target.flags(), target };

        let mut rows = ModelRows::of(target.len());
        if flags.all.contains(Flags::IGNORE) {
            rows.ignored.insert_range(..);
        }
        for (id, _) in target.record_flags().iter().filter(|(_, flags)| flags.contains(Flags::IGNORE)) {
            rows.ignored.extend(id.key().and_then(|key| target.position(key)).map(|row| row as usize));
        }

        let mut prevented = FixedBitSet::with_capacity(target.len());
        // The rows of the target that already have an operation.
        let mut seen = FixedBitSet::with_capacity(target.len());

        let operations = self.selection.request().plan.operations.iter().enumerate();
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

            let source: &Table<M> = self.rollback.source.table();
            let step = match self.step::<M>(target, operation) {
                RecordStep::Update(_, row, _) | RecordStep::Delete(row) if seen.put(row as usize) => twice(),
                RecordStep::Create(record) if source.position(record.key()).is_some() => twice(),
                step => step,
            };

            let new_row = row(source.len());
            match step {
                RecordStep::Create(record) => {
                    diff.creates.push(new_row);
                    self.rollback.source.table_mut().insert(record);
                    rows.adds(at, is_out);
                }
                RecordStep::Update(record, row, positions) => {
                    self.rollback.source.table_mut().insert(record);
                    diff.update((new_row, row), positions.into_iter());
                    rows.adds(at, is_out);
                }
                RecordStep::Delete(row) => {
                    diff.deletes.push(row);
                    rows.deletes(row, skipped, !admitted);
                    prevented.set(row as usize, flags.contains(Flags::PREVENT_DESTROY));
                }
                RecordStep::Done => self.rollback.drift_check.done += 1,
                RecordStep::Drifted(_) if is_out => self.rollback.drift_check.left_out += 1,
                RecordStep::Drifted(reason) => {
                    let record = id.map(|id| id.to_string());
                    self.rollback.drift_check.drift.push(drift(operation, record, reason));
                }
            }
        }

        diff.deletes.sort_unstable();
        diff.unchanged = target.len() - diff.updates.len() - diff.deletes.len();
        diff.prevent_deletes(diff.deletes.iter().map(|row| prevented.contains(*row as usize)).collect::<Vec<_>>());

        let twins = twins(self.rollback.source.table(), &diff.creates, target, &diff.deletes);
        let model = position::<D, M>();
        diff.hold_twins(twins.into_iter().map(|(place, row)| (place, RecordRef::new(Side::Source, model, row))));

        diff.withhold_unsupported(self.scope, model);
        self.rollback.tables.push(diff);
        self.models.push(rows);
    }
}

fn twice<M>() -> RecordStep<M> {
    RecordStep::Drifted("an earlier operation of the plan has the same record".into())
}

/// The flags of each record of the target, including those that are set on all of them.
struct TargetFlags<'a, M: SyncModel> {
    all: Flags,
    target: &'a Table<M>,
}

impl<M: SyncModel> TargetFlags<'_, M> {
    fn of(&self, id: &M::Id) -> Flags {
        self.all | self.target.record_flags().get(id).copied().unwrap_or_default()
    }
}

impl<D: Dataset> RollbackBuilder<'_, D> {
    /// Drops the operations that flags and filters leave out, with those that depend on them, and the operations that
    /// depend on a record that is neither in the target nor created again.
    fn without_what_is_out(mut self) -> Rollback<D> {
        deletes_left_out(self.target, &self.rollback.tables, &mut self.models);
        for (table, rows) in self.rollback.tables.iter_mut().zip(&self.models) {
            let places = table.deletes.iter().enumerate().filter(|(_, row)| rows.keeps(**row));
            let places: FixedBitSet = places.map(|(place, _)| place).collect();

            self.rollback.drift_check.left_out += places.count_ones(..);
            if !places.is_clear() {
                table.leave_out_deletes(&places);
            }
        }

        writes_left_out(&self.rollback.source, &self.rollback.tables, self.target, &mut self.models);

        D::visit_models(&mut ExcludedWrites {
            operations: &self.selection.request().plan.operations,
            models: &self.models,
            rollback: &mut self.rollback,
        });
        self.rollback
    }

    fn step<M: SyncModel>(&self, target: &Table<M>, operation: &SavedOperation) -> RecordStep<M> {
        let Ok(id) = serde_json::from_value::<M::Id>(operation.id.clone()) else {
            return RecordStep::Drifted("its identifier is not valid for this model".into());
        };

        let Some(row) = id.key().map(|key| target.position(key)) else {
            return RecordStep::Drifted("its identifier names no record".into());
        };

        if let Some(why) = target.unknown(&id) {
            return RecordStep::Drifted(format!("the target {why}"));
        }

        let values = ValueComparison::new(M::SCHEMA, self.scope, &self.selection.request().key, &operation.id);
        let Some(row) = row else {
            return match operation.op {
                Operation::Create => {
                    let record = M::from_values(id, &mut AttributeValues(operation.after.clone()));
                    record.map_or_else(
                        |error| RecordStep::Drifted(format!("it cannot be built: {error}")),
                        RecordStep::Create,
                    )
                }
                Operation::Update => RecordStep::Drifted("the target no longer holds it".into()),
                Operation::Delete => RecordStep::Done,
            };
        };

        let old = &target.rows()[row as usize];
        let differs = |then| values.written(then, |position| old.attribute(position));

        match operation.op {
            Operation::Create => match differs(&operation.after) {
                None => RecordStep::Done,
                Some(differences) => RecordStep::Drifted(format!("the target holds it again, and {differences}")),
            },
            Operation::Update if differs(&operation.after).is_none() => RecordStep::Done,
            Operation::Update | Operation::Delete => {
                if let Some(differences) = differs(&operation.before) {
                    return RecordStep::Drifted(format!("the target changed: {differences}"));
                }
                if operation.op == Operation::Delete {
                    return RecordStep::Delete(row);
                }
                match changed::<M>(id, old, operation) {
                    Ok((record, positions)) => RecordStep::Update(record, row, positions),
                    Err(error) => RecordStep::Drifted(format!("it cannot be built: {error}")),
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

/// Drops the writes of excluded rows of the source.
struct ExcludedWrites<'a, D> {
    operations: &'a [SavedOperation],
    models: &'a [ModelRows],
    rollback: &'a mut Rollback<D>,
}

impl<D: Dataset> ModelVisitor<D> for ExcludedWrites<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        let rows = &self.models[model];
        let Rollback { source, tables, drift_check } = &mut *self.rollback;
        let (table, source): (_, &Table<M>) = (&mut tables[model], (*source).table());

        for row in rows.lacking.ones() {
            let (record, reason) =
                (source.rows()[row].id().to_string(), "a record that it needs is missing".to_owned());
            drift_check.drift.push(drift(&self.operations[rows.origins[row]], Some(record), reason));
        }

        table.unchanged += table.leave_out_writes(&rows.lacking);

        let left_out = rows.left_out.count_ones(..);
        table.left_out += left_out;
        drift_check.left_out += left_out;
        table.leave_out_writes(&rows.left_out);
    }
}

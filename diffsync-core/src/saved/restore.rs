//! Plans that take back a run: what was deleted is built from the file, what was changed gets its former values, and what
//! was created is deleted, in a target that must still hold what the run left there.

use std::sync::Arc;

use serde_json::Value;

use super::SavedOperation;
use super::matching::{Chosen, HasSchemas, Standing, Values, moved};
use crate::dataset::{Dataset, HasTable, LinksIn, ModelVisitor};
use crate::diff::TableDiff;
use crate::generated::AttributeValues;
use crate::model::{Names, SyncModel};
use crate::ops::Operation;
use crate::schema::ModelSchema;
use crate::scope::Scope;
use crate::secret::with_secrets;
use crate::table::Table;

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
            model: 0,
            restoring: Restoring { source: D::default(), tables: Vec::new(), standing: Standing::default() },
        };
        D::visit_models(&mut builder);
        builder.restoring
    }
}

struct Builder<'a, D> {
    chosen: &'a Chosen,
    scope: &'a Scope,
    target: &'a D,
    model: usize,
    restoring: Restoring<D>,
}

struct Schemas<'a>(&'a [&'static ModelSchema]);

impl HasSchemas for Schemas<'_> {
    fn schema(&self, model: usize) -> &'static ModelSchema {
        self.0[model]
    }
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
        let operations = &self.chosen.application().plan.operations;
        for operation in operations.iter().filter(|operation| operation.model == M::NAME) {
            match self.step::<M>(target, operation) {
                Step::Create(record) => {
                    diff.creates.push(crate::table::row(HasTable::<M>::table(&self.restoring.source).len()));
                    self.restoring.source.table_mut().insert(record);
                }
                Step::Update(record, row, positions) => {
                    let at = crate::table::row(HasTable::<M>::table(&self.restoring.source).len());
                    self.restoring.source.table_mut().insert(record);
                    diff.update((at, row), positions.into_iter());
                }
                Step::Delete(row) => diff.deletes.push(row),
                Step::Done => self.restoring.standing.done += 1,
                Step::Moved(reason) => self.restoring.standing.moved.push(moved(operation, reason)),
            }
        }
        diff.deletes.sort_unstable();
        diff.unchanged = target.len() - diff.updates.len() - diff.deletes.len();
        diff.withhold_unsupported(self.scope, self.model);
        self.restoring.tables.push(diff);
        self.model += 1;
    }
}

impl<D: Dataset> Builder<'_, D> {
    fn step<M: SyncModel>(&self, target: &Table<M>, operation: &SavedOperation) -> Step<M> {
        let Ok(id) = serde_json::from_value::<M::Id>(operation.id.clone()) else {
            return Step::Moved("its identifier is not one of this model".into());
        };
        let Some(row) = id.key().map(|key| target.position(key)) else {
            return Step::Moved("its identifier names nothing".into());
        };
        let values = Values {
            plan: &Schemas(D::SCHEMAS),
            key: &self.chosen.application().key,
            model: self.model,
            id: Arc::from(operation.id.to_string()),
        };
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
        let differs = |then| values.differences(then, |position| old.attribute(position));
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

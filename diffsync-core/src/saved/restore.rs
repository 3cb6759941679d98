//! Plans that take back a run: what was deleted is built from the file, what was changed gets its former values, and what
//! was created is deleted, in a target that must still hold what the run left there.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;
use serde_json::Value;

use super::SavedOperation;
use super::matching::{Chosen, Standing, Values, moved};
use crate::dataset::{Dataset, HasTable, KeyOf, LinkVisitor, LinksIn, ModelVisitor};
use crate::diff::TableDiff;
use crate::flags::Flags;
use crate::generated::AttributeValues;
use crate::model::{Names, SyncModel};
use crate::ops::Operation;
use crate::schema::LinkSchema;
use crate::scope::Scope;
use crate::secret::with_secrets;
use crate::table::{LoadState, Table};

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
            origins: Vec::new(),
            restoring: Restoring { source: D::default(), tables: Vec::new(), standing: Standing::default() },
        };
        D::visit_models(&mut builder);
        builder.without_what_lacks_something()
    }
}

struct Builder<'a, D> {
    chosen: &'a Chosen,
    scope: &'a Scope,
    target: &'a D,
    model: usize,
    /// For each model the operation that each row of the source comes from.
    origins: Vec<Vec<usize>>,
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
        let mut origins = Vec::new();
        let operations = self.chosen.application().plan.operations.iter().enumerate();
        for (at, operation) in operations.filter(|(_, operation)| operation.model == M::NAME) {
            match self.step::<M>(target, operation) {
                Step::Create(record) => {
                    diff.creates.push(crate::table::row(HasTable::<M>::table(&self.restoring.source).len()));
                    self.restoring.source.table_mut().insert(record);
                    origins.push(at);
                }
                Step::Update(record, row, positions) => {
                    let row_of = crate::table::row(HasTable::<M>::table(&self.restoring.source).len());
                    self.restoring.source.table_mut().insert(record);
                    diff.update((row_of, row), positions.into_iter());
                    origins.push(at);
                }
                Step::Delete(row) => diff.deletes.push(row),
                Step::Done => self.restoring.standing.done += 1,
                Step::Moved(reason) => self.restoring.standing.moved.push(moved(operation, reason)),
            }
        }
        diff.deletes.sort_unstable();
        let of_all = self.scope.flags | M::SCHEMA.flags | target.flags();
        let prevented = diff.deletes.iter().map(|row| {
            let of_one = target.record_flags().get(&target.rows()[*row as usize].id()).copied().unwrap_or_default();
            (of_all | of_one).contains(Flags::PREVENT_DESTROY)
        });
        diff.prevent_deletes(prevented.collect::<Vec<_>>());
        diff.unchanged = target.len() - diff.updates.len() - diff.deletes.len();
        diff.withhold_unsupported(self.scope, self.model);
        self.restoring.tables.push(diff);
        self.origins.push(origins);
        self.model += 1;
    }
}

impl<D: Dataset> Builder<'_, D> {
    /// Takes out what would be written without something that it needs: what is neither in the target nor created again.
    fn without_what_lacks_something(mut self) -> Restoring<D> {
        let mut lacking: Vec<FixedBitSet> = self.origins.iter().map(|_| FixedBitSet::new()).collect();
        loop {
            let before: usize = lacking.iter().map(|rows| rows.count_ones(..)).sum();
            D::visit_models(&mut Lacking {
                restoring: &self.restoring,
                target: self.target,
                model: 0,
                rows: &mut lacking,
            });
            if lacking.iter().map(|rows| rows.count_ones(..)).sum::<usize>() == before {
                break;
            }
        }
        let operations = &self.chosen.application().plan.operations;
        for ((lacking, table), origins) in lacking.iter().zip(&mut self.restoring.tables).zip(&self.origins) {
            let reason = "what it needs is not there";
            let all = lacking.ones().map(|row| moved(&operations[origins[row]], reason.to_owned()));
            self.restoring.standing.moved.extend(all);
            table.unchanged += table.leave_out_writes(lacking);
        }
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

/// Finds the rows of the source that need something that will not be there.
struct Lacking<'a, D> {
    restoring: &'a Restoring<D>,
    target: &'a D,
    model: usize,
    /// For each model the rows that were found.
    rows: &'a mut [FixedBitSet],
}

impl<D: Dataset> ModelVisitor<D> for Lacking<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let table = &self.restoring.tables[self.model];
        let source: &Table<M> = self.restoring.source.table();
        let updates = table.updates.iter().enumerate().map(|(place, (row, _))| (*row, place)).collect();
        let mut needs = Needs {
            all: self,
            table,
            records: source.rows(),
            updates,
            found: FixedBitSet::with_capacity(source.len()),
        };
        M::visit_links(&mut needs);
        let found = needs.found;
        self.rows[self.model].union_with(&found);
        self.model += 1;
    }
}

struct Needs<'a, 'b, D, M> {
    all: &'a Lacking<'b, D>,
    table: &'a TableDiff,
    records: &'a [M],
    /// The place of each row that is an update.
    updates: HashMap<u32, usize>,
    found: FixedBitSet,
}

impl<D: Dataset, M: SyncModel> LinkVisitor<D, M> for Needs<'_, '_, D, M> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        let Some(model) = D::SCHEMAS.iter().position(|schema| schema.name == P::NAME) else { return };
        let (source, target): (&Table<P>, &Table<P>) = (self.all.restoring.source.table(), self.all.target.table());
        if !link.orders() || *target.state() != LoadState::Loaded {
            return;
        }
        let (diff, lacking) = (&self.all.restoring.tables[model], &self.all.rows[model]);
        let named = |position: usize| link.fields.contains(&self.table.schema().attributes[position].name);
        let fields: Vec<usize> = (0..self.table.schema().attributes.len()).filter(|at| named(*at)).collect();
        for (row, record) in (0u32..).zip(self.records) {
            // An update is only about what it changes.
            let update = self.updates.get(&row);
            if update.is_some_and(|place| !fields.iter().any(|at| self.table.is_changed(*place, *at))) {
                continue;
            }
            key.each(record, |named| {
                let created = source.position(named).is_some_and(|row| !lacking.contains(row as usize));
                let stays = || target.position(named).is_some_and(|row| diff.deletes.binary_search(&row).is_err());
                if !created && !stays() {
                    self.found.insert(row as usize);
                }
            });
        }
    }
}

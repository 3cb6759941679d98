//! Creating the undo plan of a run.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use serde_json::{Map, Value};

use crate::data::dataset::{Dataset, HasTable, LinksIn, ModelVisitor, position};
use crate::data::side::Side;
use crate::data::table::Table;
use crate::model::derive_support::AttributeValues;
use crate::model::operation::Operation;
use crate::model::{ModelExt, SyncModel};
use crate::plan::outcome::{Outcome, Outcomes, Task};
use crate::plan::target_state::TargetState;
use crate::plan::{PlanView, RecordRef};
use crate::plan_file::key::{PlanKey, holds_secret};
use crate::plan_file::log::nothing;
use crate::plan_file::operation::SavedOperation;
use crate::plan_file::{UndoPlan, Unrestorable};

/// The undo plan of an execution, in the order of the diff.
pub(crate) fn inverse<D: Dataset>(current: &TargetState<'_, D>, outcomes: &Outcomes, key: &PlanKey) -> UndoPlan {
    let mut inverting = UndoBuilder::of(current, outcomes, key, None);
    D::visit_models(&mut inverting);
    inverting.without_what_is_lost()
}

/// The undo plan of some operations of a running execution. An operation in `reopened` was logged before with another
/// outcome, so it is also logged if there is nothing to undo.
///
/// Only at the end is it known which records cannot be created again for lack of another one, so they are not left out.
pub(crate) fn inverse_of<D: Dataset>(
    current: &TargetState<'_, D>,
    outcomes: &Outcomes,
    key: &PlanKey,
    tasks: &[Task],
    reopened: &HashSet<Task>,
) -> UndoPlan {
    let mut inverting = UndoBuilder::of(current, outcomes, key, Some((tasks, reopened)));
    D::visit_models(&mut inverting);
    inverting.undo
}

struct UndoBuilder<'a, D: 'static> {
    current: &'a TargetState<'a, D>,
    outcomes: &'a Outcomes,
    key: &'a PlanKey,
    undo: UndoPlan,
    /// The operation that creates a record again.
    again: HashMap<RecordRef, usize>,
    needs: Vec<Need>,
    /// The only operations to undo, and those that were logged before.
    only: Option<(&'a [Task], &'a HashSet<Task>)>,
}

impl<'a, D: Dataset> UndoBuilder<'a, D> {
    fn of(
        current: &'a TargetState<'a, D>,
        outcomes: &'a Outcomes,
        key: &'a PlanKey,
        only: Option<(&'a [Task], &'a HashSet<Task>)>,
    ) -> Self {
        let (undo, again, needs) = (UndoPlan::default(), HashMap::new(), Vec::new());
        Self { current, outcomes, key, undo, again, needs, only }
    }

    /// The operations on a model that are to be undone.
    fn tasks(&self, model: usize) -> Box<dyn Iterator<Item = Task> + 'a> {
        if let Some((only, _)) = self.only {
            return Box::new(only.iter().copied().filter(move |task| task.model == model));
        }
        let table = &self.current.plan().diff().tables()[model];
        Box::new(Operation::ALL.into_iter().flat_map(move |operation| Task::all(model, operation, table)))
    }
}

/// A record that an operation needs in the target.
#[derive(Clone, Copy)]
struct Need {
    operation: usize,
    record: RecordRef,
    /// The record that is needed, and the fields that name it.
    needed: RecordRef,
    fields: &'static [&'static str],
}

impl<D: Dataset> ModelVisitor<D> for UndoBuilder<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        let plan = self.current.plan();
        let model = position::<D, M>();
        let table = &plan.diff().tables()[model];
        let (source, target): (&Table<M>, &Table<M>) = (plan.source().table(), plan.target().table());
        let before = self.undo.operations.len();
        let mut beside = BTreeSet::new();

        // A target that writes at complete may not have written the model at all.
        if self.outcomes.is_undone(model) {
            return;
        }

        for task in self.tasks(model) {
            let operations = self.undo.operations.len();
            let outcome = self.outcomes.get(task);
            let of = if task.operation == Operation::Delete { target } else { source };
            let row = task.record(table).row();

            if let Outcome::Unknown { .. } = outcome {
                self.lose(Some(row), of, format!("it is unknown whether it was {}d", task.operation));
                continue;
            }

            let was_loaded = task.in_target(table).map(|old| &target.rows()[old.row() as usize]);
            let is_known = was_loaded.is_some_and(|old| self.current.written::<M>(old.key()).is_some());
            if outcome.may_be_written() && !is_known {
                // A record that is to be deleted is updated first, to remove its references.
                let done = match task.operation {
                    Operation::Delete => "its references may have been removed".to_owned(),
                    operation => format!("it may have been {operation}d"),
                };
                self.lose(Some(row), of, format!("{done}: the target returned another record for it"));
            }

            match task.operation {
                Operation::Create => {
                    let record = &source.rows()[table.creates[task.place] as usize];
                    match self.current.renamed::<M>(record.key()) {
                        Some(stored) => self.undo_renamed(record, stored),
                        None => {
                            if let Some(stored) = self.current.written::<M>(record.key()) {
                                self.delete(stored);
                            }
                        }
                    }
                }
                Operation::Update => {
                    let (_, row) = table.updates[task.place];
                    let old = &target.rows()[row as usize];
                    if let Some(stored) = self.current.written::<M>(old.key()) {
                        let changed = |position| table.is_changed(task.place, position);
                        self.change_back(row, target, stored, &changed);
                        if !stored.is(old.key()) {
                            self.lose(Some(row), target, format!("the target holds it as {} now", stored.id()));
                        }
                    }
                }
                Operation::Delete if *outcome == Outcome::Cascaded => {
                    let reason = "the target deleted it with its parent".to_owned();
                    self.lose(Some(table.deletes[task.place]), target, reason);
                }
                Operation::Delete => {
                    let row = table.deletes[task.place];
                    let old = &target.rows()[row as usize];
                    if self.current.is_deleted(model, row as usize) {
                        self.create_again(row, target);
                        beside.extend(target.held_beside(&old.id()));
                    } else if self.current.is_written_over(model, row) {
                        self.lose(Some(row), target, "the target stored another record in its place".to_owned());
                    } else if let Some(stored) = self.current.written::<M>(old.key()) {
                        // Its references were removed, or a unique value was freed, before the delete.
                        self.change_back(row, target, stored, &|_| true);
                    }
                }
            }

            // The log may say otherwise of this record, so it must say that nothing is left to undo.
            if let (Some((_, reopened)), Some(old)) = (self.only, was_loaded)
                && reopened.contains(&task)
                && self.undo.operations.len() == operations
                && let Ok(id) = serde_json::to_value(old.id())
            {
                self.undo.operations.push(nothing(M::NAME, id));
            }
        }

        let created = self.undo.operations[before..].iter().any(|operation| operation.op == Operation::Create);
        if created && !M::SCHEMA.locals.is_empty() {
            let names: Vec<_> = M::SCHEMA.locals.iter().map(|field| format!("`{}`", field.name)).collect();
            self.lose::<M>(
                None,
                target,
                format!("records that are created again get new values for {}", names.join(", ")),
            );
        }

        for what in beside.into_iter().filter(|_| created) {
            self.lose::<M>(None, target, format!("records that are created again lose {what}"));
        }

        let unknown: Vec<_> = target.unknown_fields().map(|name| format!("`{name}`")).collect();
        if created && !unknown.is_empty() {
            let names = unknown.join(", ");
            self.lose::<M>(
                None,
                target,
                format!("records that are created again lose {names}, which the model does not know"),
            );
        }
    }
}

impl<D: Dataset> UndoBuilder<'_, D> {
    fn lose<M: SyncModel>(&mut self, row: Option<u32>, table: &Table<M>, reason: String) {
        let record = row.map(|row| table.rows()[row as usize].id().to_string());
        self.undo.unrestorable.push(Unrestorable { reason, model: M::NAME.to_owned(), record });
    }

    /// The attributes of a record that a predicate selects, by name, with their secrets sealed.
    fn values<M: SyncModel>(
        &self,
        record: &M,
        wanted: &dyn Fn(usize) -> bool,
    ) -> Result<(Value, Map<String, Value>), serde_json::Error> {
        let id = serde_json::to_value(record.id())?;
        let id_json: Arc<str> = id.to_string().into();

        let attributes = M::SCHEMA.attributes.iter().enumerate().filter(|(position, _)| wanted(*position));
        let value = |(position, attribute): (usize, &crate::model::schema::FieldSchema)| {
            let value = self.key.read_as_it_is(M::SCHEMA, &id_json, position, |position| record.attribute(position));
            Ok((attribute.name.to_owned(), value?))
        };

        let values = attributes.map(value).collect::<Result<_, serde_json::Error>>()?;
        Ok((id, values))
    }

    /// Undoes the create of a record that the target stored under another identifier. If that identifier belongs to an older
    /// record or another new one, deleting it would delete more than was created.
    fn undo_renamed<M: SyncModel>(&mut self, given: &M, stored: &M)
    where
        D: HasTable<M>,
    {
        let plan = self.current.plan();
        let (source, target): (&Table<M>, &Table<M>) = (plan.source().table(), plan.target().table());
        if target.position(stored.key()).is_none() && source.position(stored.key()).is_none() {
            return self.delete(stored);
        }

        let reason = format!("the target stored it as {}, which is also another record", stored.id());
        self.undo.unrestorable.push(Unrestorable {
            reason,
            model: M::NAME.to_owned(),
            record: Some(given.id().to_string()),
        });
    }

    /// A record whose values cannot be written to a file.
    fn unreadable<M: SyncModel>(&mut self, record: &M, error: &serde_json::Error) {
        let reason = format!("it cannot be undone, since its values cannot be serialised: {error}");
        self.undo.unrestorable.push(Unrestorable {
            reason,
            model: M::NAME.to_owned(),
            record: Some(record.id().to_string()),
        });
    }

    fn push(&mut self, op: Operation, model: &str, id: Value, before: Map<String, Value>, after: Map<String, Value>) {
        let model = model.to_owned();
        self.undo.operations.push(SavedOperation { op, model, id, cascaded: false, before, after });
    }

    fn delete<M: SyncModel>(&mut self, stored: &M) {
        match self.values(stored, &|_| true) {
            Ok((id, before)) => self.push(Operation::Delete, M::NAME, id, before, Map::new()),
            Err(error) => self.unreadable(stored, &error),
        }
    }

    /// Notes the records that the last operation, on this record, depends on.
    fn needs(&mut self, record: RecordRef) {
        let operation = self.undo.operations.len() - 1;
        let needs = &mut self.needs;
        self.current.plan().links(record, |link, needed| {
            if link.orders() {
                needs.push(Need { operation, record, needed, fields: link.fields });
            }
        });
    }

    /// Drops, in one walk, the operations that depend on a record that cannot be created again, directly or indirectly.
    fn without_what_is_lost(mut self) -> UndoPlan {
        let plan = self.current.plan();
        let mut needed_by: HashMap<RecordRef, Vec<usize>> = HashMap::new();
        for (at, need) in self.needs.iter().enumerate() {
            needed_by.entry(need.needed).or_default().push(at);
        }

        let mut out = FixedBitSet::with_capacity(self.undo.operations.len());
        let is_lost = |need: &Need| {
            let gone = self.current.is_deleted(need.needed.model(), need.needed.row() as usize);
            gone && !self.again.contains_key(&need.needed)
        };

        let mut open: VecDeque<usize> = (0..self.needs.len()).filter(|at| is_lost(&self.needs[*at])).collect();
        while let Some(at) = open.pop_front() {
            let Need { operation, record, needed, fields } = self.needs[at];
            if out.contains(operation) {
                continue;
            }

            let name = |record: RecordRef| plan.diff().tables()[record.model()].schema().name;
            let needed = format!("{} {}", name(needed), plan.record(needed));

            let saved = &mut self.undo.operations[operation];
            let reason = if saved.op == Operation::Create {
                out.insert(operation);
                open.extend(needed_by.get(&record).into_iter().flatten());
                format!("it cannot be created again without {needed}")
            } else {
                let changed: Vec<_> = fields.iter().filter(|field| saved.after.remove(**field).is_some()).collect();
                for field in &changed {
                    saved.before.remove(**field);
                }
                if changed.is_empty() {
                    continue;
                }

                out.set(operation, saved.after.is_empty());
                let names: Vec<_> = changed.iter().map(|field| format!("`{field}`")).collect();
                format!("{} cannot be restored without {needed}", names.join(", "))
            };

            let (model, record) = (name(record).to_owned(), Some(plan.record(record)));
            self.undo.unrestorable.push(Unrestorable { reason, model, record });
        }

        let mut place = 0..;
        self.undo.operations.retain(|_| place.next().is_none_or(|place| !out.contains(place)));
        self.undo
    }

    fn change_back<M: SyncModel>(&mut self, row: u32, target: &Table<M>, stored: &M, changed: &dyn Fn(usize) -> bool)
    where
        D: HasTable<M>,
    {
        let old = &target.rows()[row as usize];
        let both = self.values(stored, changed).and_then(|before| Ok((before, self.values(old, changed)?)));
        let ((id, mut before), (_, mut after)) = match both {
            Ok(both) => both,
            Err(error) => return self.unreadable(old, &error),
        };

        // Values that were restored since then need no change.
        after.retain(|name, value| {
            let differs = before.get(name) != Some(value);
            if !differs {
                before.remove(name);
            }
            differs
        });

        for secret in secrets(&after) {
            after.remove(&secret);
            before.remove(&secret);
            self.lose(Some(row), target, format!("`{secret}` is a secret"));
        }

        if !after.is_empty() {
            self.push(Operation::Update, M::NAME, id, before, after);
            self.needs(RecordRef::new(Side::Target, position::<D, M>(), row));
        }
    }

    fn create_again<M: SyncModel>(&mut self, row: u32, target: &Table<M>)
    where
        D: HasTable<M>,
    {
        let old = &target.rows()[row as usize];
        let (id, mut after) = match self.values(old, &|_| true) {
            Ok(values) => values,
            Err(error) => return self.unreadable(old, &error),
        };

        let secrets = secrets(&after);
        for secret in &secrets {
            after.remove(secret);
        }

        // A missing value is read as `null`, which not every attribute allows.
        match M::from_values(old.id(), &mut AttributeValues(after.clone())) {
            Ok(_) => {
                for secret in secrets {
                    self.lose(Some(row), target, format!("`{secret}` is a secret"));
                }
                self.push(Operation::Create, M::NAME, id, Map::new(), after);
                let record = RecordRef::new(Side::Target, position::<D, M>(), row);
                self.again.insert(record, self.undo.operations.len() - 1);
                self.needs(record);
            }
            Err(error) if secrets.is_empty() => {
                self.lose(Some(row), target, format!("it cannot be created again: {error}"));
            }
            Err(_) => {
                let names = secrets.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                self.lose(Some(row), target, format!("it cannot be created again without its secrets: {names}"));
            }
        }
    }
}

fn secrets(values: &Map<String, Value>) -> Vec<String> {
    values.iter().filter(|(_, value)| holds_secret(value)).map(|(name, _)| name.clone()).collect()
}

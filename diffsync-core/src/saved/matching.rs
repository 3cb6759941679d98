//! Which operations of a saved plan are found again unchanged, and what is different about the others.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::key::{PlanKey, holds_secret};
use super::{Application, Moved, SavedOperation, id_text};
use crate::dataset::Dataset;
use crate::diff::Withheld;
use crate::model::SyncModel;
use crate::ops::Operation;
use crate::outcome::Task;
use crate::plan::{Plan, PlanView, RecordRef};
use crate::schema::ModelSchema;
use crate::secret::{REDACTED, sealed};
use crate::step::Side;

/// Every operation that a plan asks of the target, as a saved plan holds it.
pub(super) fn asked<'a>(
    plan: &'a dyn PlanView,
    key: &'a PlanKey,
) -> impl Iterator<Item = Result<SavedOperation, serde_json::Error>> + 'a {
    let tables = plan.diff().tables().iter().enumerate();
    let tasks = tables.flat_map(|(model, table)| {
        Operation::ALL.into_iter().flat_map(move |operation| Task::all(model, operation, table))
    });
    tasks.filter_map(|task| saved(plan, key, task).transpose())
}

/// An operation as a saved plan holds it, if it is asked of the target.
fn saved(plan: &dyn PlanView, key: &PlanKey, task: Task) -> Result<Option<SavedOperation>, serde_json::Error> {
    let table = &plan.diff().tables()[task.model];
    let withheld = table.withheld(task.operation, task.place);
    if !matches!(withheld, None | Some(Withheld::Cascaded)) {
        return Ok(None);
    }
    let schema = table.schema();
    let record = task.record(table);
    let id = plan.identifier(record)?;
    let id_json: Arc<str> = id.to_string().into();
    let values = |read: &dyn Fn(usize) -> Result<Value, serde_json::Error>| {
        let positions = 0..schema.attributes.len();
        let changed = |position: &usize| task.operation != Operation::Update || table.is_changed(task.place, *position);
        let value = |position: usize| {
            let name = schema.attributes[position].name;
            let value = sealed(&key.seal(schema.name, &id_json, name), || read(position))?;
            Ok((name.to_owned(), value))
        };
        positions.filter(changed).map(value).collect::<Result<Map<_, _>, serde_json::Error>>()
    };
    let in_target = task.in_target(table);
    let before = match in_target {
        Some(old) => values(&|position| plan.attribute(old, position))?,
        None => Map::new(),
    };
    let after = match (task.operation, in_target) {
        (Operation::Update, Some(old)) => values(&|position| plan.planned(record, old, position))?,
        (Operation::Create, _) => values(&|position| plan.attribute(record, position))?,
        _ => Map::new(),
    };
    let cascaded = withheld == Some(Withheld::Cascaded);
    Ok(Some(SavedOperation { op: task.operation, model: schema.name.to_owned(), id, cascaded, before, after }))
}

/// The operations of a saved plan as a comparison looks them up: nothing else takes part in it.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    application: Application,
    /// The place of each operation in the plan, by what it does to which record.
    places: Arc<HashMap<(Operation, String, String), usize>>,
}

/// How the operations of a saved plan stand to what the two systems now hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Standing {
    /// The target holds already what these would bring about.
    pub(crate) done: usize,
    pub(crate) moved: Vec<Moved>,
}

impl Chosen {
    pub(crate) fn new(application: Application) -> Self {
        let operations = application.plan.operations.iter().enumerate();
        let places = operations.map(|(place, its)| ((its.op, its.model.clone(), its.id.to_string()), place)).collect();
        Self { application, places: Arc::new(places) }
    }

    pub(crate) fn application(&self) -> &Application {
        &self.application
    }

    fn get(&self, operation: Operation, model: &str, id: &str) -> Option<usize> {
        self.places.get(&(operation, model.to_owned(), id.to_owned())).copied()
    }

    /// Whether an operation stands in the plan, with these values before and after.
    pub(crate) fn admits<M: SyncModel>(
        &self,
        operation: Operation,
        record: &M,
        old: &M,
        changed: &dyn Fn(usize) -> bool,
    ) -> bool {
        let Ok(id) = serde_json::to_value(record.id()) else { return false };
        let id: Arc<str> = id.to_string().into();
        let Some(place) = self.get(operation, M::NAME, &id) else { return false };
        let saved = &self.application.plan.operations[place];
        let same = |values: &Map<String, Value>, read: &dyn Fn(usize) -> Result<Value, serde_json::Error>| {
            let attributes = M::SCHEMA.attributes.iter().enumerate();
            let mut compared = 0;
            let all = attributes.filter(|(position, _)| changed(*position)).all(|(position, attribute)| {
                compared += 1;
                let seal = self.application.key.seal(M::NAME, &id, attribute.name);
                let now = sealed(&seal, || read(position));
                now.is_ok_and(|now| values.get(attribute.name) == Some(&now))
            });
            all && compared == values.len()
        };
        let before = operation == Operation::Create || same(&saved.before, &|position| old.attribute(position));
        before
            && match operation {
                Operation::Create => same(&saved.after, &|position| record.attribute(position)),
                Operation::Update => same(&saved.after, &|position| record.planned(old, position)),
                Operation::Delete => true,
            }
    }

    /// How the operations stand to a plan that was made of nothing but them.
    pub(crate) fn standing<D: Dataset>(&self, plan: &Plan<D>) -> Standing {
        let operations = &self.application.plan.operations;
        let mut found = vec![false; operations.len()];
        let tables = plan.diff().tables().iter().enumerate();
        let tasks = tables.flat_map(|(model, table)| {
            Operation::ALL.into_iter().flat_map(move |operation| Task::all(model, operation, table))
        });
        for task in tasks {
            let table = &plan.diff().tables()[task.model];
            let cascaded = match table.withheld(task.operation, task.place) {
                None => false,
                Some(Withheld::Cascaded) => true,
                Some(_) => continue,
            };
            let Ok(id) = plan.identifier(task.record(table)) else { continue };
            if let Some(place) = self.get(task.operation, table.schema().name, &id.to_string()) {
                found[place] = operations[place].cascaded == cascaded;
            }
        }
        let mut standing = Standing::default();
        for (operation, _) in operations.iter().zip(found).filter(|(_, found)| !found) {
            match self.difference(plan, operation) {
                None => standing.done += 1,
                Some(reason) => standing.moved.push(moved(operation, reason)),
            }
        }
        standing
    }

    /// What is different about an operation that was not found again, or nothing if it is done.
    fn difference<D: Dataset>(&self, plan: &Plan<D>, operation: &SavedOperation) -> Option<String> {
        let Some(model) = D::SCHEMAS.iter().position(|schema| schema.name == operation.model) else {
            return Some("the job has no such model".into());
        };
        let Ok([source, target]) = plan.find(model, &operation.id) else {
            return Some("its identifier is not one of this model".into());
        };
        let values = Values { plan, key: &self.application.key, model, id: operation.id.to_string().into() };
        match operation.op {
            Operation::Create => match (source, target) {
                (_, Some(target)) => {
                    let differences = values.differences(&operation.after, |at| plan.attribute(target, at));
                    differences.map(|differences| format!("the target holds it already, and {differences}"))
                }
                (None, None) => Some("the source no longer holds it".into()),
                (Some(source), None) => Some(
                    values
                        .differences(&operation.after, |at| plan.attribute(source, at))
                        .unwrap_or_else(|| "what it needs is not there, or it is left out now".into()),
                ),
            },
            Operation::Update => {
                let Some(target) = target else { return Some("the target no longer holds it".into()) };
                let of_target = |at| plan.attribute(target, at);
                values.differences(&operation.after, of_target)?;
                if let Some(differences) = values.differences(&operation.before, of_target) {
                    return Some(format!("the target changed: {differences}"));
                }
                let Some(source) = source else { return Some("the source no longer holds it".into()) };
                let of_source = |at| plan.planned(source, target, at);
                let changed = values.differences(&operation.after, of_source);
                let changed = changed.map(|differences| format!("the source changed: {differences}"));
                Some(changed.unwrap_or_else(|| "other attributes are to change too, or it is left out now".into()))
            }
            Operation::Delete => {
                let target = target?;
                if source.is_some() {
                    return Some("the source holds it now".into());
                }
                let differences = values.differences(&operation.before, |at| plan.attribute(target, at));
                let changed = differences.map(|differences| format!("the target changed: {differences}"));
                Some(changed.unwrap_or_else(|| "it is held back or left out now, or goes with another record".into()))
            }
        }
    }
}

pub(super) fn moved(operation: &SavedOperation, reason: String) -> Moved {
    Moved { operation: operation.op, model: operation.model.clone(), record: id_text(&operation.id), reason }
}

/// Compares values of a saved plan with those of a record.
pub(super) struct Values<'a> {
    pub(super) plan: &'a dyn HasSchemas,
    pub(super) key: &'a PlanKey,
    pub(super) model: usize,
    pub(super) id: Arc<str>,
}

/// Knows the schemas of a data set.
pub(super) trait HasSchemas {
    fn schema(&self, model: usize) -> &'static ModelSchema;
}

impl<D: Dataset> HasSchemas for Plan<D> {
    fn schema(&self, model: usize) -> &'static ModelSchema {
        D::SCHEMAS[model]
    }
}

impl Values<'_> {
    /// The values in which a record differs, in words.
    pub(super) fn differences(
        &self,
        then: &Map<String, Value>,
        now: impl Fn(usize) -> Result<Value, serde_json::Error>,
    ) -> Option<String> {
        let schema = self.plan.schema(self.model);
        let mut texts = Vec::new();
        for (name, then) in then {
            let Some(position) = schema.attributes.iter().position(|attribute| attribute.name == name) else {
                texts.push(format!("`{name}` is no attribute"));
                continue;
            };
            let seal = self.key.seal(schema.name, &self.id, schema.attributes[position].name);
            match sealed(&seal, || now(position)) {
                Ok(now) if now == *then => {}
                Ok(now) => texts.push(format!("`{name}` is {} where the plan has {}", shown(&now), shown(then))),
                Err(error) => texts.push(format!("`{name}` cannot be read: {error}")),
            }
        }
        (!texts.is_empty()).then(|| texts.join(", "))
    }
}

fn shown(value: &Value) -> String {
    if holds_secret(value) { REDACTED.to_owned() } else { value.to_string() }
}

/// The records of both sides that have this identifier.
pub(crate) type Found = [Option<RecordRef>; 2];

impl<D: Dataset> Plan<D> {
    fn find(&self, model: usize, id: &Value) -> Result<Found, serde_json::Error> {
        let [source, target] = self.rows_of(model, id)?;
        let record = |side, row: Option<u32>| row.map(|row| RecordRef::new(side, model, row));
        Ok([record(Side::Source, source), record(Side::Target, target)])
    }
}

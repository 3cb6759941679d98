//! Matching the operations of a saved plan with a fresh diff, and the drift of those that no longer match.

use std::sync::Arc;

use fixedbitset::FixedBitSet;
use serde_json::{Map, Value};

use crate::data::dataset::Dataset;
use crate::data::refusal::Drift;
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::model::schema::ModelSchema;
use crate::plan::diff::Withheld;
use crate::plan::drift_check::DriftCheck;
use crate::plan::outcome::Task;
use crate::plan::scope::Scope;
use crate::plan::{Plan, PlanView, RecordRef};
use crate::plan_file::key::{PlanKey, holds_secret, in_one_order};
use crate::plan_file::operation::{SavedOperation, id_text};
use crate::plan_file::selection::PlanSelection;
use crate::value::secret::REDACTED;

impl PlanSelection {
    /// Leaves out the deletes whose kind has changed since the plan was saved: cascaded instead of single, or the reverse.
    pub(crate) fn leave_out_of<D: Dataset>(&self, plan: &mut Plan<D>) {
        for model in 0..plan.diff().tables().len() {
            let table = &plan.diff().tables()[model];
            let otherwise = Task::all(model, Operation::Delete, table).filter(|task| {
                let cascaded = table.withheld(task.operation, task.place) == Some(Withheld::Cascaded);
                let saved = plan.identifier(task.record(table)).ok();
                saved.and_then(|id| self.is_cascaded(table.schema().name, &id)) != Some(cascaded)
            });

            let otherwise: FixedBitSet = otherwise.map(|task| task.place).collect();
            plan.leave_out_deletes(model, &otherwise);
        }
    }

    /// How the saved operations match a plan that was limited to them.
    pub(crate) fn check_drift<D: Dataset>(&self, plan: &Plan<D>, scope: &Scope) -> DriftCheck {
        let operations = &self.request().plan.operations;
        let mut found = vec![false; operations.len()];

        let tables = plan.diff().tables().iter().enumerate();
        let tasks = tables.flat_map(|(model, table)| {
            Operation::ALL.into_iter().flat_map(move |operation| Task::all(model, operation, table))
        });

        for task in tasks {
            let table = &plan.diff().tables()[task.model];
            if !matches!(table.withheld(task.operation, task.place), None | Some(Withheld::Cascaded)) {
                continue;
            }

            let Ok(id) = plan.identifier(task.record(table)) else { continue };
            if let Some(place) = self.get(task.operation, table.schema().name, &id.to_string()) {
                found[place] = true;
            }
        }

        let mut check = DriftCheck::default();
        for (operation, _) in operations.iter().zip(found).filter(|(_, found)| !found) {
            match self.difference(plan, scope, operation) {
                None => check.done += 1,
                Some(reason) => {
                    let model = D::SCHEMAS.iter().position(|schema| schema.name == operation.model);
                    let record = model.and_then(|model| plan.name_of(model, &operation.id).ok());
                    check.drift.push(drift(operation, record, reason));
                }
            }
        }
        check
    }

    /// The drift of an operation that did not match, or `None` if it is done already.
    fn difference<D: Dataset>(&self, plan: &Plan<D>, scope: &Scope, operation: &SavedOperation) -> Option<String> {
        let Some(model) = D::SCHEMAS.iter().position(|schema| schema.name == operation.model) else {
            return Some("the job has no such model".into());
        };
        let Ok(Counterparts { rows: [source, target], unknown: [source_unknown, target_unknown] }) =
            plan.find(model, &operation.id)
        else {
            return Some("its identifier is not valid for this model".into());
        };

        if let Some(why) = target_unknown {
            return Some(format!("the target {why}"));
        }

        let values = ValueComparison::new(D::SCHEMAS[model], scope, &self.request().key, &operation.id);

        let drift = match (operation.op, target) {
            (Operation::Create, None) => None,
            (Operation::Delete, None) => return None,
            (Operation::Update, None) => Some("the target no longer holds it".into()),
            (Operation::Delete, Some(target)) => {
                let differences = values.differences(&operation.before, |at| plan.attribute(target, at));
                differences.map(|differences| format!("the target changed: {differences}"))
            }
            (Operation::Create | Operation::Update, Some(target)) => {
                let of_target = |at| plan.attribute(target, at);
                let written = values.written(&operation.after, of_target)?;

                let is_done = |source| {
                    let as_planned = values.differences(&operation.after, |at| plan.planned(source, target, at));
                    as_planned.is_none() && !values.any_of(&operation.after, &plan.differing(source, target))
                };

                if source.is_some_and(is_done) {
                    // Already applied: the target holds the planned values, perhaps normalised.
                    return None;
                }

                match operation.op {
                    Operation::Create => Some(format!("the target holds it already, and {written}")),
                    _ => values
                        .differences(&operation.before, of_target)
                        .map(|differences| format!("the target changed: {differences}")),
                }
            }
        };

        // A drift of the target is reported first, since it says more than one of the source.
        if drift.is_some() {
            return drift;
        }
        if let Some(why) = source_unknown {
            return Some(format!("the source {why}"));
        }

        Some(match (operation.op, source, target) {
            (Operation::Delete, Some(_), _) => "the source holds it now".into(),
            (Operation::Delete, None, _) => "it is now held or left out, or deleted in another way".into(),
            (_, None, _) => "the source no longer holds it".into(),
            (Operation::Create, Some(source), _) => values
                .differences(&operation.after, |at| plan.attribute(source, at))
                .map_or("a record that it needs is missing, or it is now held or left out".into(), |differences| {
                    source_changed(&differences)
                }),
            (Operation::Update, Some(source), target) => values
                .differences(&operation.after, |at| plan.planned(source, target.unwrap_or(source), at))
                .map_or("other attributes would change too, or it is now held or left out".into(), |differences| {
                    source_changed(&differences)
                }),
        })
    }
}

fn source_changed(differences: &str) -> String {
    format!("the source changed: {differences}")
}

/// The drift of an operation, with the record's name if it is known.
pub(super) fn drift(operation: &SavedOperation, record: Option<String>, reason: String) -> Drift {
    let record = record.unwrap_or_else(|| id_text(&operation.id));
    Drift { operation: operation.op, model: operation.model.clone(), record, reason }
}

/// Compares values of a saved plan with those of a record.
pub(super) struct ValueComparison<'a> {
    schema: &'static ModelSchema,
    /// The attributes that the job does not compare, if there are any.
    ignored: Option<Vec<bool>>,
    key: &'a PlanKey,
    id: Arc<str>,
}

impl<'a> ValueComparison<'a> {
    pub(super) fn new(schema: &'static ModelSchema, scope: &Scope, key: &'a PlanKey, id: &Value) -> Self {
        Self { schema, ignored: scope.ignored(schema), key, id: id.to_string().into() }
    }

    /// The values in which a record differs, in words.
    pub(super) fn differences(
        &self,
        then: &Map<String, Value>,
        now: impl Fn(usize) -> Result<Value, serde_json::Error>,
    ) -> Option<String> {
        self.texts(then.iter(), now)
    }

    /// The values in which a target's record differs from the written ones, in words. Values that are never compared are
    /// ignored, since a target may not even return them.
    pub(super) fn written(
        &self,
        then: &Map<String, Value>,
        now: impl Fn(usize) -> Result<Value, serde_json::Error>,
    ) -> Option<String> {
        self.texts(then.iter().filter(|(name, _)| self.position(name).is_none_or(|at| self.is_compared(at))), now)
    }

    /// Whether any compared attribute is in both.
    fn any_of(&self, values: &Map<String, Value>, positions: &[usize]) -> bool {
        let named = |at: usize| values.contains_key(self.schema.attributes[at].name);
        positions.iter().any(|at| self.is_compared(*at) && named(*at))
    }

    fn is_compared(&self, position: usize) -> bool {
        let ignored = self.ignored.as_ref().is_some_and(|ignored| ignored[position]);
        !ignored && !self.schema.attributes[position].create_only
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.schema.attributes.iter().position(|attribute| attribute.name == name)
    }

    fn texts<'v>(
        &self,
        then: impl Iterator<Item = (&'v String, &'v Value)>,
        now: impl Fn(usize) -> Result<Value, serde_json::Error>,
    ) -> Option<String> {
        let mut texts = Vec::new();
        for (name, then) in then {
            let Some(position) = self.position(name) else {
                texts.push(format!("`{name}` is not an attribute"));
                continue;
            };

            let mut then = then.clone();
            in_one_order(&self.schema.attributes[position], &mut then);
            match self.key.read(self.schema, &self.id, position, &now) {
                Ok(now) if now == then => {}
                Ok(now) => texts.push(format!("`{name}` is {} where the plan has {}", shown(&now), shown(&then))),
                Err(error) => texts.push(format!("`{name}` cannot be read: {error}")),
            }
        }
        (!texts.is_empty()).then(|| texts.join(", "))
    }
}

fn shown(value: &Value) -> String {
    if holds_secret(value) { REDACTED.to_owned() } else { value.to_string() }
}

/// The records of the two sides with the same identifier, the source's first.
struct Counterparts {
    rows: [Option<RecordRef>; 2],
    /// Why it is unknown whether a side has the record.
    unknown: [Option<&'static str>; 2],
}

impl<D: Dataset> Plan<D> {
    fn find(&self, model: usize, id: &Value) -> Result<Counterparts, serde_json::Error> {
        let [source, target] = self.rows_of(model, id)?;
        let record = |side, row: Option<u32>| row.map(|row| RecordRef::new(side, model, row));
        let rows = [record(Side::Source, source), record(Side::Target, target)];
        Ok(Counterparts { rows, unknown: self.unknown(model, id)? })
    }
}

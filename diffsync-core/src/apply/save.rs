//! Saving the plan of a run.

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::model::operation::Operation;
use crate::plan::PlanView;
use crate::plan::diff::Withheld;
use crate::plan::outcome::Task;
use crate::plan_file::PlanHeader;
use crate::plan_file::key::PlanKey;
use crate::plan_file::operation::SavedOperation;
use crate::plan_file::write::Lines;

/// Writes a run's plan: the operations for the target, with the values before and after.
///
/// The bytes depend only on the plan, the header and the key.
///
/// # Errors
///
/// If it cannot be written, or a value of a record cannot be serialised.
pub fn write_plan(plan: &dyn PlanView, header: &PlanHeader, key: &PlanKey, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines::begin(out, header)?;
    for operation in asked(plan, key) {
        lines.operation(&operation.map_err(io::Error::other)?)?;
    }
    lines.end()
}

/// The operations of a plan that the target is to do, in the form of a saved plan.
fn asked<'a>(
    plan: &'a dyn PlanView,
    key: &'a PlanKey,
) -> impl Iterator<Item = Result<SavedOperation, serde_json::Error>> + 'a {
    let tables = plan.diff().tables().iter().enumerate();
    let tasks = tables.flat_map(|(model, table)| {
        Operation::ALL.into_iter().flat_map(move |operation| Task::all(model, operation, table))
    });
    tasks.filter_map(|task| saved(plan, key, task).transpose())
}

/// An operation in the form of a saved plan, or `None` if it is withheld from the target.
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
            let value = key.read(schema, &id_json, position, read)?;
            Ok((schema.attributes[position].name.to_owned(), value))
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

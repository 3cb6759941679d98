//! Setting one attribute of a record, to free a unique value or to restore it.

use std::sync::Arc;

use serde_json::Value as Json;

use super::execution::Execution;
use super::ledger::Stopped;
use super::retry::CallError;
use crate::adapter::{Target, WriteContext};
use crate::data::dataset::{Dataset, HasTable};
use crate::data::side::Side;
use crate::error::TargetErrorKind;
use crate::model::derive_support::AttributeValues;
use crate::model::{ModelExt, SyncModel};
use crate::plan::RecordRef;
use crate::plan::hold_reason::HoldReason;
use crate::plan::outcome::Task;

/// The value that an attribute is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    None,
    /// The value that was loaded.
    Former,
}

/// The answer to a call that sets an attribute.
enum Answered<M> {
    Set(M),
    /// The value was not set.
    Refused(Arc<str>),
    /// The value may have been set.
    Lost(Arc<str>),
}

/// Sets one attribute of a record that is to be updated or deleted.
pub(super) async fn set_value<D, T, M>(
    target: &T,
    execution: &mut Execution<'_, D>,
    task: Task,
    attribute: usize,
    value: Value,
) -> Result<(), Arc<str>>
where
    D: Dataset + HasTable<M>,
    T: Target<M, Data = D>,
    M: SyncModel,
{
    let options = execution.options;
    let Execution { plan, current, ledger, .. } = execution;
    let Some(row) = task.in_target(&plan.diff().tables()[task.model]) else {
        return Err("it is not in the target".into());
    };
    let loaded: &M = &plan.target().table().rows()[row.row() as usize];
    let (interrupted, staying) = (ledger.interrupted(), ledger.staying());

    let answered = {
        let Some(now) = current.get::<M>(loaded.key()) else { return Err("it is not in the target".into()) };
        let emptied = if value == Value::None { emptied(now, attribute) } else { None };
        let wanted = match value {
            Value::Former => loaded,
            Value::None => emptied.as_ref().ok_or("it cannot be empty")?,
        };

        let patch = wanted.patch(now, &|position| position == attribute);

        let cx = WriteContext::new(current, staying);
        let tasks = [task];
        let asked = interrupted.unless_answered(&tasks);
        let answer = options.attempt(|| target.update(now, &patch, &cx)).await;
        asked.answered();

        match answer {
            Ok(record) if record.is(now.key()) => Answered::Set(record),
            Ok(record) => {
                // The target may have written that other record instead, so it must not be deleted.
                if let Some(other) = plan.target().table().position(record.key()) {
                    let by = task.record(&plan.diff().tables()[task.model]);
                    ledger.keep(RecordRef::new(Side::Target, task.model, other), HoldReason::WrittenOver { by });
                }
                Answered::Lost("the target answered with another record".into())
            }
            Err(CallError::Failed(error)) => {
                let text = error.to_string();
                if error.kind() == TargetErrorKind::Fatal {
                    ledger.stop(Stopped::Failure(text.clone()));
                }
                if error.is_outcome_unknown() { Answered::Lost(text.into()) } else { Answered::Refused(text.into()) }
            }
            Err(CallError::Panicked(text)) => Answered::Lost(text.into()),
            Err(CallError::Unknown(reason)) => Answered::Lost(reason),
        }
    };

    let record = match answered {
        Answered::Set(record) => record,
        Answered::Refused(reason) => return Err(reason),
        Answered::Lost(reason) => {
            ledger.has_written();
            ledger.journal.note(task);
            // A value that may have been emptied is treated as emptied, so that it is restored.
            return if value == Value::None { Ok(()) } else { Err(reason) };
        }
    };
    ledger.has_written();
    ledger.journal.note(task);
    current.store(record);
    current.take_over();

    // At once: the target no longer has the former value, so only the undo plan does if the run is killed.
    execution.write_journal();
    Ok(())
}

/// The record with one attribute emptied, if that is possible.
fn emptied<M: SyncModel>(record: &M, attribute: usize) -> Option<M> {
    let attributes = M::SCHEMA.attributes.iter().enumerate();
    let values = attributes.map(|(position, its)| {
        let value = if position == attribute { Json::Null } else { record.attribute(position).ok()? };
        Some((its.name.to_owned(), value))
    });
    let mut values = AttributeValues(values.collect::<Option<_>>()?);

    // `can_be_freed` judged by the name of the type. Only a record that was read back shows whether `null` empties the
    // value.
    let emptied = M::from_values(record.id(), &mut values).ok()?;
    let is_empty = emptied.planned(record, attribute).is_ok_and(|value| value.is_null());
    is_empty.then_some(emptied)
}

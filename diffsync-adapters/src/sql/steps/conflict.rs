//! Names the rows that have the unique values of rejected records.

use diffsync_core::ModelExt;
use std::fmt::Write;

use diffsync_core::adapter::TargetError;

use super::answers::{RecordResults, together};
use super::find_rows::{RowQuery, find_rows};
use super::row_identity::{ColumnSource, sources};
use super::selection::{Selection, selection};
use super::{row_identity, write};
use crate::sql::catalogue::column_of;
use crate::sql::context::SqlContext;
use crate::sql::dialect::{Connection, RowBatch, UniqueColumn};
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::{Fields, Row};
use crate::sql::model::value::Value;
use crate::sql::session::error::WriteError;

/// The rows that already have unique values of records.
struct Holders {
    /// For each record, the identifiers of such rows, each with the columns of the value.
    of_records: Vec<Vec<(String, String)>>,
    /// Whether the table has a unique key whose rows cannot be found by the values of its columns: the record may then
    /// conflict with another row.
    may_be_others: bool,
}

/// Creates records. If a unique value makes the database reject the batch, the records with taken values fail with the rows
/// that have them, and the others are written.
pub(crate) async fn create_or_name_holders<M: SqlModel>(
    context: &SqlContext,
    new: &[&M],
) -> Result<RecordResults<M>, TargetError> {
    let error = match write::create(context, new).await {
        Err(error) if error.is_conflict() => error,
        done => return done,
    };
    let held = conflict_errors(context, new, |_, _| false, &error).await?;
    if held.iter().all(Option::is_none) {
        return Err(error);
    }

    let free: Vec<&M> = new.iter().zip(&held).filter(|(_, held)| held.is_none()).map(|(new, _)| *new).collect();
    let written = if free.is_empty() { Vec::new() } else { write::create(context, &free).await? };
    Ok(together(written, held))
}

/// Updates records. The error of a record with a taken unique value names the row that has it.
pub(crate) async fn update_or_name_holders<M: SqlModel>(
    context: &SqlContext,
    changes: &[(&M, &M::Patch)],
) -> Result<RecordResults<M>, TargetError> {
    let error = match write::update(context, changes).await {
        Err(error) if error.is_conflict() => error,
        Ok(mut answers) => {
            // The same for single records that were rejected in a batch that was written.
            for (answer, (old, patch)) in answers.iter_mut().zip(changes) {
                if let Err(error) = answer
                    && error.is_conflict()
                    && let Some(held) = held_by_other::<M>(context, old, patch, error).await?
                {
                    *answer = Err(held);
                }
            }
            return Ok(answers);
        }
        Err(error) => return Err(error),
    };

    // In a batch of several, the holder may be a record that gives the value up, so the core retries them one by one.
    let [(old, patch)] = changes else { return Err(error) };
    Err(held_by_other::<M>(context, old, patch, &error).await?.unwrap_or(error))
}

/// The error with the row that has a unique value of the changed record.
async fn held_by_other<M: SqlModel>(
    context: &SqlContext,
    old: &M,
    patch: &M::Patch,
    error: &TargetError,
) -> Result<Option<TargetError>, TargetError> {
    let new = old.patched(patch);
    let held = conflict_errors(context, &[&new], |record: &M, id| record.id() == *id, error).await?;
    Ok(held.into_iter().flatten().next())
}

/// For each record, the error with the rows that have unique values of it, except its own row.
async fn conflict_errors<M: SqlModel>(
    context: &SqlContext,
    new: &[&M],
    is_own: impl Fn(&M, &M::Id) -> bool + Sync + Send,
    error: &TargetError,
) -> Result<Vec<Option<TargetError>>, TargetError> {
    let mut writing = context.session.begin().await?;
    match find_holders(context, &mut *writing.connection, new, is_own).await {
        Ok(Holders { of_records, may_be_others }) => {
            writing.undo(None).await?;
            let conflict = |holders: Vec<(String, String)>| conflict_error::<M>(error, holders, may_be_others);
            Ok(of_records.into_iter().map(conflict).collect())
        }
        // The conflict is known, but not its holder.
        Err(WriteError::Database(failure)) => {
            writing.undo(Some(&failure)).await?;
            Ok(new.iter().map(|_| None).collect())
        }
        Err(WriteError::Known(_)) => {
            writing.undo(None).await?;
            Ok(new.iter().map(|_| None).collect())
        }
    }
}

/// The error with these rows, if there are any.
fn conflict_error<M: SqlModel>(
    error: &TargetError,
    holders: Vec<(String, String)>,
    may_be_others: bool,
) -> Option<TargetError> {
    if holders.is_empty() {
        return None;
    }

    let mut message = error.to_string();
    for (holder, keys) in &holders {
        // Writing to a text cannot fail.
        let _ = write!(message, "; {holder:?} has the same {keys}");
    }

    let conflict = TargetError::conflict(message);
    // A conflict without a holder holds the deletes of all rows that it may be about.
    if may_be_others {
        return Some(conflict);
    }

    Some(holders.into_iter().fold(conflict, |conflict, (holder, _)| conflict.held_by(M::NAME, holder)))
}

/// The rows that have unique values of records. There may be several for one record.
async fn find_holders<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    new: &[&M],
    is_own: impl Fn(&M, &M::Id) -> bool + Sync + Send,
) -> Result<Holders, WriteError> {
    let selected = selection(M::TABLE, context, connection, &context.catalogue).await;
    let Selection { items, from, .. } = selected.map_err(|error| TargetError::new(error.to_string()))?;
    let columns = context.columns(connection, M::TABLE.name).await?;
    let (sources, quotes) = (sources(M::TABLE), context.database().quotes());
    let resolved = row_identity::resolve(context, connection, new, |_| true).await?;

    let mut of_records: Vec<Vec<(String, String)>> = new.iter().map(|_| Vec::new()).collect();
    let mut may_be_others = false;

    for key in connection.unique_keys(M::TABLE.name).await? {
        // A row with the same values in an inexact key may not be the one in conflict.
        if !key.is_exact {
            may_be_others = true;
            continue;
        }

        let key: Vec<&UniqueColumn> = key.columns.iter().filter(|column| column.is_part).collect();
        let source =
            |part: &&UniqueColumn| sources.iter().find(|(column, _)| *column == part.name).map(|(_, source)| *source);
        let of_key: Vec<ColumnSource> = key.iter().filter_map(source).collect();
        if of_key.len() < key.len() {
            // Values that the database fills in are unknown here. If it fills in all of them, it generates unused ones.
            may_be_others |= !of_key.is_empty();
            continue;
        }

        let mut by = Vec::with_capacity(key.len());
        for UniqueColumn { name, collate, .. } in key.iter().copied() {
            let column = column_of(&columns, M::TABLE.name, name)
                .map_err(|error| context.server().fatal_schema_error(&error))?;
            by.push((format!("t.{}{collate}", quotes.column(name)), column.ty.clone()));
        }

        let mut rows = RowBatch::new(key.len());
        let mut queried = Vec::new();
        for record in 0..new.len() {
            let values = of_key.iter().map(|source| resolved.value(record, *source)).collect::<Result<Vec<_>, _>>();
            if let Ok(values) = values
                && !values.contains(&Value::Null)
            {
                rows.values.extend(values);
                queried.push(record);
            }
        }

        let named = key.iter().map(|part| format!("`{}`", part.name)).collect::<Vec<_>>().join(", ");
        let mut each = |at: usize, row: &dyn Row| {
            let Some(record) = queried.get(at) else { return };
            let (Some(new), Some(holders)) = (new.get(*record), of_records.get_mut(*record)) else { return };
            if let Ok(id) = M::identify(&Fields::new(row, M::TABLE))
                && !is_own(new, &id)
            {
                let holder = (id.to_string(), named.clone());
                if !holders.contains(&holder) {
                    holders.push(holder);
                }
            }
        };

        let wanted = RowQuery { items: &items, from: &from, by: &by, filter: None };
        find_rows(context.database().engine(), connection, &wanted, &rows, &mut each).await?;
    }

    Ok(Holders { of_records, may_be_others })
}

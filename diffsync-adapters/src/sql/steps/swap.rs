//! Updates that pass unique values among the records of a batch, such as `a` and `b` swapping a value.

use std::collections::{BTreeMap, BTreeSet};

use diffsync_core::adapter::TargetError;

use super::answers::RecordResults;
use super::row_identity::{ColumnSource, RowGroup, RowKey, check_row_count, is_changed, sources};
use super::write_rows::secrets;
use super::{row_identity, write_rows};
use crate::sql::catalogue::column_of;
use crate::sql::catalogue::foreign_keys::Action;
use crate::sql::context::SqlContext;
use crate::sql::dialect::{Column, Connection, RowBatch, Update};
use crate::sql::model::SqlModel;
use crate::sql::model::schema::Role;
use crate::sql::model::value::Value;
use crate::sql::session::Writing;
use crate::sql::session::error::{WriteError, is_conflict};

/// How often records with taken values are removed from a batch before the caller has to halve it.
const TRIES: usize = 8;

/// Updates a batch that a unique key has rejected: first its records release the values in their unique columns, so that
/// each can get the value of another. Records with values that are still taken fail, and the others are written.
///
/// It begins a new transaction, since the rejection has rolled back the first.
pub(crate) async fn swap<'s, M: SqlModel>(
    context: &'s SqlContext,
    writing: Writing<'s>,
    refusal: sqlx::Error,
    changes: &[(&M, &M::Patch)],
    new: &[&M],
) -> Result<(Writing<'s>, Result<RecordResults<Option<M>>, WriteError>), TargetError> {
    writing.undo(Some(&refusal)).await?;
    let mut writing = context.session.begin().await?;
    let freed = match swappable_columns::<M>(context, &mut *writing.connection).await {
        Ok(freed) if !freed.is_empty() => freed,
        // No unique column can be released.
        Ok(_) => return Ok((writing, Err(refusal.into()))),
        Err(error) => return Ok((writing, Err(error))),
    };

    let mut refused: BTreeMap<usize, TargetError> = BTreeMap::new();
    for _ in 0..TRIES {
        let left: Vec<usize> = (0..changes.len()).filter(|record| !refused.contains_key(record)).collect();
        let of = |left: &[usize]| -> (Vec<(&M, &M::Patch)>, Vec<&M>) {
            let change = left.iter().filter_map(|record| changes.get(*record).copied());
            (change.collect(), left.iter().filter_map(|record| new.get(*record).copied()).collect())
        };

        let (left_changes, left_new) = of(&left);
        let connection = &mut *writing.connection;
        if let Err(error) = release_values(context, connection, &freed, &left_changes).await {
            // The temporary value is rejected: report the original error.
            let error = if matches!(error, WriteError::Database(_)) { refusal.into() } else { error };
            return Ok((writing, Err(error)));
        }

        let error = match write_rows::update_rows(context, connection, &left_changes, &left_new).await {
            Ok(answers) if answers.iter().all(Result::is_ok) => {
                return Ok((writing, Ok(in_order(changes.len(), answers, refused))));
            }
            // A record that fails for another reason must keep the value that it has just released.
            Ok(answers) => {
                let answers = left.into_iter().zip(answers);
                refused.extend(answers.filter_map(|(record, answer)| Some((record, answer.err()?))));
                writing.undo(None).await?;
                writing = context.session.begin().await?;
                continue;
            }
            Err(WriteError::Database(error)) if is_conflict(&error) => error,
            Err(error) => return Ok((writing, Err(error))),
        };

        // Some value belongs to a row that does not change: updating the records one by one shows which record it is for.
        writing.undo(Some(&error)).await?;
        writing = context.session.begin().await?;
        let connection = &mut *writing.connection;
        if let Err(error) = release_values(context, connection, &freed, &left_changes).await {
            return Ok((writing, Err(error)));
        }

        let passes_on = |record: &usize| {
            let patch = changes.get(*record).map(|(_, patch)| *patch);
            patch.is_some_and(|patch| freed.iter().any(|(_, source, _)| is_changed::<M>(patch, *source)))
        };

        for record in left.into_iter().filter(passes_on) {
            let (change, record_new) = of(&[record]);
            match update_one(context, connection, &change, &record_new).await {
                Ok(None) => {}
                Ok(Some(error)) => {
                    let doing = format!("update in `{}`", M::TABLE.name);
                    refused.insert(record, context.server().write_error(&doing, &error, &secrets(&record_new)));
                }
                Err(error) => return Ok((writing, Err(error))),
            }
        }

        writing.undo(None).await?;
        writing = context.session.begin().await?;
    }

    Ok((writing, Err(refusal.into())))
}

/// Updates one record, and rolls only that back if a unique key rejects it.
async fn update_one<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    change: &[(&M, &M::Patch)],
    new: &[&M],
) -> Result<Option<sqlx::Error>, WriteError> {
    connection.execute("SAVEPOINT diffsync_record").await?;
    match write_rows::update_rows(context, connection, change, new).await {
        Ok(_) => {
            connection.execute("RELEASE SAVEPOINT diffsync_record").await?;
            Ok(None)
        }
        Err(WriteError::Database(error)) if is_conflict(&error) => {
            connection.execute("ROLLBACK TO SAVEPOINT diffsync_record").await?;
            Ok(Some(error))
        }
        Err(error) => Err(error),
    }
}

/// The columns of unique keys that the model writes, each with whether it can be set to null.
async fn swappable_columns<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
) -> Result<Vec<(&'static str, ColumnSource, bool)>, WriteError> {
    let keys = connection.unique_keys(M::TABLE.name).await?;
    let is_attribute = |source: ColumnSource| match source {
        ColumnSource::Field(field) => M::TABLE.fields.get(field).is_some_and(|field| field.role != Role::Identifier),
        ColumnSource::Lookup(_) => true,
        ColumnSource::Owner => false,
    };

    // A row that refers to such a value would lose it for good, since the temporary value would be passed on to it.
    let foreign = context.foreign_keys(connection).await?;
    let acting = || foreign.iter().filter(|key| key.parent == M::TABLE.name && key.on_update != Action::Nothing);
    let is_followed = |name: &str| acting().any(|key| key.columns.iter().any(|(_, to)| context.is_column(to, name)));
    let columns = keys.iter().filter(|key| !key.is_row_number).flat_map(|key| &key.columns);
    let unique = |name: &str| columns.clone().find(|column| column.name == name);
    let written = sources(M::TABLE).into_iter().filter(|(name, source)| is_attribute(*source) && !is_followed(name));

    Ok(written.filter_map(|(name, source)| Some((name, source, unique(name)?.allows_nulls))).collect())
}

/// Sets the unique columns that change to null, or to values that no row has.
async fn release_values<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    freed: &[(&'static str, ColumnSource, bool)],
    changes: &[(&M, &M::Patch)],
) -> Result<(), WriteError> {
    let columns = context.columns(connection, M::TABLE.name).await?;
    let old: Vec<&M> = changes.iter().map(|(old, _)| *old).collect();
    let resolved = row_identity::resolve(context, connection, &old, |_| true).await?;
    let found = row_identity::locate(context, connection, &old).await?;
    let mut groups: BTreeMap<(BTreeSet<&'static str>, RowKey), RowGroup<'_>> = BTreeMap::new();
    for (record, (_, patch)) in changes.iter().enumerate() {
        let mut set = BTreeMap::new();
        for (name, source, allows_nulls) in freed.iter().filter(|(_, source, _)| is_changed::<M>(patch, *source)) {
            let column = column_of(&columns, M::TABLE.name, name)
                .map_err(|error| context.server().fatal_schema_error(&error))?;
            let held = resolved.value(record, *source)?;
            match (allows_nulls, held) {
                // It has no value that another could get.
                (_, Value::Null) => {}
                (true, _) => {
                    set.insert(*name, Value::Null);
                }
                (false, held) => {
                    // Without one, the unique key itself reports the conflict.
                    if let Some(value) = stopgap(column, &held, record) {
                        set.insert(*name, value);
                    }
                }
            }
        }

        if set.is_empty() {
            continue;
        }
        let (by, which) = found.by(record)?;
        let width = set.len() + which.len();
        let group = groups
            .entry((set.keys().copied().collect(), by))
            .or_insert_with(|| RowGroup { batch: RowBatch::new(width), records: Vec::new() });
        group.batch.values.extend(set.into_values().chain(which));
        group.records.push(record);
    }

    let table = context.database().quotes().table(M::TABLE.name);
    let behavior = context.behavior(connection, M::TABLE.name).await?;
    for ((set, by), group) in &groups {
        let names: Vec<&'static str> = set.iter().copied().collect();
        let update = Update {
            table: &table,
            set: &row_identity::typed_columns(context, &columns, M::TABLE, &names)?,
            by: &row_identity::exact_columns(context, connection, M::TABLE, by).await?,
            nulls: &by.nulls,
            behavior: &behavior,
            rows: &group.batch,
        };

        let updated = connection.update(&update).await?;
        if !behavior.is_uncounted {
            check_row_count::<M>(updated, group.records.len(), by, &group.batch)?;
        }
        context.keys().forget_in(M::TABLE.name, Some(&names));
    }

    Ok(())
}

/// A value that a column can hold and that no row has, for the time of a transaction.
fn stopgap(column: &Column, held: &Value<'_>, record: usize) -> Option<Value<'static>> {
    let ty = column.ty.to_ascii_lowercase();
    let number = i64::try_from(record).ok()?;
    match held {
        // The largest number of each signed type, which the unsigned type has as well.
        Value::Int(_) | Value::Unsigned(_) => {
            let largest = match ty.as_str() {
                "tinyint" => i64::from(i8::MAX),
                "smallint" => i64::from(i16::MAX),
                "mediumint" => (1 << 23) - 1,
                "int" | "integer" => i64::from(i32::MAX),
                _ => i64::MAX,
            };
            Some(Value::Int(largest - number))
        }
        Value::Text(_) if ty == "uuid" => {
            Some(Value::Text(uuid::Uuid::from_u128(u128::MAX - u128::try_from(record).ok()?).to_string().into()))
        }
        Value::Text(_) if ["text", "char", "clob"].iter().any(|word| ty.contains(word)) => {
            Some(Value::Text(format!("~{record:x}~").into()))
        }
        Value::Bytes(_) => Some(Value::Bytes(format!("~{record:x}~").into_bytes().into())),
        _ => None,
    }
}

/// The results for all records, including the refused ones.
fn in_order<M>(
    count: usize,
    answers: RecordResults<Option<M>>,
    mut refused: BTreeMap<usize, TargetError>,
) -> RecordResults<Option<M>> {
    let mut answers = answers.into_iter();
    let missing = || Err(TargetError::new("there is no answer for the record"));
    (0..count)
        .map(|record| match refused.remove(&record) {
            Some(error) => Err(error),
            None => answers.next().unwrap_or_else(missing),
        })
        .collect()
}

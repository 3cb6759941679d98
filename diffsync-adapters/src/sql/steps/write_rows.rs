//! Inserts, updates and deletes the rows of a batch, within a transaction.

use std::collections::BTreeMap;

use diffsync_core::adapter::TargetError;

use super::answers::RecordResults;
use super::reread::dropped;
use super::row_identity::{ColumnSource, RowGroup, RowKey, check_row_count, is_changed, sources};
use super::{json_documents, reread, row_identity};
use crate::sql::catalogue::column_of;
use crate::sql::context::SqlContext;
use crate::sql::dialect::{Connection, Delete, Insert, Inserted, Read, RowBatch, TableBehavior, Update};
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind};
use crate::sql::session::error::WriteError;

/// Inserts records, and returns them as they were stored.
pub(crate) async fn insert<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    new: &[&M],
) -> Result<RecordResults<M>, WriteError> {
    let sources = sources(M::TABLE);
    let resolved = row_identity::resolve(context, connection, new, |_| true).await?;
    let mut batch = RowBatch::new(sources.len());
    batch.values.reserve(new.len() * sources.len());

    let mut answers: RecordResults<M> = Vec::with_capacity(new.len());
    for (record, new) in new.iter().enumerate() {
        let before = batch.values.len();
        let filled = sources.iter().try_for_each(|(_, source)| {
            batch.values.push(resolved.value(record, *source)?);
            Ok(())
        });

        if filled.is_err() {
            batch.values.truncate(before);
        }
        answers.push(filled.map(|()| M::clone(new)));
    }

    if batch.len() == 0 {
        return Ok(answers);
    }

    let (keys, doubtful) = insert_rows::<M>(context, connection, &sources, &batch).await?;
    let mut stored: Vec<&mut M> = answers.iter_mut().flatten().collect();
    for (record, key) in stored.iter_mut().zip(keys.into_iter().flatten()) {
        // An error rolls the whole batch back: a row that cannot be found again must not stay.
        let unusable = |reason| TargetError::new(format!("the key that it was given {reason}"));
        record.set_key(key).map_err(unusable)?;
    }

    let written: Vec<&M> = doubtful.iter().filter_map(|row| stored.get(*row).map(|record| &**record)).collect();
    let read = reread::reread(context, connection, &written).await?;
    for (row, read) in doubtful.iter().zip(read) {
        if let Some(record) = stored.get_mut(*row) {
            **record = read;
        }
    }

    Ok(answers)
}

/// Inserts rows, and returns the keys that the database generated, if they are known, and the rows to read again.
async fn insert_rows<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    sources: &[(&'static str, ColumnSource)],
    batch: &RowBatch<'_>,
) -> Result<(Option<Vec<Value<'static>>>, Vec<usize>), WriteError> {
    let quotes = context.database().quotes();
    let columns = context.columns(connection, M::TABLE.name).await?;
    let behavior = context.behavior(connection, M::TABLE.name).await?;
    let names: Vec<&'static str> = sources.iter().map(|(column, _)| *column).collect();
    let typed = row_identity::typed_columns(context, &columns, M::TABLE, &names)?;
    let (table, mut returned) = (quotes.table(M::TABLE.name), Vec::with_capacity(sources.len()));

    for (name, source) in sources {
        let column =
            column_of(&columns, M::TABLE.name, name).map_err(|error| context.server().fatal_schema_error(&error))?;
        let field = match source {
            ColumnSource::Field(field) => M::TABLE.fields.get(*field),
            ColumnSource::Lookup(_) | ColumnSource::Owner => None,
        };

        let kind = field.map_or(ValueKind::Text, |field| field.kind);
        let own = quotes.column(name);
        // A foreign key may hold binary keys.
        if let ColumnSource::Lookup(_) = source
            && context.database().key_kind(column) == ValueKind::Bytes
        {
            returned.push((own, ValueKind::Bytes));
            continue;
        }

        let read = field.and_then(|_| context.database().select_expression(column, &own, kind).ok());
        returned.push((read.unwrap_or_else(|| context.database().text_expression(&own)), kind));
    }

    let key = match M::TABLE.key_column() {
        Some(key) => {
            Some(column_of(&columns, M::TABLE.name, key).map_err(|error| context.server().fatal_schema_error(&error))?)
        }
        None => None,
    };

    let kind = M::TABLE.key.and_then(|key| M::TABLE.fields.get(key)).map(|field| field.kind);
    let key = key.zip(kind);

    let insert = Insert { table: &table, columns: &typed, returned: &returned, key, behavior: &behavior, rows: batch };
    let before = rows_if_replaced(connection, &table, &behavior).await?;
    let Inserted { rows, keys, altered } = connection.insert(&insert).await?;
    let expected = before.map(|before| before + batch.len() as u64);
    refuse_replaced(connection, &table, &behavior, expected).await?;
    if rows.is_some_and(|rows| rows != batch.len() as u64) {
        // The core then writes the records one by one, which shows the one.
        let first = sources.iter().zip(&batch.values).next();
        let place = first.map(|((column, _), value)| format!("`{column}` = {}", value.shown()));
        return Err(dropped(M::TABLE.name, &place.unwrap_or_default()).into());
    }

    // Reading a row again also returns its key.
    let is_key_unknown = key.is_some() && keys.is_none();
    let doubtful = match altered {
        _ if is_key_unknown => (0..batch.len()).collect(),
        Some(altered) => altered,
        None => reread::rows_to_reread::<M>(context, &behavior, &columns, sources, batch)?,
    };
    Ok((keys, doubtful))
}

/// Updates rows, and returns the records that were read again afterwards.
pub(crate) async fn update_rows<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    changes: &[(&M, &M::Patch)],
    new: &[&M],
) -> Result<RecordResults<Option<M>>, WriteError> {
    let sources = sources(M::TABLE);
    let any = |lookup: usize| changes.iter().any(|(_, patch)| is_changed::<M>(patch, ColumnSource::Lookup(lookup)));
    let resolved = row_identity::resolve(context, connection, new, any).await?;
    let old: Vec<&M> = changes.iter().map(|(old, _)| *old).collect();
    let found = row_identity::locate(context, connection, &old).await?;

    let mut documents = json_documents::changed_documents(context, connection, changes, new).await?;

    let mut answers: RecordResults<Option<M>> = Vec::with_capacity(changes.len());
    let mut groups: BTreeMap<(Vec<bool>, RowKey), RowGroup<'_>> = BTreeMap::new();
    for (record, (_, patch)) in changes.iter().enumerate() {
        let columns: Vec<bool> = sources.iter().map(|(_, source)| is_changed::<M>(patch, *source)).collect();
        let set = sources.iter().zip(&columns).filter(|(_, changed)| **changed);
        let mut merged = match documents.remove(&record).transpose() {
            Ok(merged) => merged.unwrap_or_default(),
            Err(error) => {
                answers.push(Err(error));
                continue;
            }
        };

        let mut value = |source: ColumnSource| {
            let document = match source {
                ColumnSource::Field(field) => merged.remove(&field),
                ColumnSource::Lookup(_) | ColumnSource::Owner => None,
            };
            document.map_or_else(|| resolved.value(record, source), |document| Ok(Value::Text(document.into())))
        };

        let set = set.map(|((_, source), _)| value(*source)).collect::<Result<Vec<_>, _>>();
        let placed = set.and_then(|mut values| {
            let (by, which) = found.by(record)?;
            let width = values.len() + which.len();
            values.extend(which);
            let group = groups
                .entry((columns, by))
                .or_insert_with(|| RowGroup { batch: RowBatch::new(width), records: Vec::new() });
            group.batch.values.extend(values);
            group.records.push(record);
            Ok(None)
        });
        answers.push(placed);
    }

    let table = context.database().quotes().table(M::TABLE.name);
    let columns = context.columns(connection, M::TABLE.name).await?;
    let behavior = context.behavior(connection, M::TABLE.name).await?;
    let before = rows_if_replaced(connection, &table, &behavior).await?;
    let mut doubtful: Vec<usize> = Vec::new();
    for ((changed, by), group) in &groups {
        let set: Vec<(&'static str, ColumnSource)> =
            sources.iter().zip(changed).filter(|(_, changed)| **changed).map(|(source, _)| *source).collect();
        let names: Vec<&'static str> = set.iter().map(|(column, _)| *column).collect();
        let update = Update {
            table: &table,
            set: &row_identity::typed_columns(context, &columns, M::TABLE, &names)?,
            by: &row_identity::exact_columns(context, connection, M::TABLE, by).await?,
            nulls: &by.nulls,
            behavior: &behavior,
            rows: &group.batch,
        };

        let updated = connection.update(&update).await?;
        // Before the rows are counted: a row that another of the batch has replaced is not merely missing.
        refuse_replaced(connection, &table, &behavior, before).await?;
        if !behavior.is_uncounted {
            check_row_count::<M>(updated, group.records.len(), by, &group.batch)?;
        }

        context.keys().forget_in(M::TABLE.name, Some(&names));
        let rows = reread::rows_to_reread::<M>(context, &behavior, &columns, &set, &group.batch)?;
        doubtful.extend(rows.iter().filter_map(|row| group.records.get(*row)));
    }

    let written: Vec<&M> = doubtful.iter().filter_map(|record| new.get(*record).copied()).collect();
    for (record, read) in doubtful.iter().zip(reread::reread(context, connection, &written).await?) {
        if let Some(answer) = answers.get_mut(*record) {
            *answer = Ok(Some(read));
        }
    }

    Ok(answers)
}

/// The number of rows in a table, if a write may replace other rows.
async fn rows_if_replaced(
    connection: &mut dyn Connection,
    table: &str,
    behavior: &TableBehavior,
) -> Result<Option<u64>, sqlx::Error> {
    if !behavior.may_replace_rows {
        return Ok(None);
    }

    let mut rows = None;
    let mut each = |row: &dyn Row| {
        if let Ok(Value::Int(count)) = row.value(0, ValueKind::Int64) {
            rows = u64::try_from(count).ok();
        }
    };
    connection.query(&format!("SELECT count(*) FROM {table}"), &[], &mut each).await?;
    Ok(rows)
}

/// Rejects a write that has left fewer rows than expected.
async fn refuse_replaced(
    connection: &mut dyn Connection,
    table: &str,
    behavior: &TableBehavior,
    expected: Option<u64>,
) -> Result<(), WriteError> {
    let rows = rows_if_replaced(connection, table, behavior).await?;
    if rows < expected {
        let message = "a unique value is taken, and `ON CONFLICT REPLACE` would delete the row that has it";
        return Err(TargetError::conflict(message).into());
    }

    Ok(())
}

pub(crate) async fn delete_rows<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    old: &[&M],
) -> Result<RecordResults<()>, WriteError> {
    let found = row_identity::locate(context, connection, old).await?;
    let mut answers: RecordResults<()> = Vec::with_capacity(old.len());
    let mut groups: BTreeMap<RowKey, RowGroup<'_>> = BTreeMap::new();
    for record in 0..old.len() {
        answers.push(found.by(record).map(|(by, which)| {
            let group =
                groups.entry(by).or_insert_with(|| RowGroup { batch: RowBatch::new(which.len()), records: Vec::new() });
            group.batch.values.extend(which);
            group.records.push(record);
        }));
    }

    let table = context.database().quotes().table(M::TABLE.name);
    let owner = M::TABLE.owner.map(|owner| (owner.column, owner.value));
    let behavior = context.behavior(connection, M::TABLE.name).await?;
    let still_there = format!("SELECT 1 FROM {table} AS t");

    for (by, group) in &groups {
        let typed = row_identity::exact_columns(context, connection, M::TABLE, by).await?;
        let delete = Delete { table: &table, by: &typed, nulls: &by.nulls, owner, rows: &group.batch };
        let deleted = connection.delete(&delete).await?;
        if !behavior.is_uncounted {
            check_row_count::<M>(deleted, group.records.len(), by, &group.batch)?;
        }

        // A rule, a trigger or a view may have left the row.
        if behavior.may_keep_deleted {
            let read = Read { select: &still_there, by: &typed, nulls: &by.nulls, rows: &group.batch, locks: false };
            let mut left: usize = 0;
            connection.read(&read, &mut |_| left += 1).await?;
            if left > 0 {
                return Err(kept(M::TABLE.name, left, group.records.len(), &by.place(&group.batch)).into());
            }
        }
    }

    context.keys().forget_in(M::TABLE.name, None);
    Ok(answers)
}

/// Rows that still exist although the database reported no error for their delete. The core tries a failed batch again in
/// halves, until the error is that of one record.
fn kept(table: &str, left: usize, wanted: usize, place: &str) -> TargetError {
    TargetError::new(match wanted {
        1 => format!(
            "`{table}` still has the row with {place} after it was deleted: a trigger or a rule of the database kept it"
        ),
        _ => format!("`{table}` still has {left} of {wanted} rows after they were deleted"),
    })
}

/// The secrets of records.
pub(crate) fn secrets<'r, M: SqlModel>(records: &[&'r M]) -> Vec<Value<'r>> {
    let fields = M::TABLE.fields.iter().enumerate().filter(|(_, field)| field.secret);
    let fields: Vec<usize> = fields.map(|(position, _)| position).collect();
    records.iter().flat_map(|record| fields.iter().filter_map(|field| record.value(*field).ok())).collect()
}

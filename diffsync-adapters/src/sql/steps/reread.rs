//! Reads records again after a write if the database may have stored other values.

use diffsync_core::ModelExt;
use std::collections::{BTreeMap, HashMap};

use diffsync_core::adapter::TargetError;

use super::row_identity;
use super::row_identity::{ColumnSource, RowGroup, RowKey};
use super::selection::select;
use crate::sql::catalogue::column_of;
use crate::sql::context::SqlContext;
use crate::sql::dialect::{Column, Connection, Read, RowBatch, TableBehavior};
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::Fields;
use crate::sql::model::schema::Place;
use crate::sql::model::value::{Value, ValueKind};
use crate::sql::session::error::WriteError;

/// The rows of a batch that may be stored with other values: all of them if a trigger or the like may alter them, otherwise
/// those with a value that its column may not store exactly.
pub(crate) fn rows_to_reread<M: SqlModel>(
    context: &SqlContext,
    behavior: &TableBehavior,
    columns: &[Column],
    written: &[(&'static str, ColumnSource)],
    batch: &RowBatch<'_>,
) -> Result<Vec<usize>, WriteError> {
    if behavior.may_alter_values {
        return Ok((0..batch.len()).collect());
    }

    // A foreign key is the other row's own key as it was read, and joins with it however it is stored.
    let mut checked = Vec::new();
    for (position, (name, source)) in written.iter().enumerate() {
        let kind = match source {
            ColumnSource::Field(field) => M::TABLE.fields.get(*field).map_or(ValueKind::Text, |field| field.kind),
            ColumnSource::Owner => ValueKind::Text,
            ColumnSource::Lookup(_) => continue,
        };

        let column =
            column_of(columns, M::TABLE.name, name).map_err(|error| context.server().fatal_schema_error(&error))?;
        checked.push((position, column, kind));
    }

    let keeps = |row: &[Value<'_>]| {
        let holds = |value: &Value<'_>, column, kind| {
            *value == Value::Null || context.database().stores_exactly(column, kind, value)
        };
        checked.iter().all(|(at, column, kind)| row.get(*at).is_none_or(|value| holds(value, column, *kind)))
    };

    Ok(batch.rows().enumerate().filter(|(_, row)| !keeps(row)).map(|(number, _)| number).collect())
}

/// Records that were just written, as they are stored, in the same order.
///
/// # Errors
///
/// If one cannot be found by its identifier, or cannot be read: a row that cannot be found again must not stay.
pub(crate) async fn reread<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    written: &[&M],
) -> Result<Vec<M>, WriteError> {
    if written.is_empty() {
        return Ok(Vec::new());
    }

    let columns = context.columns(connection, M::TABLE.name).await?;
    let select = select(M::TABLE, context, connection, &context.catalogue).await;
    let select = select.map_err(|error| TargetError::fatal(error.to_string()))?;

    let located = row_identity::locate(context, connection, written).await?;
    let mut groups: BTreeMap<RowKey, RowGroup<'_>> = BTreeMap::new();
    for record in 0..written.len() {
        let (by, which) = located.by(record)?;
        let group =
            groups.entry(by).or_insert_with(|| RowGroup { batch: RowBatch::new(which.len()), records: Vec::new() });
        group.batch.values.extend(which);
        group.records.push(record);
    }

    let mut found: RereadRecords<M> = RereadRecords::of(written);
    for (by, group) in &groups {
        let typed = row_identity::typed_columns(context, &columns, M::TABLE, &by.columns)?;
        let read = Read { select: &select, by: &typed, nulls: &by.nulls, rows: &group.batch, locks: false };
        connection.read(&read, &mut |row| found.take(&Fields::new(row, M::TABLE))).await?;
        found.complete(by, group)?;
    }

    Ok(found.records.into_iter().flatten().collect())
}

/// Records that are read again, each at the position of the written one.
struct RereadRecords<M: SqlModel> {
    places: HashMap<M::Id, usize>,
    records: Vec<Option<M>>,
    /// What is wrong with a row that was read.
    wrong: Option<String>,
    /// What is wrong with a row that matches no record. It counts if a record is missing.
    stray: Option<String>,
}

impl<M: SqlModel> RereadRecords<M> {
    fn of(written: &[&M]) -> Self {
        let places = written.iter().enumerate().map(|(place, record)| (record.id(), place)).collect();
        Self { places, records: written.iter().map(|_| None).collect(), wrong: None, stray: None }
    }

    fn take(&mut self, row: &Fields<'_>) {
        let table = M::TABLE.name;
        let wrong = match M::read(row) {
            Ok(record) => match self.places.get(&record.id()).and_then(|place| self.records.get_mut(*place)) {
                Some(place) if place.is_none() => {
                    *place = Some(record);
                    return;
                }
                Some(_) => format!("`{table}` has more than one row that is {:?}", record.id().to_string()),
                // The column may call it equal to one of them.
                None => {
                    self.stray.get_or_insert_with(|| {
                        format!(
                            "`{table}` stored it as {:?}: a trigger or the type of a column changes its identifier, so it \
                             would not be found again",
                            record.id().to_string()
                        )
                    });
                    return;
                }
            },
            Err(error) => {
                let column = M::TABLE.fields.get(error.field).map_or("", |field| match field.place {
                    Place::Column(column) => column,
                    Place::Lookup(lookup, _) => {
                        M::TABLE.lookups.get(lookup).map_or("", |lookup| lookup.foreign_key.column)
                    }
                });
                format!("the row that `{table}` stored cannot be read again: `{column}` {}", error.reason)
            }
        };

        self.wrong.get_or_insert(wrong);
    }

    /// An error if a record of the group is wrong or missing. The core tries a failed batch again in halves,
    /// until the error is that of one record.
    fn complete(&mut self, by: &RowKey, group: &RowGroup<'_>) -> Result<(), TargetError> {
        if let Some(wrong) = self.wrong.take() {
            return Err(TargetError::new(wrong));
        }
        let is_missing = |place: &&usize| self.records.get(**place).is_none_or(Option::is_none);
        let stray = self.stray.take();
        if group.records.iter().any(|place| is_missing(&place)) {
            if let Some(stray) = stray {
                return Err(TargetError::new(stray));
            }
            return Err(dropped(M::TABLE.name, &by.place(&group.batch)));
        }
        Ok(())
    }
}

/// A row that does not exist although the database reported no error.
pub(crate) fn dropped(table: &str, place: &str) -> TargetError {
    TargetError::new(format!(
        "`{table}` has no row with {place} after it was written: a trigger, a rule or a policy of the database dropped it \
         or gave it another key"
    ))
}

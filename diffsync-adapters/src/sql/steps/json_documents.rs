//! JSON documents that change keep the keys that the types of their fields do not know.

use diffsync_core::ModelExt;
use std::collections::{BTreeMap, HashMap};

use diffsync_core::adapter::TargetError;

use super::row_identity;
use super::row_identity::{ColumnSource, RowGroup, RowKey, is_changed};
use super::selection::select;
use crate::nested::merge::merged_text;
use crate::sql::context::SqlContext;
use crate::sql::dialect::{Connection, Engine, Read, RowBatch};
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::{Fields, Row};
use crate::sql::model::schema::{Place, Role};
use crate::sql::model::value::{Value, ValueKind};
use crate::sql::session::error::WriteError;

/// For each record with documents that change, what its columns are to hold, by the positions of the fields.
pub(crate) type Documents = HashMap<usize, Result<HashMap<usize, String>, TargetError>>;

/// The documents of one record that are to be merged with what is stored.
struct Wanted<'m, M> {
    old: &'m M,
    new: &'m M,
    fields: Vec<usize>,
}

/// The stored documents of records with the changes applied.
///
/// Rows are read for it, in the transaction that writes them, only where objects change.
pub(crate) async fn changed_documents<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    changes: &[(&M, &M::Patch)],
    new: &[&M],
) -> Result<Documents, WriteError> {
    let is_document = |place: &usize| {
        let field = M::TABLE.fields.get(*place);
        field.is_some_and(|field| {
            field.kind == ValueKind::Json && field.role == Role::Attribute && matches!(field.place, Place::Column(_))
        })
    };

    let documents: Vec<usize> = (0..M::TABLE.fields.len()).filter(is_document).collect();
    let mut wanted: BTreeMap<usize, Wanted<'_, M>> = BTreeMap::new();
    for (record, ((old, patch), new)) in changes.iter().zip(new).enumerate() {
        let is_object_changed = |field: &usize| {
            is_changed::<M>(patch, ColumnSource::Field(*field)) && has_keys(*old, *field) && has_keys(*new, *field)
        };
        let fields: Vec<usize> = documents.iter().copied().filter(is_object_changed).collect();
        if !fields.is_empty() {
            wanted.insert(record, Wanted { old: *old, new: *new, fields });
        }
    }

    if wanted.is_empty() {
        return Ok(Documents::new());
    }

    merge_documents(context, connection, &wanted).await
}

async fn merge_documents<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    wanted: &BTreeMap<usize, Wanted<'_, M>>,
) -> Result<Documents, WriteError> {
    let records: Vec<usize> = wanted.keys().copied().collect();
    let old: Vec<&M> = wanted.values().map(|wanted| wanted.old).collect();
    let located = row_identity::locate(context, connection, &old).await?;
    let mut groups: BTreeMap<RowKey, RowGroup<'_>> = BTreeMap::new();
    let mut merged = Documents::new();
    for (place, record) in records.iter().enumerate() {
        match located.by(place) {
            Ok((by, which)) => {
                let group = groups
                    .entry(by)
                    .or_insert_with(|| RowGroup { batch: RowBatch::new(which.len()), records: Vec::new() });
                group.batch.values.extend(which);
                group.records.push(*record);
            }
            Err(error) => {
                merged.insert(*record, Err(error));
            }
        }
    }

    let columns = context.columns(connection, M::TABLE.name).await?;
    let behavior = context.behavior(connection, M::TABLE.name).await?;
    let select = select(M::TABLE, context, connection, &context.catalogue).await;
    let select = select.map_err(|error| TargetError::fatal(error.to_string()))?;
    let locks = match context.database().engine() {
        // It writes one transaction at a time.
        Engine::Sqlite => false,
        // A view may be one whose rows cannot be locked.
        Engine::Postgres => !behavior.may_alter_values,
        // The rows that are joined would be locked as well, and batches would wait for each other.
        Engine::MySql => M::TABLE.lookups.is_empty(),
    };

    let places: HashMap<M::Id, usize> = wanted.iter().map(|(record, wanted)| (wanted.old.id(), *record)).collect();
    for (by, group) in &groups {
        let typed = row_identity::typed_columns(context, &columns, M::TABLE, &by.columns)?;
        let read = Read { select: &select, by: &typed, nulls: &by.nulls, rows: &group.batch, locks };
        let mut each = |row: &dyn Row| {
            let fields = Fields::new(row, M::TABLE);
            let stored = M::read(&fields).ok();
            let id = stored.as_ref().map(M::id).or_else(|| M::identify(&fields).ok());
            let Some(record) = id.and_then(|id| places.get(&id)) else { return };
            let Some(wanted) = wanted.get(record) else { return };
            let documents = wanted.merged(row, stored.as_ref().unwrap_or(wanted.old));
            let named = |(field, reason): (usize, String)| {
                let name = M::TABLE.fields.get(field).map_or("", |field| field.name);
                TargetError::new(format!("`{name}` of `{}` {reason}", M::TABLE.name))
            };
            merged.insert(*record, documents.map_err(named));
        };
        connection.read(&read, &mut each).await?;
    }

    // Without what is stored, its unknown keys would be lost.
    for (record, wanted) in wanted {
        merged.entry(*record).or_insert_with(|| {
            let id = wanted.old.id().to_string();
            Err(TargetError::new(format!("`{}` has no row any more that is {id:?}", M::TABLE.name)))
        });
    }

    Ok(merged)
}

impl<M: SqlModel> Wanted<'_, M> {
    /// The documents of a row that is read now as this record, or the field and what is wrong with it.
    fn merged(&self, row: &dyn Row, stored: &M) -> Result<HashMap<usize, String>, (usize, String)> {
        let mut documents = HashMap::with_capacity(self.fields.len());
        for field in self.fields.iter().copied() {
            let wrong = |reason| (field, reason);
            let texts = (
                row.value(field, ValueKind::Json).map_err(wrong)?,
                stored.value(field).map_err(wrong)?,
                self.new.value(field).map_err(wrong)?,
            );

            // A document that is null has nothing to keep.
            if let (Value::Text(text), Value::Text(before), Value::Text(after)) = texts {
                documents.insert(field, merged_text(&text, &before, &after).map_err(wrong)?);
            }
        }

        Ok(documents)
    }
}

/// Whether the document of a field may hold an object.
fn has_keys<M: SqlModel>(record: &M, field: usize) -> bool {
    matches!(record.value(field), Ok(Value::Text(text)) if text.contains('{'))
}

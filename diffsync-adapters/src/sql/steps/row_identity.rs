//! The rows of records, and the values of their columns.

use std::sync::Arc;

use diffsync_core::adapter::TargetError;

use super::{equal_identifiers, lookup};
use crate::sql::catalogue::collation::InexactColumn;
use crate::sql::catalogue::column_of;
use crate::sql::context::SqlContext;
use crate::sql::dialect::{Column, Connection, RowBatch, TypedColumn};
use crate::sql::model::SqlModel;
use crate::sql::model::schema::{Lookup, Place, Role, SqlTable};
use crate::sql::model::value::{Value, ValueKind};
use crate::sql::session::error::WriteError;

/// The origin of a column's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnSource {
    Field(usize),
    Lookup(usize),
    Owner,
}

/// The columns that are written, and where their values come from.
pub(crate) fn sources(table: &'static SqlTable) -> Vec<(&'static str, ColumnSource)> {
    let fields = table.columns().filter(|(_, _, field)| field.role != Role::Local);
    let fields = fields.map(|(position, column, _)| (column, ColumnSource::Field(position)));
    let lookups = table.lookups.iter().enumerate();
    let lookups = lookups.map(|(position, lookup)| (lookup.foreign_key.column, ColumnSource::Lookup(position)));
    fields.chain(lookups).chain(table.owner.map(|owner| (owner.column, ColumnSource::Owner))).collect()
}

/// The columns that identify a record's row if the model has no key of the database.
pub(crate) fn identity(table: &'static SqlTable) -> Vec<&'static str> {
    identified(table).into_iter().map(|(column, _)| column).collect()
}

pub(crate) fn identified(table: &'static SqlTable) -> Vec<(&'static str, ColumnSource)> {
    let mut columns: Vec<(&'static str, ColumnSource)> = Vec::new();
    for (position, field) in table.fields.iter().enumerate().filter(|(_, field)| field.role == Role::Identifier) {
        let column = match field.place {
            Place::Column(column) => Some((column, ColumnSource::Field(position))),
            Place::Lookup(lookup, _) => {
                table.lookups.get(lookup).map(|found| (found.foreign_key.column, ColumnSource::Lookup(lookup)))
            }
        };
        columns.extend(column.filter(|column| !columns.contains(column)));
    }

    columns
}

/// Whether a patch changes this column.
pub(crate) fn is_changed<M: SqlModel>(patch: &M::Patch, source: ColumnSource) -> bool {
    match source {
        ColumnSource::Field(field) => M::changes(patch, field),
        ColumnSource::Lookup(lookup) => {
            let fields = M::TABLE.lookups.get(lookup).map_or(&[][..], |lookup| lookup.fields);
            fields.iter().any(|field| M::changes(patch, *field))
        }
        ColumnSource::Owner => true,
    }
}

/// Records with the foreign keys that their lookups lead to.
pub(crate) struct ColumnValues<'r, M> {
    records: Vec<&'r M>,
    /// For each lookup that was resolved, a value for each record.
    keys: Vec<Vec<Result<Value<'static>, String>>>,
}

impl<'r, M: SqlModel> ColumnValues<'r, M> {
    /// The value of a record for a column.
    pub(crate) fn value(&self, record: usize, source: ColumnSource) -> Result<Value<'r>, TargetError> {
        let wrong =
            |column: &str, reason: &str| TargetError::new(format!("`{column}` of `{}`: {reason}", M::TABLE.name));
        match source {
            ColumnSource::Field(field) => {
                let record: &'r M = self.records.get(record).copied().ok_or_else(|| TargetError::new("no record"))?;
                let name = || M::TABLE.fields.get(field).map_or("", |field| field.name);
                record.value(field).map_err(|reason| wrong(name(), &reason))
            }
            ColumnSource::Lookup(lookup) => {
                let column = M::TABLE.lookups.get(lookup).map_or("", |lookup| lookup.foreign_key.column);
                match self.keys.get(lookup).and_then(|keys| keys.get(record)) {
                    Some(Ok(key)) => Ok(key.clone()),
                    Some(Err(reason)) => Err(TargetError::new(reason.as_str())),
                    None => Err(wrong(column, "was not looked up")),
                }
            }
            ColumnSource::Owner => Ok(M::TABLE.owner.map_or(Value::Null, |owner| Value::Text(owner.value.into()))),
        }
    }
}

/// Rows that one statement can find, since the same of their columns are null.
pub(crate) struct RowGroup<'v> {
    pub(crate) batch: RowBatch<'v>,
    pub(crate) records: Vec<usize>,
}

/// Resolves the wanted lookups of records to foreign keys.
pub(crate) async fn resolve<'r, M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    records: &[&'r M],
    wanted: impl Fn(usize) -> bool,
) -> Result<ColumnValues<'r, M>, WriteError> {
    let mut keys = Vec::with_capacity(M::TABLE.lookups.len());
    for (position, lookup) in M::TABLE.lookups.iter().enumerate() {
        if !wanted(position) {
            keys.push(Vec::new());
            continue;
        }

        let natural = records.iter().map(|record| match natural_key(*record, position, lookup) {
            Ok(key) => (key, None),
            Err(reason) => (None, Some(reason)),
        });

        let (natural, wrong): (Vec<_>, Vec<_>) = natural.unzip();
        let found = lookup::lookup_keys(context, connection, &lookup.foreign_key, natural).await?;
        keys.push(found.into_iter().zip(wrong).map(|(key, wrong)| wrong.map_or(key, Err)).collect());
    }

    Ok(ColumnValues { records: records.to_vec(), keys })
}

/// The keys by which records' rows are found.
pub(crate) async fn locate<'r, M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    old: &[&'r M],
) -> Result<RowKeys<'r, M>, WriteError> {
    let has_key =
        |record: &&M| M::TABLE.key.is_some_and(|key| matches!(record.value(key), Ok(value) if value != Value::Null));
    let identified = identified(M::TABLE);
    let needed = |lookup: usize| identified.iter().any(|(_, source)| *source == ColumnSource::Lookup(lookup));
    let all_have = old.iter().all(has_key);
    let resolved = resolve(context, connection, old, |lookup| !all_have && needed(lookup)).await?;
    Ok(RowKeys { resolved, identified })
}

/// Columns with their types.
pub(crate) fn typed_columns(
    context: &SqlContext,
    columns: &[Column],
    table: &SqlTable,
    names: &[&'static str],
) -> Result<Vec<TypedColumn>, WriteError> {
    let typed = |name: &&'static str| {
        let column =
            column_of(columns, table.name, name).map_err(|error| context.server().fatal_schema_error(&error))?;
        Ok(TypedColumn { name, ty: column.ty.clone(), compared_exactly: false })
    };
    names.iter().map(typed).collect()
}

/// The columns by which rows to be written are found: only rows with exactly these values.
pub(crate) async fn exact_columns(
    context: &SqlContext,
    connection: &mut dyn Connection,
    table: &'static SqlTable,
    by: &RowKey,
) -> Result<Vec<TypedColumn>, WriteError> {
    let columns = context.columns(connection, table.name).await?;
    let mut typed = typed_columns(context, &columns, table, &by.columns)?;
    let inexact = inexact_identifiers(context, connection, table).await?;
    for column in &mut typed {
        column.compared_exactly = inexact.contains(&column.name);
    }

    Ok(typed)
}

/// The columns of the identifier in which rows may hold different values that the column calls equal, queried once in a
/// run.
async fn inexact_identifiers(
    context: &SqlContext,
    connection: &mut dyn Connection,
    table: &'static SqlTable,
) -> Result<Arc<Vec<&'static str>>, WriteError> {
    let mut known = context.inexact_identifiers.lock().await;
    if let Some(known) = known.get(table.name) {
        return Ok(Arc::clone(known));
    }

    let identity = equal_identifiers::identity_columns(context, connection, table).await?;
    let column = |(position, found): &(usize, InexactColumn)| {
        let field = table.fields.get(*identity.fields.get(*position)?)?;
        match field.place {
            // Other kinds, as a UUID, may be stored in other letters than they are written in here.
            Place::Column(column) if found.keeps_variants && field.kind == ValueKind::Text => Some(column),
            Place::Column(_) | Place::Lookup(..) => None,
        }
    };

    let found: Arc<Vec<&'static str>> = Arc::new(identity.coarse.iter().filter_map(column).collect());
    known.insert(table.name, Arc::clone(&found));
    Ok(found)
}

/// The columns by which a row is found, and those that are null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey {
    pub(crate) columns: Vec<&'static str>,
    pub(crate) nulls: Vec<&'static str>,
}

impl RowKey {
    /// Describes the condition for the last of these rows.
    pub(crate) fn place(&self, rows: &RowBatch<'_>) -> String {
        let shown = rows.values.iter().rev().take(self.columns.len()).map(Value::shown).collect::<Vec<_>>();
        let place = self.columns.iter().zip(shown.iter().rev()).map(|(column, value)| format!("`{column}` = {value}"));
        let null = self.nulls.iter().map(|column| format!("`{column}` null"));
        place.chain(null).collect::<Vec<_>>().join(" and ")
    }
}

/// Records with the keys by which their rows are found.
pub(crate) struct RowKeys<'r, M> {
    resolved: ColumnValues<'r, M>,
    identified: Vec<(&'static str, ColumnSource)>,
}

impl<'r, M: SqlModel> RowKeys<'r, M> {
    /// The columns by which a record is found, and their values.
    pub(crate) fn by(&self, record: usize) -> Result<(RowKey, Vec<Value<'r>>), TargetError> {
        if let (Some(key), Some(column)) = (M::TABLE.key, M::TABLE.key_column()) {
            let value = self.resolved.value(record, ColumnSource::Field(key))?;
            if value != Value::Null {
                return Ok((RowKey { columns: vec![column], nulls: Vec::new() }, vec![value]));
            }
        }

        let mut by = RowKey { columns: Vec::new(), nulls: Vec::new() };
        let mut values = Vec::new();
        for (column, source) in &self.identified {
            match self.resolved.value(record, *source)? {
                Value::Null => by.nulls.push(column),
                value => {
                    by.columns.push(column);
                    values.push(value);
                }
            }
        }

        Ok((by, values))
    }
}

/// The natural key that a record has for a lookup, if it names anything.
fn natural_key<'r, M: SqlModel>(
    record: &'r M,
    position: usize,
    lookup: &Lookup,
) -> Result<Option<Vec<Value<'r>>>, String> {
    let column = lookup.foreign_key.column;
    let parts = lookup.fields.iter().map(|field| record.value(*field)).collect::<Result<Vec<_>, _>>();
    let parts = parts.map_err(|reason| format!("the natural key of `{column}` {reason}"))?;
    if !parts.contains(&Value::Null) {
        return Ok(Some(parts));
    }

    let mut named = lookup.fields.iter().zip(&parts).filter(|(_, part)| **part != Value::Null);
    let lost = named.find_map(|(field, _)| {
        let field = M::TABLE.fields.get(*field)?;
        matches!(field.place, Place::Lookup(at, _) if at == position).then_some(field.name)
    });

    match lost {
        None => Ok(None),
        Some(lost) => Err(format!(
            "`{column}` would be null, since a part of its natural key is empty, and `{lost}` is stored nowhere else: \
             fill in all parts, or give `{lost}` a column of its own"
        )),
    }
}

/// An error unless as many rows were written as records: otherwise a row is missing, or several rows are equal.
pub(crate) fn check_row_count<M: SqlModel>(
    written: u64,
    wanted: usize,
    by: &RowKey,
    rows: &RowBatch<'_>,
) -> Result<(), TargetError> {
    if written == wanted as u64 {
        return Ok(());
    }

    // The core then writes the records one by one, which shows the one.
    if wanted > 1 {
        return Err(TargetError::new(format!("{written} rows of `{}` were found for {wanted} records", M::TABLE.name)));
    }

    let place = by.place(rows);
    let owner = M::TABLE.owner.map(|owner| format!(", or it is not `{}`'s any more", owner.value)).unwrap_or_default();
    Err(TargetError::new(match written {
        0 => format!("`{}` has no row with {place} any more{owner}", M::TABLE.name),
        _ => format!("`{}` has {written} rows with {place}", M::TABLE.name),
    }))
}

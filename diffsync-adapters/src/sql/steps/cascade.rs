//! Rows that the database itself deletes or empties together with another row. They are checked before a write.
//!
//! A foreign key may have `ON DELETE CASCADE` or `SET NULL`. If the data set has it as a link, the core knows the dependents of
//! a record. Any other foreign key would lose rows that are in no diff.

use std::collections::{BTreeMap, BTreeSet};

use diffsync_core::adapter::TargetError;
use diffsync_core::model::Flags;

use super::answers::{RecordResults, together};
use super::find_rows::{RowQuery, find_rows};
use super::row_identity::{ColumnSource, RowKey, is_changed, sources};
use super::{row_identity, write_rows};
use crate::sql::catalogue::column_of;
use crate::sql::catalogue::foreign_keys::{Action, ReferringKey};
use crate::sql::context::SqlContext;
use crate::sql::dialect::{Connection, RowBatch};
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::Row;
use crate::sql::model::schema::SqlTable;
use crate::sql::model::value::{Value, ValueKind};
use crate::sql::session::error::WriteError;

/// The maximum length of a chain of foreign keys. A table that refers to itself has chains of any length.
const LONGEST: usize = 6;

/// A chain of foreign keys that act when a row of a model's table is deleted. All but the last are links of the data set.
struct Cascade<'k> {
    path: Vec<&'k ReferringKey>,
    /// Whether the chain continues.
    is_cut: bool,
}

impl Cascade<'_> {
    /// Describes the effect, with the number of rows if it is known.
    fn describe(&self, count: Option<u64>) -> String {
        let Some((last, links)) = self.path.split_last() else { return String::new() };
        let ReferringKey { table, columns, .. } = last;
        let rows = match count {
            None => "rows".to_owned(),
            Some(1) => "1 row".to_owned(),
            Some(count) => format!("{count} rows"),
        };

        let through: Vec<String> = links.iter().map(|key| format!("`{}`", key.table)).collect();
        let through = if links.is_empty() { String::new() } else { format!(" through {}", through.join(" and ")) };
        if self.is_cut {
            return format!("delete {rows} of `{table}`{through} and all that refers to these");
        }
        if last.on_delete == Action::Cascade {
            return format!("delete {rows} of `{table}`{through}");
        }

        format!("empty {} in {rows} of `{table}`{through}", quoted(columns))
    }

    /// Why these rows cannot be counted, if they cannot.
    fn hidden(&self) -> Option<&'static str> {
        self.path.last()?.hidden
    }

    /// The tables and the condition for the rows at the end of the chain that depend on the row `t`.
    fn referring(&self, context: &SqlContext) -> String {
        let quotes = context.database().quotes();
        let (mut from, mut same) = (Vec::new(), Vec::new());
        let mut above = "t".to_owned();
        for (at, key) in self.path.iter().enumerate() {
            let own = format!("r{at}");
            from.push(format!("{} AS {own}", key.quoted));
            let pairs = key.columns.iter();
            same.extend(
                pairs.map(|(column, to)| format!("{own}.{} = {above}.{}", quotes.column(column), quotes.column(to))),
            );
            above = own;
        }

        format!("FROM {} WHERE {}", from.join(", "), same.join(" AND "))
    }
}

/// Describes what the database would do to rows outside the data set when rows of this table are deleted.
pub(crate) async fn describe_cascades(
    context: &SqlContext,
    connection: &mut dyn Connection,
    table: &SqlTable,
) -> Result<Option<String>, sqlx::Error> {
    let keys = context.foreign_keys(connection).await?;
    let all: Vec<String> =
        cascades_from(context, &keys, table.name).iter().map(|cascade| cascade.describe(None)).collect();
    Ok((!all.is_empty()).then(|| all.join(" and ")))
}

/// Deletes records, except those whose delete would make the database delete or empty rows outside the data set.
pub(crate) async fn delete_unless_cascading<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    old: &[&M],
) -> Result<RecordResults<()>, WriteError> {
    let mut refused = refused_deletes(context, connection, old).await?;
    if refused.is_empty() {
        return write_rows::delete_rows(context, connection, old).await;
    }

    let free: Vec<&M> =
        old.iter().enumerate().filter(|(at, _)| !refused.contains_key(at)).map(|(_, old)| *old).collect();
    let written =
        if free.is_empty() { Vec::new() } else { write_rows::delete_rows(context, connection, &free).await? };
    Ok(together(written, (0..old.len()).map(|at| refused.remove(&at)).collect()))
}

/// Why records, by their positions, are not deleted.
async fn refused_deletes<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    old: &[&M],
) -> Result<BTreeMap<usize, TargetError>, WriteError> {
    if M::TABLE.cascades {
        return Ok(BTreeMap::new());
    }

    let keys = context.foreign_keys(connection).await?;
    let cascades = cascades_from(context, &keys, M::TABLE.name);
    if let Some((cascade, why)) = cascades.iter().find_map(|cascade| Some((cascade, cascade.hidden()?))) {
        let refused = |at| (at, uncountable("with", M::TABLE.name, &cascade.describe(None), why));
        return Ok((0..old.len()).map(refused).collect());
    }

    let mut refused = refused_for_links(context, connection, old, &keys).await?;
    for (record, counts) in count_rows(context, connection, old, &cascades).await? {
        let what = cascades.iter().zip(counts).filter(|(_, count)| *count > 0);
        let what = what.map(|(cascade, count)| cascade.describe(Some(count))).collect::<Vec<_>>();
        refused.insert(record, refusal("with", M::TABLE.name, &what.join(" and ")));
    }

    Ok(refused)
}

/// Why records, by their positions, are not deleted: rows refer to them by a link. The core has already deleted the planned
/// ones, so these rows were added since, or have stayed.
async fn refused_for_links<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    old: &[&M],
    keys: &[ReferringKey],
) -> Result<BTreeMap<usize, TargetError>, WriteError> {
    let mut refused = BTreeMap::new();
    // Such a model leaves its dependents to the database.
    if M::SCHEMA.flags.contains(Flags::SKIP_CHILDREN_ON_DELETE) {
        return Ok(refused);
    }

    let links = keys.iter().filter(|key| {
        key.parent == M::TABLE.name && key.is_link && key.hidden.is_none() && key.on_delete != Action::Nothing
    });
    let quotes = context.database().quotes();
    for key in links {
        // Joined, so that the other table is read once at most for all records.
        let pairs = key.columns.iter();
        let same = pairs.map(|(column, to)| format!("r.{} = t.{}", quotes.column(column), quotes.column(to)));
        let same = same.collect::<Vec<_>>().join(" AND ");
        let from = format!("{} AS t JOIN {} AS r ON {same}", quotes.table(M::TABLE.name), key.quoted);

        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        let mut each = |record: usize, _: &dyn Row| *counts.entry(record).or_default() += 1;
        let query = RecordQuery { items: &["1".to_owned()], from: &from, filter: None };
        find_of_records(context, connection, old, &query, &mut each).await?;

        for (record, count) in counts {
            let cascade = Cascade { path: vec![key], is_cut: false };
            refused.entry(record).or_insert_with(|| still_linked(M::TABLE.name, &cascade.describe(Some(count))));
        }
    }

    Ok(refused)
}

/// Why records, by their positions, are not updated: a foreign key refers to a value that they lose, and the database
/// would empty it with that.
pub(crate) async fn refused_updates<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    changes: &[(&M, &M::Patch)],
    new: &[&M],
) -> Result<BTreeMap<usize, TargetError>, WriteError> {
    let mut refused = BTreeMap::new();
    if M::TABLE.cascades {
        return Ok(refused);
    }

    let keys = context.foreign_keys(connection).await?;
    for key in keys.iter().filter(|key| key.parent == M::TABLE.name && key.on_update != Action::Nothing) {
        let is_of_key = |column: &str| key.columns.iter().any(|(_, to)| context.is_column(to, column));
        let of_key: Vec<ColumnSource> =
            sources(M::TABLE).into_iter().filter(|(column, _)| is_of_key(column)).map(|(_, source)| source).collect();
        // `ON UPDATE CASCADE` passes a new value on, but not null.
        let empties = |at: usize, patch: &M::Patch| {
            let lost = |source: &ColumnSource| {
                key.on_update == Action::Empty || new.get(at).is_some_and(|new| is_null(*new, *source))
            };
            of_key.iter().any(|source| is_changed::<M>(patch, *source) && lost(source))
        };

        let positions: Vec<usize> =
            changes.iter().enumerate().filter(|(at, (_, patch))| empties(*at, patch)).map(|(at, _)| at).collect();
        if positions.is_empty() {
            continue;
        }

        let columns = quoted(&key.columns);
        if let Some(why) = key.hidden {
            let what = format!("empty {columns} in rows of `{}`", key.table);
            refused.extend(positions.into_iter().map(|at| (at, uncountable("by updating", M::TABLE.name, &what, why))));
            continue;
        }

        let old: Vec<&M> = positions.iter().filter_map(|at| changes.get(*at)).map(|(old, _)| *old).collect();
        let cascade = Cascade { path: vec![key], is_cut: false };
        for (at, counts) in count_rows(context, connection, &old, &[cascade]).await? {
            let rows = counts.first().copied().unwrap_or_default();
            let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
            let what = format!("empty {columns} in {rows} of `{}`", key.table);
            if let Some(record) = positions.get(at) {
                refused.insert(*record, refusal("by updating", M::TABLE.name, &what));
            }
        }
    }

    Ok(refused)
}

/// The number of rows at the end of each chain, for each record, by its position, that has any.
async fn count_rows<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    old: &[&M],
    cascades: &[Cascade<'_>],
) -> Result<BTreeMap<usize, Vec<u64>>, WriteError> {
    let mut counted = BTreeMap::new();
    if cascades.is_empty() {
        return Ok(counted);
    }

    let referring: Vec<String> = cascades.iter().map(|cascade| cascade.referring(context)).collect();
    let items: Vec<String> = referring.iter().map(|rows| format!("(SELECT count(*) {rows})")).collect();
    let any = referring.iter().map(|rows| format!("EXISTS (SELECT 1 {rows})")).collect::<Vec<_>>().join(" OR ");

    let from = format!("{} AS t", context.database().quotes().table(M::TABLE.name));
    let filter = format!("({any})");
    let mut each = |record: usize, row: &dyn Row| {
        let count = |position| match row.value(position, ValueKind::Int64) {
            Ok(Value::Int(count)) => u64::try_from(count).unwrap_or_default(),
            _ => 0,
        };
        counted.insert(record, (0..items.len()).map(count).collect());
    };

    let query = RecordQuery { items: &items, from: &from, filter: Some(&filter) };
    find_of_records(context, connection, old, &query, &mut each).await?;
    Ok(counted)
}

/// A query of the rows `t` of records.
struct RecordQuery<'a> {
    items: &'a [String],
    from: &'a str,
    filter: Option<&'a str>,
}

/// Calls `each` with the result of a query of records' rows, and the position of the record.
async fn find_of_records<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn Connection,
    old: &[&M],
    query: &RecordQuery<'_>,
    each: &mut (dyn FnMut(usize, &dyn Row) + Send),
) -> Result<(), WriteError> {
    let located = row_identity::locate(context, connection, old).await?;
    let mut groups: BTreeMap<RowKey, (RowBatch<'_>, Vec<usize>)> = BTreeMap::new();
    for record in 0..old.len() {
        // A record that is not found is reported when it is written.
        if let Ok((by, values)) = located.by(record)
            && !values.is_empty()
        {
            let (batch, records) = groups.entry(by).or_insert_with(|| (RowBatch::new(values.len()), Vec::new()));
            batch.values.extend(values);
            records.push(record);
        }
    }

    let columns = context.columns(connection, M::TABLE.name).await?;
    let quotes = context.database().quotes();
    for (by, (batch, records)) in &groups {
        let mut typed = Vec::with_capacity(by.columns.len());
        for name in &by.columns {
            let column = column_of(&columns, M::TABLE.name, name)
                .map_err(|error| context.server().fatal_schema_error(&error))?;
            typed.push((format!("t.{}", quotes.column(name)), column.ty.clone()));
        }

        let nulls = by.nulls.iter().map(|column| format!("t.{} IS NULL", quotes.column(column)));
        let filter: Vec<String> = query.filter.map(str::to_owned).into_iter().chain(nulls).collect();
        let filter = (!filter.is_empty()).then(|| filter.join(" AND "));
        let wanted = RowQuery { items: query.items, from: query.from, by: &typed, filter: filter.as_deref() };
        let mut each = |at: usize, row: &dyn Row| {
            if let Some(record) = records.get(at) {
                each(*record, row);
            }
        };
        find_rows(context.database().engine(), connection, &wanted, batch, &mut each).await?;
    }

    Ok(())
}

/// The chains of foreign keys that lead from a table to rows outside the data set, and that act when a row of the table is
/// deleted.
fn cascades_from<'k>(context: &SqlContext, keys: &'k [ReferringKey], table: &'static str) -> Vec<Cascade<'k>> {
    let may_cascade = |name: &str| context.models.tables.iter().any(|table| table.name == name && table.cascades);
    let mut found = Vec::new();
    let mut open: Vec<(&'static str, Vec<&ReferringKey>)> = vec![(table, Vec::new())];
    while let Some((from, path)) = open.pop() {
        for key in keys.iter().filter(|key| key.parent == from && key.on_delete != Action::Nothing) {
            let mut path = path.clone();
            path.push(key);
            match key.child {
                // The core has deleted the rows of a link before, unless it leaves them to the database.
                Some(child) if key.is_link && key.hidden.is_none() => {
                    if key.on_delete != Action::Cascade || !cascades_further(keys, child) {
                        continue;
                    }

                    if path.len() < LONGEST {
                        open.push((child, path));
                    } else {
                        found.push(Cascade { path, is_cut: true });
                    }
                }
                _ if path.len() > 1 && may_cascade(from) => {}
                _ => found.push(Cascade { path, is_cut: false }),
            }
        }
    }

    found
}

/// Whether a delete in a table acts on rows that are not held as links, however far along the chain.
fn cascades_further(keys: &[ReferringKey], table: &'static str) -> bool {
    let (mut seen, mut open) = (BTreeSet::from([table]), vec![table]);
    while let Some(from) = open.pop() {
        for key in keys.iter().filter(|key| key.parent == from && key.on_delete != Action::Nothing) {
            let Some(child) = key.child.filter(|_| key.is_link && key.hidden.is_none()) else { return true };
            if key.on_delete == Action::Cascade && seen.insert(child) {
                open.push(child);
            }
        }
    }

    false
}

/// Whether a record has null for a column.
fn is_null<M: SqlModel>(record: &M, source: ColumnSource) -> bool {
    let is_null = |field: usize| matches!(record.value(field), Ok(Value::Null));
    match source {
        ColumnSource::Field(field) => is_null(field),
        ColumnSource::Lookup(lookup) => {
            M::TABLE.lookups.get(lookup).is_some_and(|lookup| lookup.fields.iter().any(|field| is_null(*field)))
        }
        ColumnSource::Owner => false,
    }
}

fn quoted(columns: &[(String, String)]) -> String {
    columns.iter().map(|(column, _)| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}

fn refusal(doing: &str, table: &str, what: &str) -> TargetError {
    TargetError::new(format!(
        "{doing} the row of `{table}` the database would {what}, which the data set does not hold: change these first, or put \
         `#[sql(cascades)]` on the model"
    ))
}

fn still_linked(table: &str, what: &str) -> TargetError {
    TargetError::new(format!(
        "with the row of `{table}` the database would {what}, which the run does not delete: it was added after the target was \
         loaded, or has stayed, so run again, or put `#[sql(cascades)]` on the model"
    ))
}

fn uncountable(doing: &str, table: &str, what: &str, why: &str) -> TargetError {
    TargetError::new(format!(
        "{doing} the row of `{table}` the database would {what}, if there are any, which cannot be checked: {why}; let the \
         login read all of it, or put `#[sql(cascades)]` on the model"
    ))
}

//! Creates the tables of a data set.

use std::collections::HashMap;
use std::fmt::Write;

use diffsync_core::adapter::{AdapterError, TargetError};

use super::required_columns;
use super::required_columns::RequiredTable;
use super::row_identity::identity;
use crate::sql::context::SqlContext;
use crate::sql::dialect::Connection;
use crate::sql::dialect::quoting::suggestion;
use crate::sql::model::schema::{Lookup, Role, SqlTable};
use crate::sql::model::value::ValueKind;

/// Whether none of the tables exists. If some exist, the missing ones must not pass for empty tables.
pub(crate) async fn no_table_exists(
    context: &SqlContext,
    connection: &mut dyn Connection,
) -> Result<bool, AdapterError> {
    for table in &context.models.tables {
        let columns =
            connection.columns(table.name).await.map_err(|error| context.server().unreadable(table.name, &error))?;
        if !columns.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Refuses to create the tables if lookups lead to tables that neither exist nor are created with them: they would be created
/// without foreign keys, which are not added later.
pub(crate) async fn check_lookup_targets(
    context: &SqlContext,
    connection: Option<&mut dyn Connection>,
) -> Result<(), AdapterError> {
    let missing_targets = missing_lookup_targets(context, connection).await?;
    if missing_targets.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = missing_targets.into_iter().map(|(_, reason)| reason).collect();
    Err(context.server().schema_error(&reasons.join("; ")))
}

/// Tables and columns that lookups lead to and that neither exist nor are created: each table, and what is missing. Without a
/// connection, nothing exists yet.
pub(crate) async fn missing_lookup_targets(
    context: &SqlContext,
    mut connection: Option<&mut dyn Connection>,
) -> Result<Vec<(&'static str, String)>, AdapterError> {
    let mut missing_targets = Vec::new();
    for RequiredTable { table, columns: used, .. } in required_columns::required_columns(context) {
        let unreadable = |error| context.server().unreadable(table, &error);
        let own = context.models.tables.iter().find(|own| own.name == table);
        let columns: Vec<String> = match (own, connection.as_deref_mut()) {
            (Some(own), _) => created_columns(context, own).into_iter().map(str::to_owned).collect(),
            (None, Some(connection)) => {
                let columns = connection.columns(table).await.map_err(unreadable)?;
                columns.into_iter().map(|column| column.name).collect()
            }
            (None, None) => Vec::new(),
        };

        if columns.is_empty() {
            let mut there: Vec<String> = context.models.tables.iter().map(|own| own.name.to_owned()).collect();
            if let Some(connection) = connection.as_deref_mut() {
                there.extend(connection.tables().await.map_err(unreadable)?);
            }
            let suggestion = suggestion(table, there.iter().map(String::as_str));
            missing_targets.push((table, format!("there is no table `{table}`, and no model creates it{suggestion}")));
            continue;
        }

        let is = if own.is_some() { "is created without" } else { "has no" };
        for missing in used.iter().filter(|used| !columns.iter().any(|column| column == used.name)) {
            let suggestion = suggestion(missing.name, columns.iter().map(String::as_str));
            missing_targets.push((table, format!("`{table}` {is} column `{}`{suggestion}", missing.name)));
        }
    }

    Ok(missing_targets)
}

/// The columns that a table is created with.
fn created_columns(context: &SqlContext, table: &SqlTable) -> Vec<&'static str> {
    let fields = table.columns().map(|(_, column, _)| column);
    let lookups = table.lookups.iter().map(|lookup| lookup.foreign_key.column);
    let owner = table.owner.iter().map(|owner| owner.column);
    let mut columns: Vec<&'static str> = fields.chain(lookups).chain(owner).collect();
    if let Some(key) = created_key(context, table)
        && !columns.contains(&key)
    {
        columns.push(key);
    }

    columns
}

/// Creates the tables that are missing, if that is allowed.
pub(crate) async fn create_tables(context: &SqlContext) -> Result<(), TargetError> {
    if !context.create_tables {
        return Ok(());
    }

    let created = context.tables_created.get_or_try_init(|| async {
        let mut connection = context.session.connection(true).await?;
        // All or none, if the database has transactions for this.
        connection.execute(context.database().begin()).await?;
        let placed = creation_order(context);
        let mut closing = Vec::new();
        for (position, table) in placed.iter().enumerate() {
            // Another run may have created it since, and added the foreign keys of the circles that it is part of.
            if connection.columns(table.name).await?.is_empty() {
                closing.extend(deferred_foreign_keys(context, position, &placed));
            }
            connection.execute(&create_statement(context, position, &placed)).await?;
        }

        for statement in closing {
            connection.execute(&statement).await?;
        }
        connection.execute("COMMIT").await?;
        context.session.give_back(connection);
        Ok(())
    });

    created.await.map(drop).map_err(|error: sqlx::Error| context.server().write_error("create the tables", &error, &[]))
}

/// The tables, each after those that it refers to, except in circles.
fn creation_order(context: &SqlContext) -> Vec<&'static SqlTable> {
    let mut placed: Vec<&'static SqlTable> = Vec::new();
    while placed.len() < context.models.tables.len() {
        let waits = |table: &&&'static SqlTable| {
            let refers = |lookup: &Lookup| {
                let here = context.models.tables.iter().any(|other| other.name == lookup.foreign_key.table);
                here && lookup.foreign_key.table != table.name
                    && !placed.iter().any(|other| other.name == lookup.foreign_key.table)
            };
            table.lookups.iter().any(refers)
        };

        let left = || context.models.tables.iter().filter(|table| !placed.iter().any(|other| other.name == table.name));
        let Some(next) = left().find(|table| !waits(table)).or_else(|| left().next()) else { break };
        placed.push(next);
    }

    placed
}

/// The foreign key of a lookup, if what it leads to is unique in one of these tables: else it cannot be referred to.
fn foreign_key_clause(context: &SqlContext, lookup: &'static Lookup, there: &[&'static SqlTable]) -> Option<String> {
    let (foreign_key, quotes) = (&lookup.foreign_key, context.database().quotes());
    let key = context.key_of(foreign_key);
    let mut others = there.iter().copied().filter(|other| other.name == foreign_key.table);
    others.find(|other| created_key(context, other) == Some(key) || identity(other) == [key])?;
    let (column, to, key) = (quotes.column(foreign_key.column), quotes.table(foreign_key.table), quotes.column(key));
    Some(format!("FOREIGN KEY ({column}) REFERENCES {to} ({key})"))
}

/// The statements that add the foreign keys by which a table refers to those that are created after it: tables refer to
/// each other where a reference is deferred.
fn deferred_foreign_keys(context: &SqlContext, position: usize, placed: &[&'static SqlTable]) -> Vec<String> {
    let (Some(table), Some(later)) = (placed.get(position), placed.get(position + 1..)) else { return Vec::new() };
    if context.database().allows_forward_references() {
        return Vec::new();
    }
    let quoted = context.database().quotes().table(table.name);
    let keys = table.lookups.iter().filter_map(|lookup| foreign_key_clause(context, lookup, later));
    keys.map(|key| format!("ALTER TABLE {quoted} ADD {key}")).collect()
}

/// The statement that creates the table at this position.
fn create_statement(context: &SqlContext, position: usize, placed: &[&'static SqlTable]) -> String {
    let there = if context.database().allows_forward_references() {
        placed
    } else {
        placed.get(..=position).unwrap_or_default()
    };

    let Some(table) = placed.get(position) else { return String::new() };
    let (database, quotes) = (context.database(), context.database().quotes());
    let unique = identity(table);
    let mut lines = Vec::new();
    let key = created_key(context, table);
    if let Some(key) = key {
        let kind = table.key.and_then(|key| table.fields.get(key)).map_or(ValueKind::Int64, |field| field.kind);
        lines.push(format!("{} {}", quotes.column(key), database.key_type(kind)));
    }

    let mut nullable: HashMap<&str, bool> = HashMap::new();
    for (_, column, field) in table.columns().filter(|(_, column, _)| Some(*column) != key) {
        let ty =
            field.declared.map_or_else(|| database.column_type(field.kind, unique.contains(&column)), str::to_owned);
        let not_null = if field.nullable || field.role == Role::Local { "" } else { " NOT NULL" };
        nullable.insert(column, field.nullable);
        lines.push(format!("{} {ty}{not_null}", quotes.column(column)));
    }

    for lookup in table.lookups {
        let (foreign_key, is_nullable) = (&lookup.foreign_key, table.is_nullable(lookup));
        let other = context.models.tables.iter().find(|other| other.name == foreign_key.table);
        let key = context.key_of(foreign_key);
        let held = other.and_then(|other| other.columns().find(|(_, column, _)| *column == key));
        let kind = held.map_or(ValueKind::Int64, |(_, _, field)| field.kind);
        // A foreign key must be of the type that it refers to.
        let declared =
            held.filter(|(_, column, _)| other.and_then(|other| created_key(context, other)) != Some(*column));
        let declared = declared.and_then(|(_, _, field)| field.declared);
        let ty = declared.map_or_else(|| database.column_type(kind, true), str::to_owned);
        let mut line = format!("{} {ty}", quotes.column(foreign_key.column));
        if !is_nullable {
            line.push_str(" NOT NULL");
        }

        nullable.insert(foreign_key.column, is_nullable);
        lines.push(line);
        lines.extend(foreign_key_clause(context, lookup, there));
    }

    if let Some(owner) = &table.owner {
        lines.push(format!("{} {}", quotes.column(owner.column), database.column_type(ValueKind::Text, true)));
    }

    let is_key = key.is_none() && unique.iter().all(|column| nullable.get(column) == Some(&false));
    let word = if is_key { "PRIMARY KEY" } else { "UNIQUE" };
    lines.push(format!("{word} ({})", quotes.columns(unique.iter().copied())));

    // Constraints follow the columns.
    lines.sort_by_key(|line| line.starts_with("FOREIGN KEY") || line.starts_with(word));
    let mut sql = String::new();
    let _ = write!(sql, "CREATE TABLE IF NOT EXISTS {} ({})", quotes.table(table.name), lines.join(", "));
    sql
}

/// The key that a table is created with: its own, or the one by which other tables refer to it.
fn created_key(context: &SqlContext, table: &SqlTable) -> Option<&'static str> {
    if let Some(key) = table.key_column() {
        return Some(key);
    }
    let mut lookups = context.models.tables.iter().flat_map(|other| other.lookups);
    let foreign_key = &lookups.find(|lookup| lookup.foreign_key.table == table.name)?.foreign_key;
    let key = context.key_of(foreign_key);
    table.columns().all(|(_, column, _)| column != key).then_some(key)
}

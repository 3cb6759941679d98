//! The query of a model's table, joined with the tables of its lookups.

use std::fmt::Write;

use diffsync_core::adapter::AdapterError;

use crate::sql::catalogue::{Catalogue, column_of};
use crate::sql::context::SqlContext;
use crate::sql::dialect::{Column, Connection, Database};
use crate::sql::model::schema::{ForeignKey, Part, Place, SqlField, SqlTable};
use crate::sql::model::value::ValueKind;

/// The query that reads a table: a value for each field, then for each foreign key, then the owner.
pub(crate) async fn select(
    table: &'static SqlTable,
    context: &SqlContext,
    connection: &mut dyn Connection,
    catalogue: &Catalogue,
) -> Result<String, AdapterError> {
    let Selection { items, from, .. } = selection(table, context, connection, catalogue).await?;
    Ok(format!("SELECT {} FROM {from}", items.join(", ")))
}

/// The selection of a table.
pub(crate) struct Selection {
    /// A value for each field, then for each foreign key, then the owner.
    pub(crate) items: Vec<String>,
    /// The table `t`, with the joined tables.
    pub(crate) from: String,
    /// The column of each field.
    pub(crate) places: Vec<FieldColumn>,
}

/// The column of a field.
pub(crate) struct FieldColumn {
    pub(crate) table: &'static str,
    pub(crate) column: Column,
    pub(crate) qualified: String,
}

/// Builds the selection of a table.
pub(crate) async fn selection(
    table: &'static SqlTable,
    context: &SqlContext,
    connection: &mut dyn Connection,
    catalogue: &Catalogue,
) -> Result<Selection, AdapterError> {
    let (database, quotes) = (context.database(), context.database().quotes());
    let mut joined = JoinBuilder::default();
    let joined_columns: Vec<Vec<JoinedColumn>> =
        table.lookups.iter().map(|lookup| joined.follow(context, "t", &lookup.foreign_key)).collect();
    let (mut items, mut places) = (Vec::new(), Vec::new());
    for field in table.fields {
        let (alias, of, column) = match field.place {
            Place::Column(column) => ("t", table.name, column),
            Place::Lookup(lookup, part) => {
                match joined_columns.get(lookup).and_then(|joined_columns| joined_columns.get(part)) {
                    Some(joined_column) => (joined_column.alias.as_str(), joined_column.table, joined_column.column),
                    None => continue,
                }
            }
        };

        let columns = catalogue.columns(context.server(), connection, of).await?;
        let found = column_of(&columns, of, column).map_err(|error| context.server().schema_error(&error))?;
        items.push(
            select_expression(database, of, found, alias, field)
                .map_err(|error| context.server().schema_error(&error))?,
        );

        let qualified = format!("{alias}.{}", quotes.column(column));
        places.push(FieldColumn { table: of, column: found.clone(), qualified });
    }

    let own = catalogue.columns(context.server(), connection, table.name).await?;
    let foreign = table.lookups.iter().map(|lookup| lookup.foreign_key.column);
    for column in foreign.chain(table.owner.map(|owner| owner.column)) {
        let found = column_of(&own, table.name, column).map_err(|error| context.server().schema_error(&error))?;
        let qualified = format!("t.{}", quotes.column(column));
        // Bytes that are not text would be read as null.
        let is_bytes = database.key_kind(found) == ValueKind::Bytes;
        items.push(if is_bytes { format!("HEX({qualified})") } else { database.text_expression(&qualified) });
    }

    let from = format!("{} AS t{}", quotes.table(table.name), joined.sql);
    Ok(Selection { items, from, places })
}

/// The expression that selects a column of the table `alias` for a field.
pub(crate) fn select_expression(
    database: &dyn Database,
    table: &str,
    column: &Column,
    alias: &str,
    field: &SqlField,
) -> Result<String, String> {
    let qualified = format!("{alias}.{}", database.quotes().column(&column.name));
    let wrong = |reason| format!("`{}` of `{table}` {reason}, for the field `{}`", column.name, field.name);
    database.select_expression(column, &qualified, field.kind).map_err(wrong)
}

/// Joins the tables that foreign keys refer to.
#[derive(Default)]
pub(crate) struct JoinBuilder {
    pub(crate) sql: String,
    count: usize,
}

/// A part of a natural key: a column of a joined table.
pub(crate) struct JoinedColumn {
    pub(crate) alias: String,
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
}

impl JoinBuilder {
    /// Joins the table that a foreign key of the table `from` refers to.
    pub(crate) fn follow(
        &mut self,
        context: &SqlContext,
        from: &str,
        foreign_key: &'static ForeignKey,
    ) -> Vec<JoinedColumn> {
        let quotes = context.database().quotes();
        self.count += 1;
        let alias = format!("j{}", self.count);
        let (table, key) = (quotes.table(foreign_key.table), quotes.column(context.key_of(foreign_key)));
        let column = quotes.column(foreign_key.column);
        // Writing to a text cannot fail.
        let _ = write!(self.sql, " LEFT JOIN {table} AS {alias} ON {alias}.{key} = {from}.{column}");
        self.parts(context, &alias, foreign_key)
    }

    /// The parts of the natural key that a foreign key refers to, in the table `alias`.
    pub(crate) fn parts(
        &mut self,
        context: &SqlContext,
        alias: &str,
        foreign_key: &'static ForeignKey,
    ) -> Vec<JoinedColumn> {
        let mut joined_columns = Vec::new();
        for part in foreign_key.parts {
            match part {
                Part::Column(column) => {
                    joined_columns.push(JoinedColumn { alias: alias.to_owned(), table: foreign_key.table, column });
                }
                Part::Lookup(further) => joined_columns.extend(self.follow(context, alias, further)),
            }
        }

        joined_columns
    }
}

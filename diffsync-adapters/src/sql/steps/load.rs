//! Reads the rows of a table as records.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use diffsync_core::{AdapterError, Flags, LoadContext, Side, Table};

use crate::sql::dialect::quoting::instead;
use crate::sql::dialect::{Column, Connection, Database};
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::{Fields, Row};
use crate::sql::model::schema::{Leads, Part, Place, SqlField, SqlTable};
use crate::sql::model::value::Kind;
use crate::sql::session::Session;

/// A load that goes on: all tables are read by one connection, as they are at one moment.
pub(crate) struct Loading<'l> {
    pub(crate) session: &'l Session,
    pub(crate) connection: &'l mut dyn Connection,
    pub(crate) cx: &'l LoadContext<'l>,
    pub(crate) catalogue: Catalogue,
    pub(crate) done: u64,
}

/// After how many rows a load says how far it is.
const STRIDE: u64 = 10_000;

/// Reads all rows of the table of `M`.
pub(crate) async fn table<M: SqlModel>(data: &mut Table<M>, loading: &mut Loading<'_>) -> Result<(), AdapterError> {
    data.mark_loaded();
    let Loading { session, connection, cx, catalogue, done } = loading;
    let sql = select(M::TABLE, session, &mut **connection, catalogue).await?;
    let columns = catalogue.columns(session, &mut **connection, M::TABLE.name).await?;
    let unknown = columns.iter().filter(|column| !is_known(M::TABLE, &column.name));
    unknown.for_each(|column| data.note_unknown_field(column.name.as_str()));

    let (mut number, mut broken) = (0_u64, None);
    let mut each = |row: &dyn Row| {
        number += 1;
        *done += 1;
        if done.is_multiple_of(STRIDE) {
            cx.progress(*done, None);
        }
        match record(data, &Fields::new(row, M::TABLE), cx.side()) {
            Ok(()) => true,
            Err(problem) => {
                broken = Some(problem);
                false
            }
        }
    };
    connection.rows(&sql, &mut each).await.map_err(|error| session.unreadable(M::TABLE.name, &error))?;
    match broken {
        None => Ok(()),
        Some(problem) => {
            let place = session.shown();
            Err(AdapterError::new(format!(
                "{problem}, in row {number} as it was read from `{place}`; it cannot be told which record it is"
            )))
        }
    }
}

/// Whether a model holds what stands in a column.
fn is_known(table: &SqlTable, column: &str) -> bool {
    let foreign = table.lookups.iter().map(|lookup| lookup.leads.column);
    let own = table.columns().map(|(_, column, _)| column);
    own.chain(foreign).chain(table.owner.map(|owner| owner.column)).any(|known| known == column)
}

/// Takes a row into the table; if it cannot even be told which record it is, says why.
fn record<M: SqlModel>(data: &mut Table<M>, row: &Fields<'_>, side: Side) -> Result<(), String> {
    match M::read(row) {
        Ok(record) => {
            if let Some(owner) = &M::TABLE.owner
                && side == Side::Target
                && row.extra(0).as_deref() != Some(owner.value)
            {
                data.flag(record.id(), Flags::SKIP_UNMATCHED_DST);
            }
            data.insert(record);
        }
        Err(error) => {
            let said = |field: usize, reason: &str| {
                let column = M::TABLE.fields.get(field).map_or("", |field| match field.place {
                    Place::Column(column) => column,
                    Place::Lookup(lookup, _) => M::TABLE.lookups.get(lookup).map_or("", |lookup| lookup.leads.column),
                });
                format!("`{column}` of `{}` {reason}", M::TABLE.name)
            };
            match M::identify(row) {
                Ok(id) => data.reject(id, said(error.field, &error.reason)),
                Err(unidentified) => return Err(said(unidentified.field, &unidentified.reason)),
            }
        }
    }
    Ok(())
}

/// The query that reads a table: a value for each field, then for each foreign key, then the owner.
pub(crate) async fn select(
    table: &'static SqlTable,
    session: &Session,
    connection: &mut dyn Connection,
    catalogue: &mut Catalogue,
) -> Result<String, AdapterError> {
    let Selection { items, from, .. } = selection(table, session, connection, catalogue).await?;
    Ok(format!("SELECT {} FROM {from}", items.join(", ")))
}

/// What is read of a table.
pub(crate) struct Selection {
    /// A value for each field, then for each foreign key, then the owner.
    pub(crate) items: Vec<String>,
    /// The table, which is called `t`, with all that is joined to it.
    pub(crate) from: String,
    /// Where each field is.
    pub(crate) places: Vec<Placed>,
}

/// The column of a field.
pub(crate) struct Placed {
    pub(crate) table: &'static str,
    pub(crate) column: Column,
    pub(crate) qualified: String,
}

/// What is read of a table, and where.
pub(crate) async fn selection(
    table: &'static SqlTable,
    session: &Session,
    connection: &mut dyn Connection,
    catalogue: &mut Catalogue,
) -> Result<Selection, AdapterError> {
    let (database, quotes) = (session.database(), session.database().quotes());
    let mut joined = Joined::default();
    let leaves: Vec<Vec<Leaf>> =
        table.lookups.iter().map(|lookup| joined.follow(session, "t", &lookup.leads)).collect();
    let (mut items, mut places) = (Vec::new(), Vec::new());
    for field in table.fields {
        let (alias, of, column) = match field.place {
            Place::Column(column) => ("t", table.name, column),
            Place::Lookup(lookup, part) => match leaves.get(lookup).and_then(|leaves| leaves.get(part)) {
                Some(leaf) => (leaf.alias.as_str(), leaf.table, leaf.column),
                None => continue,
            },
        };
        let columns = catalogue.columns(session, connection, of).await?;
        let found = column_of(&columns, of, column).map_err(|error| session.lacking(&error))?;
        items.push(selected(database, of, found, alias, field).map_err(|error| session.lacking(&error))?);
        let qualified = format!("{alias}.{}", quotes.column(column));
        places.push(Placed { table: of, column: found.clone(), qualified });
    }
    let own = catalogue.columns(session, connection, table.name).await?;
    let foreign = table.lookups.iter().map(|lookup| lookup.leads.column);
    for column in foreign.chain(table.owner.map(|owner| owner.column)) {
        let found = column_of(&own, table.name, column).map_err(|error| session.lacking(&error))?;
        let qualified = format!("t.{}", quotes.column(column));
        // Bytes that are no text would be read as none.
        let is_bytes = database.key_kind(found) == Kind::Bytes;
        items.push(if is_bytes { format!("HEX({qualified})") } else { database.as_text(&qualified) });
    }
    let from = format!("{} AS t{}", quotes.table(table.name), joined.sql);
    Ok(Selection { items, from, places })
}

/// How a column of a table, which is called `alias`, is selected so that a field can be read from it.
pub(crate) fn selected(
    database: &dyn Database,
    table: &str,
    column: &Column,
    alias: &str,
    field: &SqlField,
) -> Result<String, String> {
    let qualified = format!("{alias}.{}", database.quotes().column(&column.name));
    let wrong = |reason| format!("`{}` of `{table}` {reason}, for the field `{}`", column.name, field.name);
    database.selected(column, &qualified, field.kind).map_err(wrong)
}

/// The column of this name.
pub(crate) fn column_of<'c>(columns: &'c [Column], table: &str, name: &str) -> Result<&'c Column, String> {
    columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let instead = instead(name, columns.iter().map(|column| column.name.as_str()));
        format!("`{table}` has no column `{name}`{instead}")
    })
}

/// What the database says of its tables, asked for once.
#[derive(Default)]
pub(crate) struct Catalogue(HashMap<String, Arc<Vec<Column>>>);

impl Catalogue {
    /// The columns of a table.
    pub(crate) async fn columns(
        &mut self,
        session: &Session,
        connection: &mut dyn Connection,
        table: &str,
    ) -> Result<Arc<Vec<Column>>, AdapterError> {
        if let Some(columns) = self.0.get(table) {
            return Ok(Arc::clone(columns));
        }
        let columns = connection.columns(table).await.map_err(|error| session.unreadable(table, &error))?;
        if columns.is_empty() {
            let there = connection.tables().await.map_err(|error| session.unreadable(table, &error))?;
            let instead = instead(table, there.iter().map(String::as_str));
            return Err(session.lacking(&format!("there is no table `{table}`{instead}")));
        }
        let columns = Arc::new(columns);
        self.0.insert(table.to_owned(), Arc::clone(&columns));
        Ok(columns)
    }
}

/// The tables that foreign keys lead to, joined.
#[derive(Default)]
pub(crate) struct Joined {
    pub(crate) sql: String,
    count: usize,
}

/// A part of a natural key: a column of a joined table.
pub(crate) struct Leaf {
    pub(crate) alias: String,
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
}

impl Joined {
    /// Joins what a foreign key of the table that is called `from` leads to.
    pub(crate) fn follow(&mut self, session: &Session, from: &str, leads: &'static Leads) -> Vec<Leaf> {
        let quotes = session.database().quotes();
        self.count += 1;
        let alias = format!("j{}", self.count);
        let (table, key) = (quotes.table(leads.table), quotes.column(session.key_of(leads)));
        let column = quotes.column(leads.column);
        // Writing to a text cannot fail.
        let _ = write!(self.sql, " LEFT JOIN {table} AS {alias} ON {alias}.{key} = {from}.{column}");
        self.parts(session, &alias, leads)
    }

    /// The parts of the natural key that a foreign key stands for, in a table that is called `alias`.
    pub(crate) fn parts(&mut self, session: &Session, alias: &str, leads: &'static Leads) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for part in leads.parts {
            match part {
                Part::Column(column) => leaves.push(Leaf { alias: alias.to_owned(), table: leads.table, column }),
                Part::Lookup(further) => leaves.extend(self.follow(session, alias, further)),
            }
        }
        leaves
    }
}

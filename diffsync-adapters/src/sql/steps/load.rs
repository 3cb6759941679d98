//! Reads the rows of a table as records.

use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::model::Flags;
use diffsync_core::{ModelExt, Table};

use super::selection::select;
use crate::sql::catalogue::Catalogue;
use crate::sql::context::SqlContext;
use crate::sql::dialect::Connection;
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::{Fields, Row};
use crate::sql::model::schema::{Place, SqlTable};

/// A load that goes on: all tables are read by one connection, as they are at one moment.
pub(crate) struct Loading<'l> {
    pub(crate) context: &'l SqlContext,
    pub(crate) connection: &'l mut dyn Connection,
    pub(crate) cx: &'l LoadContext<'l>,
    pub(crate) catalogue: Catalogue,
    pub(crate) done: u64,
}

/// Emit a progress event every this many rows.
const STRIDE: u64 = 10_000;

/// Reads all rows of the table of `M`.
pub(crate) async fn table<M: SqlModel>(data: &mut Table<M>, loading: &mut Loading<'_>) -> Result<(), AdapterError> {
    data.mark_loaded();
    let Loading { context, connection, cx, catalogue, done } = loading;
    let sql = select(M::TABLE, context, &mut **connection, catalogue).await?;
    let columns = catalogue.columns(context.server(), &mut **connection, M::TABLE.name).await?;
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

    connection.rows(&sql, &mut each).await.map_err(|error| context.server().unreadable(M::TABLE.name, &error))?;
    match broken {
        None => Ok(()),
        Some(problem) => {
            let place = context.server().shown();
            Err(AdapterError::new(format!(
                "{problem}, in row {number} as it was read from `{place}`; it is unknown which record it is"
            )))
        }
    }
}

/// Whether a model has a field for a column.
fn is_known(table: &SqlTable, column: &str) -> bool {
    let foreign = table.lookups.iter().map(|lookup| lookup.foreign_key.column);
    let own = table.columns().map(|(_, column, _)| column);
    own.chain(foreign).chain(table.owner.map(|owner| owner.column)).any(|known| known == column)
}

/// Adds a row to the table, or returns why its identifier cannot be read.
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
            let message = |field: usize, reason: &str| {
                let column = M::TABLE.fields.get(field).map_or("", |field| match field.place {
                    Place::Column(column) => column,
                    Place::Lookup(lookup, _) => {
                        M::TABLE.lookups.get(lookup).map_or("", |lookup| lookup.foreign_key.column)
                    }
                });
                format!("`{column}` of `{}` {reason}", M::TABLE.name)
            };

            match M::identify(row) {
                Ok(id) => data.reject(id, message(error.field, &error.reason)),
                Err(unidentified) => return Err(message(unidentified.field, &unidentified.reason)),
            }
        }
    }

    Ok(())
}

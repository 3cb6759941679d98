//! New records of the source whose identifiers the database considers equal to those of its rows.
//!
//! A column may consider `Zürich` and `Zurich` equal, or store `2026-1-5` as `2026-01-05`. For the comparison these are two
//! records, one to create and one to delete. So before a model is written, the database is queried for such pairs: neither
//! record of a pair is touched, and each error names the other.

use diffsync_core::ModelExt;
use std::sync::Arc;

use diffsync_core::adapter::TargetError;

use super::find_rows::{ROWS, RowQuery, find_rows};
use super::selection::{FieldColumn, Selection, selection};
use crate::sql::catalogue::collation::{self, InexactColumn};
use crate::sql::catalogue::equal_identifiers::EqualIdentifiers;
use crate::sql::context::SqlContext;
use crate::sql::dialect::RowBatch;
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::{Fields, Row};
use crate::sql::model::schema::Role;
use crate::sql::model::value::{Value, ValueKind};
use crate::sql::session::error::WriteError;

/// The columns of the identifier, their fields, and how they compare less exactly than Rust.
pub(crate) struct Identity {
    pub(crate) selection: Selection,
    /// The positions of the fields.
    pub(crate) fields: Vec<usize>,
    /// The columns that are coarse, each with its position in `fields`.
    pub(crate) coarse: Vec<(usize, InexactColumn)>,
    /// Which columns are coarse, and why.
    pub(crate) why: String,
}

/// The pairs of a model, queried once in a run. Candidates are the records of the source that the target lacks.
pub(crate) async fn equal_identifiers<'r, M: SqlModel>(
    context: &SqlContext,
    candidates: impl FnOnce() -> Vec<&'r M> + Send,
) -> Result<Arc<EqualIdentifiers>, TargetError> {
    let mut all = context.equal_identifiers.lock().await;
    if let Some(found) = all.get(M::NAME) {
        return Ok(Arc::clone(found));
    }
    let found = Arc::new(find_equal_identifiers(context, candidates).await?);
    all.insert(M::NAME, Arc::clone(&found));
    Ok(found)
}

async fn find_equal_identifiers<'r, M: SqlModel>(
    context: &SqlContext,
    candidates: impl FnOnce() -> Vec<&'r M> + Send,
) -> Result<EqualIdentifiers, TargetError> {
    let mut writing = context.session.begin().await?;
    let looked_at = identity_columns(context, &mut *writing.connection, M::TABLE).await;
    writing.undo(None).await?;

    let identity = match looked_at {
        Ok(identity) if identity.coarse.is_empty() => return Ok(EqualIdentifiers::default()),
        Ok(identity) => identity,
        Err(WriteError::Known(error)) => return Err(error),
        Err(WriteError::Database(error)) => {
            return Err(context.server().write_error("look at the columns", &error, &[]));
        }
    };

    let mut twins = EqualIdentifiers::new(identity.why.clone());
    let candidates = candidates();
    let mut open: Vec<&[&M]> = candidates.chunks(ROWS).rev().collect();
    while let Some(piece) = open.pop() {
        let mut writing = context.session.begin().await?;
        match collect_pairs(context, &mut *writing.connection, &identity, piece, &mut twins).await {
            Ok(()) => writing.undo(None).await?,
            Err(error) => {
                let failure = context.server().write_error("look for equal identifiers", &error, &[]);
                writing.undo(Some(&error)).await?;
                if failure.kind() != diffsync_core::adapter::TargetErrorKind::Record {
                    return Err(failure);
                }

                // A value that the column cannot hold equals no row, and fails when it is written.
                if piece.len() > 1 {
                    let (first, rest) = piece.split_at(piece.len() / 2);
                    open.extend([rest, first]);
                }
            }
        }
    }

    Ok(twins)
}

/// Notes which of these records the database considers equal to rows.
async fn collect_pairs<M: SqlModel>(
    context: &SqlContext,
    connection: &mut dyn crate::sql::dialect::Connection,
    identity: &Identity,
    records: &[&M],
    twins: &mut EqualIdentifiers,
) -> Result<(), sqlx::Error> {
    let mut rows = RowBatch::new(identity.fields.len());
    let mut asked = Vec::new();
    for record in records {
        let values = identity.fields.iter().map(|field| record.value(*field)).collect::<Result<Vec<_>, _>>();
        // A value that cannot be stored fails later, and null equals nothing.
        if let Ok(values) = values
            && !values.contains(&Value::Null)
        {
            rows.values.extend(values);
            asked.push(*record);
        }
    }

    let by = identity.fields.iter().filter_map(|field| identity.selection.places.get(*field));
    let by: Vec<_> = by.map(|placed| (placed.qualified.clone(), placed.column.ty.clone())).collect();
    let Selection { items, from, .. } = &identity.selection;
    let wanted = RowQuery { items, from, by: &by, filter: None };
    let mut each = |at: usize, row: &dyn Row| {
        let Some((record, Ok(id))) = asked.get(at).map(|record| (record, M::identify(&Fields::new(row, M::TABLE))))
        else {
            return;
        };

        // The same record, created by others since the target was loaded, is found when it is written.
        let new = record.id();
        if new != id {
            twins.note(new.to_string(), id.to_string());
        }
    };

    find_rows(context.database().engine(), connection, &wanted, &rows, &mut each).await
}

/// The columns of the identifier, and how they are coarser than Rust.
pub(crate) async fn identity_columns(
    context: &SqlContext,
    connection: &mut dyn crate::sql::dialect::Connection,
    table: &'static crate::sql::model::schema::SqlTable,
) -> Result<Identity, WriteError> {
    let selection = selection(table, context, connection, &context.catalogue).await;
    let selection = selection.map_err(|error| WriteError::Known(TargetError::fatal(error.to_string())))?;

    let of_identifier = table.fields.iter().enumerate().filter(|(_, field)| field.role == Role::Identifier);
    let of_identifier = of_identifier.filter(|(position, _)| *position < selection.places.len());
    let fields: Vec<usize> = of_identifier.map(|(position, _)| position).collect();
    let columns: Vec<(&FieldColumn, ValueKind)> = fields
        .iter()
        .filter_map(|field| Some((selection.places.get(*field)?, table.fields.get(*field)?.kind)))
        .collect();
    let (mut coarse, mut whys) = (Vec::new(), Vec::new());
    for (position, found) in
        collation::inexact_columns(context.database(), connection, &columns).await?.into_iter().enumerate()
    {
        if let Some(found) = found {
            whys.push(found.why.clone());
            coarse.push((position, found));
        }
    }

    Ok(Identity { fields, coarse, why: whys.join(", "), selection })
}

//! Records of the source that the database takes for ones it already has, although their identifiers differ.
//!
//! A column may take `Zürich` for `Zurich`, or keep `2026-1-5` as `2026-01-05`. To the comparison these are two records, one to
//! create and one to delete. The database is asked which of the source's new identifiers it takes for those of its rows,
//! before anything of the model is written: neither of such a pair is touched, and each error names the other.

use std::collections::HashMap;
use std::sync::Arc;

use diffsync_core::TargetError;

use super::SqlModel;
use super::database::Grid;
use super::equality::Coarse;
use super::form::{Fields, Row};
use super::load::{Placed, Selection, selection};
use super::matching::{Matching, ROWS, matching};
use super::schema::Role;
use super::session::Session;
use super::value::{Kind, Value};
use super::write::Trouble;

/// The pairs of a model.
#[derive(Default)]
pub(crate) struct Twins {
    /// By the identifier of the source's record, that of the row.
    of_source: HashMap<String, String>,
    /// By the identifier of the row, that of the source's record.
    of_row: HashMap<String, String>,
    /// Which columns take them for the same.
    why: String,
}

impl Twins {
    pub(crate) fn is_empty(&self) -> bool {
        self.of_source.is_empty()
    }

    /// Why a record must not be created.
    pub(crate) fn to_create<M: SqlModel>(&self, new: &M) -> Option<TargetError> {
        let id = new.id().to_string();
        let row = self.of_source.get(&id)?;
        let message = format!(
            "`{}` already has {row:?}, which the database takes for {id:?}: {}; write both the same, or, if only the case \
             of letters differs, put `compare = ignore_case` on the identifier",
            M::TABLE.name,
            self.why
        );
        Some(TargetError::conflict(message).held_by(M::NAME, row))
    }

    /// Why a record must not be deleted.
    pub(crate) fn to_delete<M: SqlModel>(&self, old: &M) -> Option<TargetError> {
        let id = old.id().to_string();
        let new = self.of_row.get(&id)?;
        let message = format!(
            "the source has {new:?}, which the database takes for {id:?}: {}; write both the same, or, if only the case of \
             letters differs, put `compare = ignore_case` on the identifier",
            self.why
        );
        Some(TargetError::new(message))
    }
}

/// The columns of the identifier, which fields they are of, and how they are coarser than Rust.
pub(crate) struct Identity {
    pub(crate) selection: Selection,
    /// The positions of the fields.
    pub(crate) fields: Vec<usize>,
    /// The columns that are coarse, each with its position in `fields`.
    pub(crate) coarse: Vec<(usize, Coarse)>,
    /// Which columns are coarse, and why.
    pub(crate) why: String,
}

impl Session {
    /// The pairs of a model, asked for once in a run. Candidates are the records of the source that the target lacks.
    pub(crate) async fn twins<'r, M: SqlModel>(
        &self,
        candidates: impl FnOnce() -> Vec<&'r M> + Send,
    ) -> Result<Arc<Twins>, TargetError> {
        let mut all = self.twins.lock().await;
        if let Some(found) = all.get(M::NAME) {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(self.find_twins(candidates).await?);
        all.insert(M::NAME, Arc::clone(&found));
        Ok(found)
    }

    async fn find_twins<'r, M: SqlModel>(
        &self,
        candidates: impl FnOnce() -> Vec<&'r M> + Send,
    ) -> Result<Twins, TargetError> {
        let mut writing = self.begin().await?;
        let looked_at = self.identity_columns(&mut *writing.connection, M::TABLE).await;
        writing.undo(None).await?;
        let identity = match looked_at {
            Ok(identity) if identity.coarse.is_empty() => return Ok(Twins::default()),
            Ok(identity) => identity,
            Err(Trouble::Known(error)) => return Err(error),
            Err(Trouble::Database(error)) => return Err(self.unwritable("look at the columns", &error, &[])),
        };

        let mut twins = Twins { why: identity.why.clone(), ..Twins::default() };
        let candidates = candidates();
        let mut open: Vec<&[&M]> = candidates.chunks(ROWS).rev().collect();
        while let Some(piece) = open.pop() {
            let mut writing = self.begin().await?;
            match self.take_for_rows(&mut *writing.connection, &identity, piece, &mut twins).await {
                Ok(()) => writing.undo(None).await?,
                Err(error) => {
                    let said = self.unwritable("look for equal identifiers", &error, &[]);
                    writing.undo(Some(&error)).await?;
                    if said.kind() != diffsync_core::TargetErrorKind::Record {
                        return Err(said);
                    }
                    // One that the column cannot hold at all is taken for nothing, and fails when it is written.
                    if piece.len() > 1 {
                        let (first, rest) = piece.split_at(piece.len() / 2);
                        open.extend([rest, first]);
                    }
                }
            }
        }
        Ok(twins)
    }

    /// Takes note of which of these records the database takes for rows.
    async fn take_for_rows<M: SqlModel>(
        &self,
        connection: &mut dyn super::database::Connection,
        identity: &Identity,
        records: &[&M],
        twins: &mut Twins,
    ) -> Result<(), sqlx::Error> {
        let mut rows = Grid::new(identity.fields.len());
        let mut asked = Vec::new();
        for record in records {
            let values = identity.fields.iter().map(|field| record.value(*field)).collect::<Result<Vec<_>, _>>();
            // What cannot be stored is an error of its own, and null is equal to nothing.
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
        let wanted = Matching { items, from, by: &by, filter: None };

        let Twins { of_source, of_row, .. } = twins;
        let mut each = |at: usize, row: &dyn Row| {
            let Some((record, Ok(id))) = asked.get(at).map(|record| (record, M::identify(&Fields::new(row, M::TABLE))))
            else {
                return;
            };
            // The very record, made by another since the target was loaded, is found when it is written.
            let new = record.id();
            if new != id {
                of_source.insert(new.to_string(), id.to_string());
                of_row.insert(id.to_string(), new.to_string());
            }
        };
        matching(self.database().engine(), connection, &wanted, &rows, &mut each).await
    }

    /// The columns of the identifier, and how they are coarser than Rust.
    pub(crate) async fn identity_columns(
        &self,
        connection: &mut dyn super::database::Connection,
        table: &'static super::schema::SqlTable,
    ) -> Result<Identity, Trouble> {
        let mut catalogue = self.catalogue.lock().await;
        let selection = selection(table, self, connection, &mut catalogue).await;
        drop(catalogue);
        let selection = selection.map_err(|error| Trouble::Known(TargetError::fatal(error.to_string())))?;

        let of_identifier = table.fields.iter().enumerate().filter(|(_, field)| field.role == Role::Identifier);
        let of_identifier = of_identifier.filter(|(position, _)| *position < selection.places.len());
        let fields: Vec<usize> = of_identifier.map(|(position, _)| position).collect();
        let columns: Vec<(&Placed, Kind)> = fields
            .iter()
            .filter_map(|field| Some((selection.places.get(*field)?, table.fields.get(*field)?.kind)))
            .collect();
        let (mut coarse, mut whys) = (Vec::new(), Vec::new());
        for (position, found) in self.coarse(connection, &columns).await?.into_iter().enumerate() {
            if let Some(found) = found {
                whys.push(found.why.clone());
                coarse.push((position, found));
            }
        }
        Ok(Identity { fields, coarse, why: whys.join(", "), selection })
    }
}

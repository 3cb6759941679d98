//! Identifiers that the database takes for the same, where Rust tells them apart.

use diffsync_core::ModelExt;
use std::collections::HashMap;

use diffsync_core::adapter::TargetError;

use crate::sql::model::SqlModel;

/// The pairs of a model.
#[derive(Default)]
pub(crate) struct EqualIdentifiers {
    /// By the identifier of the source's record, that of the row.
    of_source: HashMap<String, String>,
    /// By the identifier of the row, that of the source's record.
    of_row: HashMap<String, String>,
    /// The columns that consider them equal, and why.
    why: String,
}

impl EqualIdentifiers {
    pub(crate) fn new(why: String) -> Self {
        Self { why, ..Self::default() }
    }

    /// Notes that the database considers a record of the source equal to a row.
    pub(crate) fn note(&mut self, new: String, row: String) {
        self.of_row.insert(row.clone(), new.clone());
        self.of_source.insert(new, row);
    }

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

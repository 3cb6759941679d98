//! What a run changes in a file.
//!
//! A file is edited, not made anew: what nobody changed stays as it is written, with the keys and columns that the model
//! does not know.

use std::path::Path;
use std::ptr;

use diffsync_core::{AdapterError, Dataset, HasTable, SyncModel, Synced, Table};
use serde_json::Value;

use super::cells::{CellError, Unread, Values};
use super::model::FileModel;

/// What becomes of the records of one file.
pub(super) struct Edits<'a, M: FileModel> {
    loaded: &'a Table<M>,
    current: Current<'a, M>,
    created: Vec<&'a M>,
    pub(super) path: &'a Path,
}

/// Finds the record of an identifier as the target now holds it.
type Current<'a, M> = Box<dyn Fn(&<M as SyncModel>::Id) -> Option<&'a M> + 'a>;

/// What becomes of one record.
#[derive(Debug, PartialEq)]
pub(super) enum Edit {
    /// It stays as it is written.
    Keep,
    /// It goes.
    Drop,
    /// These columns get these values.
    Set(Vec<(usize, Value)>),
}

/// What becomes of a record, with what it was and will be.
pub(super) enum Fate<'a, M> {
    Keep,
    Drop,
    Change(M, &'a M),
}

impl<'a, M: FileModel> Edits<'a, M> {
    pub(super) fn of<D: Dataset + HasTable<M>>(synced: &'a Synced<'a, D>, path: &'a Path) -> Self {
        let target: &D = synced.plan().target();
        Self {
            loaded: target.table(),
            current: Box::new(|id| synced.current::<M>(id)),
            created: synced.created::<M>().collect(),
            path,
        }
    }

    pub(super) fn fate(&self, read: Result<M, Unread<M::Id>>) -> Fate<'a, M> {
        let (id, old) = match read {
            Ok(record) => (record.id(), Some(record)),
            Err(Unread::Rejected(id, _)) => (id, None),
            Err(Unread::Nameless(_)) => return Fate::Keep,
        };
        let loaded = self.loaded.get(&id);
        let current = (self.current)(&id);
        match (current, old) {
            (None, _) if loaded.is_some() => Fate::Drop,
            (Some(current), Some(old)) if !loaded.is_some_and(|loaded| ptr::eq(loaded, current)) => {
                Fate::Change(old, current)
            }
            _ => Fate::Keep,
        }
    }

    /// What becomes of a record that was read from the file.
    pub(super) fn edit(&self, read: Result<M, Unread<M::Id>>) -> Result<Edit, AdapterError> {
        Ok(match self.fate(read) {
            Fate::Keep => Edit::Keep,
            Fate::Drop => Edit::Drop,
            Fate::Change(old, current) => {
                let (before, after) = (self.values(&old)?, self.values(current)?);
                let changed = before.into_iter().zip(after).enumerate().filter(|(_, (before, after))| before != after);
                Edit::Set(changed.map(|(column, (_, after))| (column, after)).collect())
            }
        })
    }

    /// The records that are new, which come last.
    #[cfg(feature = "parquet")]
    pub(super) fn new_records(&self) -> &[&'a M] {
        &self.created
    }

    /// The values of the records that are new, which stand last.
    pub(super) fn created(&self) -> impl Iterator<Item = Result<Vec<Value>, AdapterError>> {
        self.created.iter().map(|record| self.values(record))
    }

    fn values(&self, record: &M) -> Result<Vec<Value>, AdapterError> {
        Values::of(record).map_err(|CellError(error)| self.error(error))
    }

    /// An error that keeps the file from being written.
    pub(super) fn error(&self, what: impl std::fmt::Display) -> AdapterError {
        AdapterError::new(format!("cannot write `{}`: {what}", self.path.display()))
    }

    /// The same with its cause.
    pub(super) fn failed(&self, error: impl std::error::Error + Send + Sync + 'static) -> AdapterError {
        AdapterError::context(format!("cannot write `{}`", self.path.display()), error)
    }
}

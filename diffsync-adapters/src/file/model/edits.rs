//! The changes of a file.
//!
//! A file is edited, not rewritten: unchanged parts keep their text, including the keys and columns that the model does not
//! know.

use std::path::Path;
use std::ptr;

use diffsync_core::adapter::{AdapterError, CompleteContext};
use diffsync_core::data::HasTable;
use diffsync_core::{Dataset, ModelExt, SyncModel, Table};

use super::FileModel;
use super::row::{CellError, RowError};
use super::values::{DatumRow, RecordValues};
use crate::nested::change::{Change, in_place};
use crate::nested::datum::Datum;

/// The edits of one file's records.
pub(crate) struct Edits<'a, M: FileModel> {
    loaded: &'a Table<M>,
    current: Current<'a, M>,
    created: Vec<&'a M>,
    pub(crate) path: &'a Path,
}

/// Finds the target's current record by its identifier.
type Current<'a, M> = Box<dyn Fn(&<M as SyncModel>::Id) -> Option<&'a M> + 'a>;

/// The error of a new text with another content than planned.
pub(crate) const UNFAITHFUL: &str =
    "the new text would not have the planned content; nothing was written, change these records by hand";

/// The edit of one record in a text.
#[derive(Debug)]
pub(crate) enum TextEdit {
    /// It keeps its text.
    Keep,
    /// It is removed.
    Drop,
    /// Some of its columns change.
    Set(RecordChange),
}

/// The changes of a record.
#[derive(Debug)]
pub(crate) struct RecordChange {
    /// The columns that change.
    pub(crate) columns: Vec<(usize, Change)>,
    /// The values that the record then has, in the order of its columns.
    after: Vec<Datum>,
}

impl RecordChange {
    /// The values that the record then has, in the order of its columns.
    pub(crate) fn after(&self) -> &[Datum] {
        &self.after
    }
}

impl TextEdit {
    /// The record after the edit, with the keys that the model does not know.
    pub(crate) fn expected(&self, columns: &[super::schema::Column], old: &Datum) -> Option<Datum> {
        match self {
            Self::Keep => Some(old.clone()),
            Self::Drop => None,
            Self::Set(record) => {
                let named = |(at, change): &(usize, Change)| Some((columns.get(*at)?.name.to_owned(), change.clone()));
                let set = record.columns.iter().filter_map(named).collect();
                Change::Map { set, gone: Vec::new() }.applied(old)
            }
        }
    }
}

/// The edit of a record, with its old and new values.
pub(crate) enum RecordEdit<'a, M> {
    Keep,
    Drop,
    Change(M, &'a M),
}

impl<'a, M: FileModel> Edits<'a, M> {
    pub(crate) fn of<D: Dataset + HasTable<M>>(synced: &'a CompleteContext<'a, D>, path: &'a Path) -> Self {
        let target: &D = synced.plan().target();
        Self {
            loaded: target.table(),
            current: Box::new(|id| synced.current::<M>(id)),
            created: synced.created::<M>().collect(),
            path,
        }
    }

    pub(crate) fn record_edit(&self, read: Result<M, RowError<M::Id>>) -> RecordEdit<'a, M> {
        let (id, old) = match read {
            Ok(record) => (record.id(), Some(record)),
            Err(RowError::Rejected(id, _)) => (id, None),
            Err(RowError::Unidentified(_)) => return RecordEdit::Keep,
        };

        let loaded = self.loaded.get(&id);
        let current = (self.current)(&id);
        match (current, old) {
            (None, _) if loaded.is_some() => RecordEdit::Drop,
            (Some(current), Some(old)) if !loaded.is_some_and(|loaded| ptr::eq(loaded, current)) => {
                RecordEdit::Change(old, current)
            }
            _ => RecordEdit::Keep,
        }
    }

    /// The records that are new, which come last.
    #[cfg(feature = "parquet")]
    pub(crate) fn new_records(&self) -> &[&'a M] {
        &self.created
    }

    /// The edit of a record that was read from a text. `written` returns the value of a column there, if there is one.
    pub(crate) fn edit_text(
        &self,
        read: Result<M, RowError<M::Id>>,
        mut written: impl FnMut(usize) -> Option<Datum>,
    ) -> Result<TextEdit, AdapterError> {
        let (old, current) = match self.record_edit(read) {
            RecordEdit::Keep => return Ok(TextEdit::Keep),
            RecordEdit::Drop => return Ok(TextEdit::Drop),
            RecordEdit::Change(old, current) => (old, current),
        };
        let failed = |CellError(error)| self.error(error);
        let before = RecordValues::of(&old).map_err(failed)?.values;
        let after = RecordValues::beside(current, Some(before.clone())).map_err(failed)?;
        let mut columns = Vec::new();
        let values = before.into_iter().zip(after.values.iter().cloned()).zip(&after.sets).zip(&after.same);

        for (column, (((before, new), is_set), _)) in values.enumerate().filter(|(_, (_, is_same))| !**is_same) {
            let Some(written) = written(column) else {
                columns.push((column, Change::Set(new)));
                continue;
            };
            let change = in_place(&written, before, new, *is_set).map_err(|what| {
                let column = M::FILE.columns.get(column).map_or("", |column| column.name);
                self.error(format_args!("`{column}` of `{}` {what}", current.id()))
            })?;
            columns.extend(change.map(|change| (column, change)));
        }

        Ok(if columns.is_empty() {
            TextEdit::Keep
        } else {
            TextEdit::Set(RecordChange { columns, after: after.values })
        })
    }

    /// The values of the records that are new, which come last in a text.
    pub(crate) fn created_text(&self) -> impl Iterator<Item = Result<Vec<Datum>, AdapterError>> {
        self.created.iter().map(|record| {
            RecordValues::of(*record).map(|data| data.values).map_err(|CellError(error)| self.error(error))
        })
    }

    /// Makes sure that a record that was just written holds what it must, as it is read.
    pub(crate) fn verify(&self, found: &Datum, edit: &TextEdit, expected: Option<&Datum>) -> Result<(), AdapterError> {
        let stays = |entries: &[(String, Datum)]| -> Datum {
            Datum::Map(entries.iter().filter(|(_, value)| !value.is_null()).cloned().collect())
        };
        let is_as_expected = match (found, expected) {
            (Datum::Map(found), Some(Datum::Map(expected))) => stays(found).agrees(&stays(expected)),
            (_, None) => true,
            _ => false,
        };

        match edit {
            TextEdit::Set(record) if is_as_expected => self.verify_new(found, &record.after),
            TextEdit::Drop => Err(self.error(UNFAITHFUL)),
            _ if is_as_expected => Ok(()),
            _ => Err(self.error(UNFAITHFUL)),
        }
    }

    /// Makes sure that a record that was just written is read with these values.
    pub(crate) fn verify_new(&self, found: &Datum, values: &[Datum]) -> Result<(), AdapterError> {
        self.verify_read(M::read(&mut DatumRow::of(M::FILE.columns, found)), values)
    }

    /// Makes sure that what was read of a record that was just written has these values.
    pub(crate) fn verify_read(&self, read: Result<M, RowError<M::Id>>, values: &[Datum]) -> Result<(), AdapterError> {
        let record = read.map_err(|unread| match unread {
            RowError::Unidentified(CellError(error)) | RowError::Rejected(_, CellError(error)) => {
                self.error(format_args!("{UNFAITHFUL} ({error})"))
            }
        })?;
        let data =
            RecordValues::beside(&record, Some(values.to_vec())).map_err(|CellError(error)| self.error(error))?;
        if data.same.iter().all(|is_same| *is_same) { Ok(()) } else { Err(self.error(UNFAITHFUL)) }
    }

    /// An error that keeps the file from being written.
    pub(crate) fn error(&self, what: impl std::fmt::Display) -> AdapterError {
        AdapterError::new(format!("cannot write `{}`: {what}", self.path.display()))
    }

    /// The same with its cause.
    pub(crate) fn failed(&self, error: impl std::error::Error + Send + Sync + 'static) -> AdapterError {
        AdapterError::context(format!("cannot write `{}`", self.path.display()), error)
    }
}

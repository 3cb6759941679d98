//! The schema of `#[derive(FileModel)]`, and the records of a file, independent of its format.

#[cfg(feature = "parquet")]
pub(crate) mod arrow;
pub(crate) mod edits;
pub(crate) mod misspelt;
pub(crate) mod records;
pub(crate) mod row;
pub(crate) mod schema;
pub(crate) mod shape;
pub(crate) mod values;

use diffsync_core::SyncModel;

use self::row::{CellError, RowError, RowReader, RowWriter};
use self::schema::FileSchema;

/// A model with records in a file of a [`Folder`](crate::file::Folder).
///
/// The derive is the only intended implementor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[file(path = …)]`",
    label = "cannot be stored in a file",
    note = "add `FileModel` to the model's derives, and `#[file(path = \"…\")]`: `#[derive(SyncModel, FileModel, Clone)]`"
)]
pub trait FileModel: SyncModel + Clone {
    /// The file and its columns.
    const FILE: FileSchema;

    /// Reads a record from the cells, taking each once. Local fields have their defaults.
    fn read<C: RowReader>(cells: &mut C) -> Result<Self, RowError<Self::Id>>;

    /// Writes each stored field to its cell, in the order of the columns.
    fn write<C: RowWriter>(&self, cells: &mut C) -> Result<(), CellError>;
}

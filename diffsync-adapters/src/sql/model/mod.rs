//! The schema of `#[derive(SqlModel)]`, and the encoding of fields as values of columns.

pub(crate) mod encoding;
pub(crate) mod schema;
pub(crate) mod tables;
pub(crate) mod value;

use diffsync_core::SyncModel;

use self::encoding::{FieldError, Fields};
use self::schema::SqlTable;
use self::value::Value;

/// A model that is stored in a table of a database: a struct with `#[derive(SqlModel)]`.
///
/// The derive is the only intended implementor; its items are the contract between the macro and the adapter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not stored in a table",
    label = "no table is declared for this model",
    note = "add `#[derive(SqlModel)]` and `#[sql(table = \"…\")]` to the struct"
)]
pub trait SqlModel: SyncModel + Clone {
    /// Its table.
    #[doc(hidden)]
    const TABLE: &'static SqlTable;

    /// The value of a field as its column is to hold it.
    #[doc(hidden)]
    fn value(&self, field: usize) -> Result<Value<'_>, String>;

    /// The record of a row.
    #[doc(hidden)]
    fn read(row: &Fields<'_>) -> Result<Self, FieldError>;

    /// The identifier of a row that is not a valid record.
    #[doc(hidden)]
    fn identify(row: &Fields<'_>) -> Result<Self::Id, FieldError>;

    /// Whether a change is one of this field.
    #[doc(hidden)]
    fn changes(patch: &Self::Patch, field: usize) -> bool;

    /// Stores the key that the database gave the record.
    #[doc(hidden)]
    fn set_key(&mut self, key: Value<'_>) -> Result<(), String> {
        let _ = key;
        Ok(())
    }
}

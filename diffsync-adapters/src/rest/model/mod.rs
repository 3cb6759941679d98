//! The schema of `#[derive(RestModel)]`, and the place of each value in the bodies of an API.

pub(crate) mod json_path;
pub(crate) mod record_path;
pub(crate) mod schema;
pub(crate) mod tree_path;

use diffsync_core::SyncModel;
use serde_json::Value;

use self::schema::RestSchema;

/// A model with records in a JSON API. Implemented by `#[derive(RestModel)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model of a JSON API",
    label = "`RestModel` is missing",
    note = "put `#[derive(RestModel)]` and `#[rest(path = \"…\")]` on the struct"
)]
pub trait RestModel: SyncModel + Clone {
    /// The collection of the records, and the part of a record's body for each field.
    const REST: &'static RestSchema;

    /// The server's own key of the record, `null` if it has none yet.
    fn remote_key(&self) -> Result<Value, serde_json::Error>;

    /// Stores the key that the server gave the record.
    fn set_remote_key(&mut self, key: Value) -> Result<(), serde_json::Error>;
}

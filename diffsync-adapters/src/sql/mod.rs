//! Tables of a database: `SQLite`, `PostgreSQL`, `MySQL` and `MariaDB`.
//!
//! [`SqlModel`](derive@crate::SqlModel) on a model says in which table it is kept, and [`Sql`] reads and writes a data set
//! all of whose models have it: nobody writes a query.
//!
//! ```
//! use diffsync_adapters::SqlModel;
//! use diffsync_adapters::sql::Sql;
//! use diffsync_core::{Dataset, SyncModel, Table, Url};
//!
//! #[derive(SyncModel, SqlModel, Clone)]
//! #[sql(table = "sites", owner(column = "managed_by", value = "diffsync"))]
//! struct Site {
//!     #[sync(id)]
//!     name: String,
//!     #[sql(column = "descr")]
//!     description: Option<String>,
//!     #[sync(local)]
//!     #[sql(key)]
//!     id: Option<i64>,
//! }
//!
//! #[derive(SyncModel, SqlModel, Clone)]
//! #[sql(table = "devices")]
//! struct Device {
//!     #[sync(id)]
//!     name: String,
//!     #[sync(parent = Site)]
//!     #[sql(lookup = "site_id -> sites(name)")]
//!     site: String,
//!     #[sql(as = json)]
//!     tags: Vec<String>,
//! }
//!
//! #[derive(Dataset, Default)]
//! struct Inventory {
//!     sites: Table<Site>,
//!     devices: Table<Device>,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Nothing is opened or made before it is needed.
//! let url = Url::parse("sqlite://inventory.db")?;
//! # #[cfg(feature = "sqlite")]
//! let inventory: Sql<Inventory> = Sql::at(&url).map_err(|error| error.to_string())?.create_tables();
//! # Ok(())
//! # }
//! ```

mod adapter;
mod again;
#[cfg(feature = "mysql")]
mod canonical;
mod cascade;
mod check;
mod conflict;
mod create;
mod database;
mod documents;
mod equality;
mod error;
mod find;
mod foreign;
mod form;
mod load;
mod matching;
#[cfg(feature = "mysql")]
mod mysql;
mod name;
mod options;
mod pieces;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod schema;
mod session;
#[cfg(feature = "sqlite")]
mod sqlite;
mod swap;
mod tables;
mod twins;
mod used;
mod value;
mod write;

#[doc(hidden)]
pub use diffsync_core::SyncModel;
pub use diffsync_derive::SqlModel;

pub use self::adapter::{Sql, Transaction};
#[doc(hidden)]
pub use self::form::{FieldError, Fields, Form, Hidden, Json, Optional, Plain, Text};
#[doc(hidden)]
pub use self::schema::{Leads, Lookup, Owner, Part, Place, Role, SqlField, SqlTable};
pub use self::tables::Tables;
pub use self::value::{Kind, SqlType, Value};

/// A model that is kept in a table of a database: a struct with `#[derive(SqlModel)]`.
///
/// The derive is the only intended implementor; its items are the contract between the macro and the adapter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not kept in a table",
    label = "which table is it?",
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

    /// The identifier of a row that is no record.
    #[doc(hidden)]
    fn identify(row: &Fields<'_>) -> Result<Self::Id, FieldError>;

    /// Whether a change is one of this field.
    #[doc(hidden)]
    fn changes(patch: &Self::Patch, field: usize) -> bool;

    /// Takes note of the key that the database gave the record.
    #[doc(hidden)]
    fn set_key(&mut self, key: Value<'_>) -> Result<(), String> {
        let _ = key;
        Ok(())
    }
}

//! Tables of a database: `SQLite`, `PostgreSQL`, `MySQL` and `MariaDB`.
//!
//! [`SqlModel`](derive@crate::SqlModel) declares the table of a model, and [`Sql`] reads and writes a data set in which all
//! models have it. There are no queries to write.
//!
//! ```
//! use diffsync_adapters::SqlModel;
//! use diffsync_adapters::sql::Sql;
//! use diffsync_core::{Dataset, SyncModel, Table};
//! use diffsync_core::value::Url;
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
//! // Nothing is opened or created before it is needed.
//! let url = Url::parse("sqlite://inventory.db")?;
//! # #[cfg(feature = "sqlite")]
//! let inventory: Sql<Inventory> = Sql::open(&url).map_err(|error| error.to_string())?.create_tables();
//! # Ok(())
//! # }
//! ```

mod adapter;
mod catalogue;
mod context;
mod dialect;
mod entries;
pub(crate) mod model;
mod session;
mod steps;

pub use diffsync_derive::SqlModel;

pub use self::model::SqlModel;

pub use self::adapter::Sql;
pub use self::entries::ModelEntries;
pub use self::model::value::{SqlType, Value, ValueKind};
pub use self::session::TransactionScope;

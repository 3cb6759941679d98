//! A JSON API over HTTP: models with [`RestModel`](crate::RestModel), an adapter for all data sets of such models
//! ([`Rest`]), and what it is built from, a [`Client`] that logs in, keeps to a pace and tries again, and
//! [collections](Pages) that come page by page.
//!
//! ```
//! use diffsync_adapters::RestModel;
//! use diffsync_adapters::rest::{Client, Dialect, Rest};
//! use diffsync_core::{Dataset, SyncModel, Table};
//! use diffsync_core::value::{Secret, Url};
//!
//! #[derive(SyncModel, RestModel, Clone)]
//! #[rest(path = "ipam/vlans")]
//! struct Vlan {
//!     #[sync(id)]
//!     vid: u16,
//!     #[rest(lookup = "site -> dcim/sites(name)")]
//!     site: String,
//!     #[sync(local)]
//!     #[rest(key)]
//!     id: Option<u64>,
//! }
//!
//! #[derive(Dataset, Default)]
//! struct Network {
//!     vlans: Table<Vlan>,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder(Url::parse("https://ipam.example/api")?).token(&Secret::new("0123".into())).build()?;
//! let api: Rest<Network> = Rest::new(client, Dialect::default());
//! # drop(api);
//! # Ok(())
//! # }
//! ```
//!
//! All keys of the derive are in the book's chapter on JSON APIs.

mod adapter;
mod cache;
pub(crate) mod context;
mod dialect;
mod entries;
mod http;
pub(crate) mod model;
mod record;
mod source;
mod steps;
mod unknown_keys;
pub mod verdict;

pub use diffsync_derive::RestModel;
pub use reqwest::{Method, StatusCode, header};

pub use self::adapter::Rest;
pub use self::dialect::{Bulk, Dialect, Owner};
pub use self::entries::ModelEntries;
pub use self::http::builder::{BuildError, ClientBuilder};
pub use self::http::client::{Answer, Client, Request};
pub use self::http::error::{Error, ErrorKind};
pub use self::http::pages::{Page, Pages, Paging};
pub use self::http::retry::Retries;
pub use self::http::tasks::Tasks;
pub use self::model::RestModel;
pub use self::model::schema::{Of, Part, RestField, RestKey, RestSchema, StaticOwner};
pub use self::model::tree_path::{join_names, split_names};
pub use self::source::{Collection, PagedSource, RowSource, Sample, Seen};
pub use self::verdict::{Reply, RowReply, Verdict, VerdictFn};

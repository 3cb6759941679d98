//! A JSON API over HTTP: models with [`RestModel`](crate::RestModel), an adapter for all data sets of such models
//! ([`Rest`]), and the [`Client`] it is built on, which authenticates, limits its rate, retries and reads
//! [paginated](Pagination) collections.
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
//! let client = Client::builder(Url::parse("https://ipam.example/api")?).token_auth(&Secret::new("0123".into())).build()?;
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
pub use self::http::client::{Client, Request, Response};
pub use self::http::error::{Error, ErrorKind};
pub use self::http::pages::{CollectionFormat, Page, Pagination};
pub use self::http::retry::RetryPolicy;
pub use self::http::tasks::TaskPolling;
pub use self::model::RestModel;
pub use self::model::schema::{Part, PartKind, RestField, RestKey, RestSchema, StaticOwner};
pub use self::model::tree_path::{join_names, split_names};
pub use self::source::{Collection, PagedSource, ProgressFn, RowSource, Sample};
pub use self::verdict::{ResponseView, RowResponse, Verdict, VerdictFn};

//! A JSON API over HTTP.

mod adapter;
mod bulk;
mod check;
mod client;
mod dialect;
mod error;
mod pages;
mod record;
mod retry;
mod schema;
mod settings;
mod shown;
mod source;
mod store;
mod write;

pub use reqwest::{Method, StatusCode, header};

pub use self::adapter::{Models, Rest};
pub use self::client::{Answer, Client, Request};
pub use self::dialect::{Bulk, Dialect, Owner};
pub use self::error::{Error, ErrorKind};
pub use self::pages::{Page, Pages, Paging};
pub use self::retry::Retries;
pub use self::schema::{JOINT, Of, Part, RestField, RestKey, RestModel, RestSchema, StaticOwner};
pub use self::settings::{ClientBuilder, SettingError};
pub use self::source::{Collection, FromPages, RowSource, Seen};

/// What generated code uses. Not for anybody else; it may change with any version.
#[doc(hidden)]
pub mod private {
    pub use diffsync_core::SyncModel;
    pub use serde_json::{Error, Value, from_value, to_value};
}

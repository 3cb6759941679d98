//! Ready-made adapters for files, databases, JSON APIs and Nautobot. You write no `load`, `create`, `update` or `delete`.
//!
//! Each kind of system has a derive for the models and an adapter for data sets of such models:
//!
//! | system | derive | adapter | features |
//! | --- | --- | --- | --- |
//! | a folder of files | `FileModel` | `Folder` | `json`, `yaml`, `toml`, `csv`, `parquet` |
//! | a database | `SqlModel` | `Sql` | `sqlite`, `postgres`, `mysql` |
//! | a JSON API | `RestModel` | `Rest` | `rest` |
//! | Nautobot | `RestModel` | `Nautobot` | `nautobot` |

#![forbid(unsafe_code)]

// Macros refer to this crate by its absolute path, even in the crate itself.
extern crate self as diffsync_adapters;

#[cfg(feature = "file")]
pub mod file;
#[cfg(feature = "nautobot")]
pub mod nautobot;
#[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
mod nested;
#[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
mod resource;
#[cfg(feature = "rest")]
pub mod rest;
#[cfg(any(feature = "rest", feature = "sql"))]
mod secret_spellings;
#[cfg(feature = "sql")]
pub mod sql;

#[cfg(feature = "file")]
pub use diffsync_derive::FileModel;
#[cfg(feature = "rest")]
pub use diffsync_derive::RestModel;
#[cfg(feature = "sql")]
pub use diffsync_derive::SqlModel;

/// Items for generated code. They may change with any version.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "file")]
    pub mod file {
        pub use diffsync_core::SyncModel;

        pub use crate::file::FileModel;
        pub use crate::file::model::row::{CellError, RowError, RowReader, RowWriter};
        pub use crate::file::model::schema::{Column, FileSchema, Format};
    }

    #[cfg(feature = "rest")]
    pub mod rest {
        pub use diffsync_core::SyncModel;
        pub use serde_json::{Error, Value, from_value, to_value};

        pub use crate::rest::model::RestModel;
        pub use crate::rest::model::schema::{Part, PartKind, RestField, RestKey, RestSchema, StaticOwner};
    }

    #[cfg(feature = "sql")]
    pub mod sql {
        pub use diffsync_core::SyncModel;

        pub use crate::sql::model::SqlModel;
        pub use crate::sql::model::encoding::{Encoding, FieldError, Fields, Json, Optional, Plain, Sensitive, Text};
        pub use crate::sql::model::schema::{ForeignKey, Lookup, Owner, Part, Place, Role, SqlField, SqlTable};
        pub use crate::sql::model::value::Value;
    }
}

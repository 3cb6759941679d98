//! Ready-made ways to read and write systems: nobody writes `load`, `create`, `update` and `delete` for a table of a
//! database, a file or a regular API.
//!
//! Each kind of system is a derive on the models and an adapter for data sets all of whose models have it:
//!
//! | system | derive | adapter | features |
//! | --- | --- | --- | --- |
//! | a folder of files | `FileModel` | `Folder` | `json`, `yaml`, `toml`, `csv`, `parquet` |
//! | a database | `SqlModel` | `Sql` | `sqlite`, `postgres`, `mysql` |
//! | a JSON API | `RestModel` | `Rest` | `rest` |
//! | Nautobot | `RestModel` | `Nautobot` | `nautobot` |

#![forbid(unsafe_code)]

// The macros name this crate by its absolute path, also when it is this crate's own models that use them.
extern crate self as diffsync_adapters;

#[cfg(feature = "file")]
pub mod file;
#[cfg(feature = "nautobot")]
pub mod nautobot;
#[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
mod nested;
#[cfg(feature = "rest")]
pub mod rest;
#[cfg(any(feature = "rest", feature = "sql"))]
mod secret_forms;
#[cfg(feature = "sql")]
pub mod sql;

#[cfg(feature = "file")]
pub use diffsync_derive::FileModel;
#[cfg(feature = "rest")]
pub use diffsync_derive::RestModel;
#[cfg(feature = "sql")]
pub use diffsync_derive::SqlModel;

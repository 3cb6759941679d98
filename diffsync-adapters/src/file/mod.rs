//! A folder of files, one for each model: CSV, JSON, JSON Lines, YAML, TOML, Parquet.

mod cells;
#[cfg(feature = "csv")]
mod csv;
mod edits;
mod folder;
mod format;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "json")]
mod json_lines;
mod load;
mod model;
#[cfg(feature = "parquet")]
mod parquet;
mod replace;
mod shape;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod text;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "yaml")]
mod yaml;

/// Named by generated code.
#[doc(hidden)]
pub use diffsync_core::SyncModel;
pub use diffsync_derive::FileModel;

pub use self::cells::{CellError, Cells, Unread, WriteCells};
#[doc(hidden)]
pub use self::folder::Files;
pub use self::folder::Folder;
pub use self::model::{Column, FileModel, FileSchema, Format};

//! A folder of files, one for each model: CSV, JSON, JSON Lines, YAML, TOML, Parquet.
//!
//! The models derive [`FileModel`](trait@FileModel), which says which file holds their records and how; the adapter is [`Folder`].
//! As a target it edits the files when a run completes: what nobody changed stays as it is written.
//!
//! | key | on | what it says |
//! | --- | --- | --- |
//! | `path = "sites.csv"` | struct | the file in the folder |
//! | `format = csv` | struct | the format, where the extension does not say it: `csv`, `json`, `json_lines`, `yaml`, `toml`, `parquet` |
//! | `list = "sites"` | struct | the key under which the list of records stands |
//! | `delimiter = ';'` | struct | what stands between two cells of CSV |
//! | `rename = "Full name"` | field | the name of the column or key |

#![cfg_attr(
    not(all(feature = "csv", feature = "json", feature = "parquet", feature = "toml", feature = "yaml")),
    allow(
        dead_code,
        unused_imports,
        unused_variables,
        clippy::unnecessary_wraps,
        reason = "no format needs all that they share"
    )
)]

mod cells;
#[cfg(feature = "csv")]
mod csv;
mod data;
mod edits;
mod encoding;
mod folder;
mod format;
mod json;
#[cfg(feature = "json")]
mod json_lines;
mod leftover;
mod lines;
mod load;
mod lock;
mod misspelt;
mod model;
#[cfg(feature = "parquet")]
mod parquet;
mod records;
mod replace;
mod shape;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod text;
#[cfg(feature = "toml")]
mod toml;
mod version;
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
use crate::nested::{change, datum};

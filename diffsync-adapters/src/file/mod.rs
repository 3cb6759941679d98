//! A folder of files, one for each model: CSV, JSON, JSON Lines, YAML, TOML, Parquet.
//!
//! The models derive [`FileModel`](trait@FileModel), which declares the file and format of their records; the adapter is
//! [`Folder`]. As a target it edits the files when a run completes: unchanged parts keep their text.
//!
//! | key | on | meaning |
//! | --- | --- | --- |
//! | `path = "sites.csv"` | struct | the file in the folder |
//! | `format = csv` | struct | the format, if the extension does not show it: `csv`, `json`, `json_lines`, `yaml`, `toml`, `parquet` |
//! | `list = "sites"` | struct | the key of the list of records |
//! | `delimiter = ';'` | struct | the delimiter of CSV |
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

mod atomic_write;
mod entries;
mod folder;
mod formats;
mod load;
mod lock;
pub(crate) mod model;
mod version;

pub use diffsync_derive::FileModel;

pub use self::entries::ModelEntries;
pub use self::folder::Folder;
pub use self::model::FileModel;

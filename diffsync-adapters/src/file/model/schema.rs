//! The schema of a model that `#[derive(FileModel)]` writes.

use diffsync_core::value::suggest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shape::Shape;

/// A file and its contents.
#[derive(Debug, Clone, Copy)]
pub struct FileSchema {
    /// The path of the file in the folder.
    pub path: &'static str,
    /// Its format.
    pub format: Format,
    /// The key of the list of records, unless the list is the whole document.
    pub list: Option<&'static str>,
    /// The delimiter of CSV.
    pub delimiter: u8,
    /// Whether a field is a secret, so that only the owner may read the file.
    pub is_secret: bool,
    /// The stored fields, in the order of the struct.
    pub columns: &'static [Column],
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A header, then a line for each record, its cells separated by commas.
    Csv,
    /// A list of objects.
    Json,
    /// An object on each line.
    JsonLines,
    /// A list of mappings.
    Yaml,
    /// An array of tables.
    Toml,
    /// Columns, for big data.
    Parquet,
}

impl Format {
    /// Ends the build if the format's feature is off.
    ///
    /// # Panics
    ///
    /// If it is, which is meant to happen at compile time.
    #[doc(hidden)]
    #[allow(clippy::panic, reason = "it is called in constants only, where it is a compile error")]
    pub const fn must_be_enabled(self) {
        match self {
            Self::Csv if !cfg!(feature = "csv") => panic!("CSV needs the feature `csv` of diffsync-adapters"),
            Self::Json | Self::JsonLines if !cfg!(feature = "json") => {
                panic!("JSON needs the feature `json` of diffsync-adapters")
            }
            Self::Yaml if !cfg!(feature = "yaml") => panic!("YAML needs the feature `yaml` of diffsync-adapters"),
            Self::Toml if !cfg!(feature = "toml") => panic!("TOML needs the feature `toml` of diffsync-adapters"),
            Self::Parquet if !cfg!(feature = "parquet") => {
                panic!("Parquet needs the feature `parquet` of diffsync-adapters")
            }
            _ => {}
        }
    }
}

/// A stored field.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The name of its column, or its key.
    pub name: &'static str,
    /// Whether it is part of the identifier.
    pub is_identifier: bool,
    /// The shape of its values.
    pub(crate) shape: fn() -> Shape,
    /// Its type in Parquet, if it can be derived from the field's type.
    #[cfg(feature = "parquet")]
    pub(crate) arrow: fn() -> Option<super::arrow::Field>,
}

impl Column {
    /// The column of a field of this type.
    #[must_use]
    pub const fn new<T: Serialize + DeserializeOwned>(name: &'static str, is_identifier: bool) -> Self {
        Self {
            name,
            is_identifier,
            shape: Shape::of::<T>,
            #[cfg(feature = "parquet")]
            arrow: super::arrow::field_of::<T>,
        }
    }

    /// The message if it is not among the columns of a file.
    pub(crate) fn missing<'a>(&self, there: impl Iterator<Item = &'a str> + Clone) -> String {
        let names = there.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let folded = |name: &str| name.trim().to_lowercase();
        let meant = there.clone().find(|name| folded(name) == folded(self.name)).or_else(|| suggest(self.name, there));
        let meant =
            meant.map(|meant| format!("; if `{meant}` is meant, write `rename = {meant:?}`")).unwrap_or_default();
        format!("there is no column `{}`; there are {names}{meant}", self.name)
    }
}

/// The message if the key of the list is not among those of a file.
pub(crate) fn no_list(key: &str, there: &[&str]) -> String {
    format!("there is no key `{key}`{}", instead(key, there))
}

/// The keys of a file, and the one that was probably meant as the list's.
pub(crate) fn instead(key: &str, there: &[&str]) -> String {
    let names = there.iter().take(40).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let folded = |name: &str| name.trim().to_lowercase();
    let meant = there.iter().find(|name| folded(name) == folded(key)).copied();
    let meant = meant.or_else(|| suggest(key, there.iter().copied()));
    let meant = meant.map(|meant| format!("; if `{meant}` is meant, write `list = {meant:?}`")).unwrap_or_default();
    if names.is_empty() { String::new() } else { format!("; there are {names}{meant}") }
}

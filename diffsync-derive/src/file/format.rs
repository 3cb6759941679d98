//! The formats of files.

use proc_macro2::Ident;
use quote::format_ident;

/// How records are written in a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
    JsonLines,
    Yaml,
    Toml,
    Parquet,
}

impl Format {
    /// The names of the formats in `format = …`.
    pub(super) const WORDS: [(&str, Self); 6] = [
        ("csv", Self::Csv),
        ("json", Self::Json),
        ("json_lines", Self::JsonLines),
        ("yaml", Self::Yaml),
        ("toml", Self::Toml),
        ("parquet", Self::Parquet),
    ];

    /// The format of a file with this extension.
    pub(super) fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Self::Csv,
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::JsonLines,
            "yaml" | "yml" => Self::Yaml,
            "toml" => Self::Toml,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }

    /// The extension of a file whose path is not given.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Parquet => "parquet",
        }
    }

    /// Its variant of the adapters' `Format`.
    pub(super) fn variant(self) -> Ident {
        format_ident!(
            "{}",
            match self {
                Self::Csv => "Csv",
                Self::Json => "Json",
                Self::JsonLines => "JsonLines",
                Self::Yaml => "Yaml",
                Self::Toml => "Toml",
                Self::Parquet => "Parquet",
            }
        )
    }

    /// Whether a document of this format can hold other things beside the list of records.
    pub(super) fn holds_keys(self) -> bool {
        matches!(self, Self::Json | Self::Yaml | Self::Toml)
    }
}

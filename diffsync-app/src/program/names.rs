//! The names that the commands of the jobs folder are given and show.

use std::path::Path;

use clap::ArgMatches;

/// The value of an argument, or an empty text.
pub(super) fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

/// The name of a program's file.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

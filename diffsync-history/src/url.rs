//! Where a history is.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use diffsync_core::value::redact_url;
use thiserror::Error;
use url::Url;

/// Where a history is: an `SQLite` file, or a database on a `PostgreSQL` server.
///
/// ```
/// use diffsync_history::HistoryUrl;
///
/// let file: HistoryUrl = "sqlite:///var/lib/diffsync/history.db".parse()?;
/// let path: HistoryUrl = "/var/lib/diffsync/history.db".parse()?;
/// assert_eq!(file, path);
///
/// // A password is never shown.
/// let server: HistoryUrl = "postgres://sync:hunter2@db.example.com/history".parse()?;
/// assert_eq!(server.to_string(), "postgres://***@db.example.com/history");
/// # Ok::<(), diffsync_history::HistoryUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HistoryUrl(Arc<Place>);

/// A file or a server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Server(Url),
}

/// It is not known where the history is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HistoryUrlError {
    /// A text does not name a history.
    #[error(
        "the history's URL is not valid: {0}; write `sqlite:///path/history.db` or `postgres://user@host/database`"
    )]
    Invalid(String),
    /// It is not known where this user's data is.
    #[error(
        "there is no folder for the history, since neither XDG_DATA_HOME nor HOME is an absolute path; name a file for it"
    )]
    NoDataFolder,
}

impl HistoryUrl {
    /// The history of this user: `diffsync/history.db` in `$XDG_DATA_HOME`, or in `~/.local/share`.
    ///
    /// # Errors
    ///
    /// If neither `XDG_DATA_HOME` nor the home directory is known.
    pub fn in_data_dir() -> Result<Self, HistoryUrlError> {
        Self::in_data_dir_of(|name| env::var_os(name).map(PathBuf::from))
    }

    fn in_data_dir_of(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, HistoryUrlError> {
        // The specification says to ignore a relative path.
        let absolute = |name| variable(name).filter(|path| path.is_absolute());
        let folder = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        let folder = folder.ok_or(HistoryUrlError::NoDataFolder)?;
        Ok(Self::file(folder.join("diffsync").join("history.db")))
    }

    /// A history in this file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Place::File(path.into())))
    }

    /// The file, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &*self.0 {
            Place::File(path) => Some(path),
            Place::Server(_) => None,
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0
    }
}

impl FromStr for HistoryUrl {
    type Err = HistoryUrlError;

    fn from_str(text: &str) -> Result<Self, HistoryUrlError> {
        // The text is not repeated, since what cannot be parsed may have a password anywhere.
        let invalid = |reason: &str| HistoryUrlError::Invalid(reason.to_owned());

        let Some((scheme, rest)) = text.split_once("://") else {
            // A slash is missing, and the text may hold a password.
            if text.starts_with("postgres:") || text.starts_with("postgresql:") {
                return Err(invalid("a PostgreSQL URL begins with `postgres://`"));
            }
            let path = text.strip_prefix("sqlite:").unwrap_or(text);
            return if path.is_empty() { Err(invalid("it is empty")) } else { Ok(Self::file(path)) };
        };
        match scheme {
            "sqlite" if rest.is_empty() => Err(invalid("it names no file")),
            "sqlite" if rest.contains('?') => Err(invalid("the URL of a file takes no options")),
            "sqlite" if rest.contains(":memory:") => Err(invalid("it must be a file")),
            "sqlite" => Ok(Self::file(decoded(rest).ok_or_else(|| invalid("its path is not valid UTF-8"))?)),
            "postgres" | "postgresql" => {
                let url = Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
                Ok(Self(Arc::new(Place::Server(url))))
            }
            _ => Err(invalid("it must begin with `sqlite://` or `postgres://`")),
        }
    }
}

/// A path without percent-encoding.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let encoded = after.split_at_checked(2).filter(|_| byte == b'%').and_then(|(hex, after)| {
            let hex = std::str::from_utf8(hex).ok()?;
            Some((u8::from_str_radix(hex, 16).ok()?, after))
        });
        let (byte, after) = encoded.unwrap_or((byte, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for HistoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Place::File(path) => path.display().fmt(f),
            Place::Server(url) => f.write_str(&redact_url(url)),
        }
    }
}

impl fmt::Debug for HistoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_lacks_a_slash_is_no_file() {
        for text in ["postgres:/sync:hunter2@db/history", "postgresql:sync:hunter2@db"] {
            let error = text.parse::<HistoryUrl>().unwrap_err().to_string();
            assert!(error.contains("`postgres://`") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_url_names_a_file_or_a_server() {
        for (text, shown) in [
            ("history.db", "history.db"),
            ("sqlite:history.db", "history.db"),
            ("sqlite://history.db", "history.db"),
            ("sqlite://dir/../history.db", "dir/../history.db"),
            ("sqlite:///var/a/../history.db", "/var/a/../history.db"),
            ("sqlite:///var/a%20b/history.db", "/var/a b/history.db"),
            ("/var/a%20b/history.db", "/var/a%20b/history.db"),
            ("postgresql://db/history?password=hunter2", "postgresql://db/history?password=***"),
        ] {
            assert_eq!(text.parse::<HistoryUrl>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn an_unusable_url_is_refused_without_repeating_it() {
        for text in ["", "sqlite://", "sqlite:///a?mode=ro", "mysql://hunter2@db", "postgres://u:hunter2@[db/history"] {
            let error = text.parse::<HistoryUrl>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_data_folder_is_the_one_of_the_xdg_specification() {
        let of = |xdg: Option<&str>, home: Option<&str>| {
            HistoryUrl::in_data_dir_of(|name| if name == "HOME" { home } else { xdg }.map(PathBuf::from))
        };
        assert_eq!(of(Some("/data"), Some("/home/a")).unwrap().to_string(), "/data/diffsync/history.db");
        assert_eq!(of(Some("data"), Some("/home/a")).unwrap().to_string(), "/home/a/.local/share/diffsync/history.db");
        assert!(matches!(of(None, None), Err(HistoryUrlError::NoDataFolder)));
    }
}

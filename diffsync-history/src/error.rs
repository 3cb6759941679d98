//! What can go wrong with a history.

use std::io;

use thiserror::Error;

use crate::url::{HistoryUrl, HistoryUrlError};

/// A history cannot be opened, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Its URL is not valid.
    #[error(transparent)]
    Url(#[from] HistoryUrlError),
    /// The file cannot be opened, or it or its folder cannot be created.
    #[error("cannot open or create the history `{url}`: {source}; check who may read it and write to its folder")]
    File {
        /// Where the history is.
        url: HistoryUrl,
        /// Why.
        source: io::Error,
    },
    /// The file does not exist.
    #[error("there is no history `{0}`; check its name, or run a job with it, which creates it")]
    Missing(HistoryUrl),
    /// This program was built without the kind of database.
    #[error("cannot open the history `{0}`: this program was built without support for its kind of database")]
    NotBuiltIn(HistoryUrl),
    /// The file is something else.
    #[error("`{0}` is not a history: it is no SQLite database, or damaged; move it away, and a new one is created")]
    NotADatabase(HistoryUrl),
    /// A newer program has changed the schema.
    #[error(
        "the history `{url}` is of version {version}, written by diffsync {program}; this program knows versions up to {known}: \
         update it, or use another history"
    )]
    Newer {
        /// Where the history is.
        url: HistoryUrl,
        /// Its version.
        version: i64,
        /// The version of the program that wrote it.
        program: String,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Another program holds the database for too long.
    #[error(
        "cannot {doing}: another program has locked the history `{url}` for more than 10 seconds; wait for it, or end it"
    )]
    Locked {
        /// Where the history is.
        url: HistoryUrl,
        /// What was to be done.
        doing: &'static str,
    },
    /// This user may not write.
    #[error(
        "cannot {doing}: the history `{url}` is read-only for this user; check its permissions and those of its folder"
    )]
    ReadOnly {
        /// Where the history is.
        url: HistoryUrl,
        /// What was to be done.
        doing: &'static str,
    },
    /// No space is left.
    #[error("cannot {doing}: the disk of the history `{url}` is full; {}", room(.doing))]
    Full {
        /// Where the history is.
        url: HistoryUrl,
        /// What was to be done.
        doing: &'static str,
    },
    /// The server cannot be reached, or the connection to it broke.
    #[error("cannot {doing}: the history `{url}` cannot be reached: {source}")]
    Unreachable {
        /// Where the history is.
        url: HistoryUrl,
        /// What was to be done.
        doing: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// The database refused something.
    #[error("cannot {doing}: the history `{url}` refused it: {source}")]
    Database {
        /// Where the history is.
        url: HistoryUrl,
        /// What was to be done.
        doing: &'static str,
        /// The database's error.
        source: sqlx::Error,
    },
    /// No sync has this id.
    #[error("the history has no sync `{0}`")]
    UnknownSync(String),
    /// Several syncs have an id that begins so.
    #[error("`{0}` is the beginning of several syncs' ids; write more of it")]
    AmbiguousSync(String),
    /// A cursor is not one that a page returned.
    #[error("`{0}` is not a place in a list")]
    Cursor(String),
    /// The sync's lease ran out, and another run may have begun.
    #[error(
        "the run's lease in the history `{0}` was lost: this program was stopped for too long, or another one took it"
    )]
    LeaseLost(HistoryUrl),
    /// The job's own code panicked while records were read to be recorded.
    #[error("a part of the run is missing in the history, since the job's code panicked while it was recorded: {0}")]
    Panicked(String),
    /// The thread that writes could not be started, or has ended.
    #[error("the thread that writes the history has ended: {0}")]
    Writer(String),
}

/// What is being done when old details are removed.
pub(crate) const PRUNE: &str = "prune";

/// How to get room on a full disk.
fn room(doing: &str) -> &'static str {
    if doing == PRUNE {
        // What is removed is first written to a log beside the history.
        "removing needs some room too: free a few hundred MiB there, or move the history's files to another disk"
    } else {
        "make room, or remove the details of old syncs"
    }
}

/// Why something failed, before it is known in which history.
pub(crate) enum Cause {
    NotBuiltIn,
    #[cfg(feature = "sqlite")]
    File(io::Error),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Cause {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl HistoryError {
    pub(crate) fn new(url: &HistoryUrl, doing: &'static str, cause: impl Into<Cause>) -> Self {
        let url = url.clone();
        match cause.into() {
            Cause::NotBuiltIn => Self::NotBuiltIn(url),
            #[cfg(feature = "sqlite")]
            Cause::File(source) => Self::File { url, source },
            Cause::Database(source) => match Kind::of(&source) {
                Kind::NotADatabase => Self::NotADatabase(url),
                Kind::Locked => Self::Locked { url, doing },
                Kind::ReadOnly => Self::ReadOnly { url, doing },
                Kind::Full => Self::Full { url, doing },
                Kind::Unreachable => Self::Unreachable { url, doing, source },
                Kind::Other => Self::Database { url, doing, source },
            },
        }
    }

    /// Whether the same may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Locked { .. })
    }
}

/// `SQLITE_IOERR_SHMSIZE`: the shared memory of a database cannot grow.
const SHARED_MEMORY_SIZE: u32 = 4874;

/// The kinds of error that a database reports.
enum Kind {
    NotADatabase,
    Locked,
    ReadOnly,
    Full,
    Unreachable,
    Other,
}

impl Kind {
    fn of(error: &sqlx::Error) -> Self {
        let error = match error {
            sqlx::Error::Database(error) => error,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed => return Self::Unreachable,
            _ => return Self::Other,
        };

        // SQLite has numbers, the lowest byte being the kind; PostgreSQL has five characters.
        let code = error.code().unwrap_or_default();
        match (code.len() < 5).then(|| code.parse::<u32>()) {
            // Its shared memory is a file too, for which it reports no full disk by itself.
            Some(Ok(SHARED_MEMORY_SIZE)) => Self::Full,
            Some(Ok(number)) => match number & 0xff {
                5 | 6 => Self::Locked,
                3 | 8 => Self::ReadOnly,
                11 | 26 => Self::NotADatabase,
                13 => Self::Full,
                14 => Self::Unreachable,
                _ => Self::Other,
            },
            _ => match &*code {
                "25006" | "42501" => Self::ReadOnly,
                "53100" => Self::Full,
                "53300" | "57P01" | "57P02" | "57P03" | "57P05" => Self::Unreachable,
                "55P03" | "40001" | "40P01" => Self::Locked,
                connection if connection.starts_with("08") => Self::Unreachable,
                _ => Self::Other,
            },
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::sqlite::SqliteConnection;
    use sqlx::{Connection as _, Executor as _};

    use super::*;

    /// The words for the error of the last statement.
    #[allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests, not what they call")]
    fn words(statements: &'static str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(async {
            let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
            connection.execute(sqlx::raw_sql(statements)).await.unwrap_err()
        });
        HistoryError::new(&HistoryUrl::file("h.db"), "record a run", error).to_string()
    }

    #[test]
    fn an_error_is_said_in_words() {
        for (statements, expected) in [
            (
                "PRAGMA max_page_count = 1; CREATE TABLE a (b)",
                "cannot record a run: the disk of the history `h.db` is full",
            ),
            ("PRAGMA query_only = 1; CREATE TABLE a (b)", "cannot record a run: the history `h.db` is read-only"),
            ("SELECT * FROM a", "cannot record a run: the history `h.db` refused it: "),
        ] {
            let words = words(statements);
            assert!(words.starts_with(expected), "{words}");
        }
    }
}

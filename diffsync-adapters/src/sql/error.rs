//! Errors of a database, in words and for what they mean.

use diffsync_core::{AdapterError, REDACTED, TargetError, TargetErrorKind};

use super::session::Session;
use super::value::Value;

impl Session {
    /// A table that cannot be read.
    pub(crate) fn unreadable(&self, table: &str, error: sqlx::Error) -> AdapterError {
        AdapterError::context(format!("cannot read `{table}` from `{}`", self.shown()), error)
    }

    /// A database that cannot be reached.
    pub(crate) fn unreachable(&self, error: sqlx::Error) -> AdapterError {
        AdapterError::context(format!("cannot connect to `{}`", self.shown()), error)
    }

    /// A database that is not as the models say.
    pub(crate) fn lacking(&self, what: &str) -> AdapterError {
        AdapterError::new(format!("`{}` is not as the models say: {what}", self.shown()))
    }

    /// What could not be written, without the secrets among these values, which some databases quote.
    pub(crate) fn unwritable(&self, doing: &str, error: &sqlx::Error, secrets: &[Value<'_>]) -> TargetError {
        let mut message = format!("cannot {doing} in `{}`: {error}", self.shown());
        let texts = secrets.iter().filter_map(|secret| match secret {
            Value::Null | Value::Bool(_) | Value::Bytes(_) => None,
            Value::Text(text) => Some(text.to_string()),
            number => Some(number.shown()),
        });
        // The longest first, or the end of one that begins like another would stay.
        let mut texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        texts.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
        for text in texts {
            message = message.replace(&text, REDACTED);
        }
        match self.meaning(error) {
            TargetErrorKind::Record => TargetError::new(message),
            TargetErrorKind::Transient => TargetError::transient(message),
            TargetErrorKind::Fatal => TargetError::fatal(message),
            TargetErrorKind::Unknown => TargetError::unknown(message),
        }
    }

    pub(crate) fn meaning(&self, error: &sqlx::Error) -> TargetErrorKind {
        match error {
            sqlx::Error::Database(error) => self.database().meaning(&**error),
            // The server went away, and may come back.
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::PoolTimedOut | sqlx::Error::Protocol(_) => {
                TargetErrorKind::Transient
            }
            sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) | sqlx::Error::InvalidArgument(_) => {
                TargetErrorKind::Fatal
            }
            _ => TargetErrorKind::Record,
        }
    }
}

/// Whether a connection is of no use after this error.
pub(crate) fn ends_connection(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::Database(_) | sqlx::Error::RowNotFound | sqlx::Error::Encode(_))
}

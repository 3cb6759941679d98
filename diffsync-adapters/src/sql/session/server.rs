//! The database that a URL names, and its errors in words.

use diffsync_core::adapter::{AdapterError, TargetError, TargetErrorKind};
use diffsync_core::value::{Url, redact_url};

use super::error::{is_conflict, redact};
use crate::sql::dialect::Database;
use crate::sql::model::value::Value;

/// The database that a URL names.
pub(crate) struct Server {
    url: Url,
    dialect: Box<dyn Database>,
}

impl Server {
    pub(crate) fn new(url: Url, dialect: Box<dyn Database>) -> Self {
        Self { url, dialect }
    }

    /// The URL without its secrets.
    pub(crate) fn shown(&self) -> String {
        redact_url(&self.url)
    }

    /// The database as a text that no other database has.
    pub(crate) fn resource(&self) -> String {
        self.dialect.resource()
    }

    pub(crate) fn dialect(&self) -> &dyn Database {
        &*self.dialect
    }

    /// A table that cannot be read.
    pub(crate) fn unreadable(&self, table: &str, error: &sqlx::Error) -> AdapterError {
        AdapterError::context(format!("cannot read `{table}` from `{}`", self.shown()), self.describe_error(error))
    }

    /// A database that cannot be reached.
    pub(crate) fn unreachable(&self, error: &sqlx::Error) -> AdapterError {
        // A busy database was reached.
        let is_busy = matches!(error, sqlx::Error::Database(_)) && self.error_kind(error) == TargetErrorKind::Transient;
        let doing = if is_busy { "use" } else { "connect to" };
        AdapterError::context(format!("cannot {doing} `{}`", self.shown()), self.describe_error(error))
    }

    /// An error in words.
    pub(crate) fn describe_error(&self, error: &sqlx::Error) -> String {
        match error {
            sqlx::Error::Database(error) => self.dialect.describe_error(&**error),
            sqlx::Error::Configuration(reason) => reason.to_string(),
            _ => error.to_string(),
        }
    }

    /// The error of a database that does not match the models.
    pub(crate) fn schema_error(&self, what: &str) -> AdapterError {
        AdapterError::new(format!("`{}` does not match the models: {what}", self.shown()))
    }

    /// The error of a write, without the secrets among these values, which some databases quote.
    pub(crate) fn write_error(&self, doing: &str, error: &sqlx::Error, secrets: &[Value<'_>]) -> TargetError {
        let mut message = format!("cannot {doing} in `{}`: {}", self.shown(), self.describe_error(error));
        let texts = secrets.iter().filter_map(|secret| match secret {
            Value::Null | Value::Bool(_) | Value::Bytes(_) => None,
            Value::Text(text) => Some(text.to_string()),
            number => Some(number.shown()),
        });

        // The longest first, or the end of one that begins like another would stay.
        let mut texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        texts.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
        for text in texts {
            message = redact(&message, &text);
        }

        match self.error_kind(error) {
            TargetErrorKind::Record if is_conflict(error) => TargetError::conflict(message),
            TargetErrorKind::Record => TargetError::new(message),
            TargetErrorKind::Transient => TargetError::transient(message),
            TargetErrorKind::Fatal => TargetError::fatal(message),
            TargetErrorKind::Unknown => TargetError::unknown(message),
        }
    }

    pub(crate) fn error_kind(&self, error: &sqlx::Error) -> TargetErrorKind {
        match error {
            sqlx::Error::Database(error) => self.dialect.error_kind(&**error),
            // A message that is too large stays too large.
            sqlx::Error::Protocol(reason) if reason.contains("out of range for protocol") => TargetErrorKind::Record,
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

    /// The error of a table that does not match its model. It concerns all of its records.
    pub(crate) fn fatal_schema_error(&self, what: &str) -> TargetError {
        TargetError::fatal(self.schema_error(what).to_string())
    }
}

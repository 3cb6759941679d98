//! Errors of a database, in words and for what they mean.

use diffsync_core::{AdapterError, REDACTED, TargetError, TargetErrorKind};

use super::Session;
use crate::secret_forms::forms;
use crate::sql::model::value::Value;

impl Session {
    /// A table that cannot be read.
    pub(crate) fn unreadable(&self, table: &str, error: &sqlx::Error) -> AdapterError {
        AdapterError::context(format!("cannot read `{table}` from `{}`", self.shown()), self.words(error))
    }

    /// A database that cannot be reached.
    pub(crate) fn unreachable(&self, error: &sqlx::Error) -> AdapterError {
        // It is reached, and has no time.
        let is_busy = matches!(error, sqlx::Error::Database(_)) && self.meaning(error) == TargetErrorKind::Transient;
        let doing = if is_busy { "use" } else { "connect to" };
        AdapterError::context(format!("cannot {doing} `{}`", self.shown()), self.words(error))
    }

    /// An error in words.
    pub(crate) fn words(&self, error: &sqlx::Error) -> String {
        match error {
            sqlx::Error::Database(error) => self.database().words(&**error),
            sqlx::Error::Configuration(reason) => reason.to_string(),
            _ => error.to_string(),
        }
    }

    /// A database that is not as the models say.
    pub(crate) fn lacking(&self, what: &str) -> AdapterError {
        AdapterError::new(format!("`{}` is not as the models say: {what}", self.shown()))
    }

    /// What could not be written, without the secrets among these values, which some databases quote.
    pub(crate) fn unwritable(&self, doing: &str, error: &sqlx::Error, secrets: &[Value<'_>]) -> TargetError {
        let mut message = format!("cannot {doing} in `{}`: {}", self.shown(), self.words(error));
        let texts = secrets.iter().filter_map(|secret| match secret {
            Value::Null | Value::Bool(_) | Value::Bytes(_) => None,
            Value::Text(text) => Some(text.to_string()),
            number => Some(number.shown()),
        });
        // The longest first, or the end of one that begins like another would stay.
        let mut texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        texts.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
        for text in texts {
            message = without(&message, &text);
        }
        match self.meaning(error) {
            TargetErrorKind::Record if is_conflict(error) => TargetError::conflict(message),
            TargetErrorKind::Record => TargetError::new(message),
            TargetErrorKind::Transient => TargetError::transient(message),
            TargetErrorKind::Fatal => TargetError::fatal(message),
            TargetErrorKind::Unknown => TargetError::unknown(message),
        }
    }

    pub(crate) fn meaning(&self, error: &sqlx::Error) -> TargetErrorKind {
        match error {
            sqlx::Error::Database(error) => self.database().meaning(&**error),
            // What is too large for a message stays so.
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
}

/// How many characters of a secret are taken for its beginning; fewer may stand anywhere.
const BEGINNING: usize = 8;

/// A message without a secret, and without its beginning: some databases cut off what they quote.
fn without(message: &str, secret: &str) -> String {
    let beginning = secret.char_indices().nth(BEGINNING).map_or(secret.len(), |(at, _)| at);
    let (beginning, _) = secret.split_at(beginning);
    let (mut shown, mut rest) = (String::with_capacity(message.len()), message);
    while let Some(at) = rest.find(beginning) {
        let (before, quoted) = rest.split_at(at);
        let same = quoted.chars().zip(secret.chars()).take_while(|(one, other)| one == other);
        let (_, behind) = quoted.split_at(same.map(|(letter, _)| letter.len_utf8()).sum());
        shown.push_str(before);
        shown.push_str(REDACTED);
        rest = behind;
    }
    shown.push_str(rest);
    // A database may also quote what it was sent with escapes.
    forms(secret).iter().fold(shown, |shown, form| shown.replace(form.as_str(), REDACTED))
}

/// Whether a row was refused because another has a value that only one may have.
pub(crate) fn is_conflict(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    // PostgreSQL says otherwise of an exclusion constraint, and SQLite of a row's number.
    error.is_unique_violation() || matches!(error.code().as_deref(), Some("23P01" | "2579"))
}

/// Whether a connection is of no use after this error.
pub(crate) fn ends_connection(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::Database(_) | sqlx::Error::RowNotFound | sqlx::Error::Encode(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_without_a_secret_and_without_its_beginning() {
        for (message, secret, expected) in [
            ("Duplicate entry 'hunter2'", "hunter2", "Duplicate entry '[secret]'"),
            ("'tür-tür-tür-1' and 'tür-tür-t…'", "tür-tür-tür-1", "'[secret]' and '[secret]…'"),
            ("'12345678' and '1234567'", "1234567890", "'[secret]' and '1234567'"),
            (r"near 'hun\'ter2'", "hun'ter2", "near '[secret]'"),
            ("near 'hun''ter2'", "hun'ter2", "near '[secret]'"),
            ("nothing of it", "hunter2", "nothing of it"),
        ] {
            assert_eq!(without(message, secret), expected);
        }
    }
}

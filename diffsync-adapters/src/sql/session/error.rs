//! Errors of a database, and what they mean for what was written.

use diffsync_core::adapter::TargetError;
use diffsync_core::value::REDACTED;

use crate::secret_spellings::spellings;

/// Why a batch was not written.
pub(crate) enum WriteError {
    /// The database reported it.
    Database(sqlx::Error),
    /// It was found without the database.
    Known(TargetError),
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<TargetError> for WriteError {
    fn from(error: TargetError) -> Self {
        Self::Known(error)
    }
}

/// How many characters of a secret are recognised as its beginning; fewer may occur anywhere.
const BEGINNING: usize = 8;

/// A message without a secret, and without its beginning: some databases cut off what they quote.
pub(crate) fn redact(message: &str, secret: &str) -> String {
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
    spellings(secret).iter().fold(shown, |shown, form| shown.replace(form.as_str(), REDACTED))
}

/// Whether a row was refused because another has a value that only one may have.
pub(crate) fn is_conflict(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    // PostgreSQL has another code for an exclusion constraint, and SQLite for a row's number.
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
            assert_eq!(redact(message, secret), expected);
        }
    }
}

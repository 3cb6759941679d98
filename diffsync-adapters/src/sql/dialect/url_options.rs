//! The options after `?` in the URL of a database.

use diffsync_core::adapter::AdapterError;
use diffsync_core::value::{Url, redact_url};

use super::quoting::suggestion;

/// Refuses an option that the driver does not know. It would pass over it, and a misspelt `sslmode` would leave a
/// connection unprotected.
pub(crate) fn refuse_unknown(url: &Url, known: &[&str]) -> Result<(), AdapterError> {
    for (option, _) in url.query_pairs() {
        // An end of a password must not be shown.
        if option.contains('@') {
            return Err(AdapterError::new(
                "the text after `?` in the URL of the database is not an option; write a `?` in a password as `%3F`",
            ));
        }

        // A parameter of the server may be set by its name.
        let is_parameter = option.starts_with("options[") && option.ends_with(']');
        let name = if is_parameter { "options" } else { &*option };
        if !known.contains(&name) {
            let suggestion = suggestion(name, known.iter().copied());
            return Err(AdapterError::new(format!("`{}` has an unknown option `{name}`{suggestion}", redact_url(url))));
        }
    }

    Ok(())
}

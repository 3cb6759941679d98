//! Redacting the secrets of a URL.

use url::Url;

/// A URL with its login and the values of its query redacted, since tokens are often passed in the query.
///
/// A `/` in a password that is not escaped as `%2F` ends the host early, so that the rest of the password is parsed as the
/// path, the query or the fragment; and a URL without `//` has no host at all. So everything before an `@` in those parts is
/// redacted too.
#[doc(hidden)]
#[must_use]
pub fn redact_url(url: &Url) -> String {
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    let may_have_login = !has_host || !url.username().is_empty() || url.password().is_some() || url.port().is_some();
    // An `@` in the value of a query is redacted with the value; only one in the first key can follow a password.
    let query = url.query().filter(|query| query.split('=').next().is_some_and(|key| key.contains('@')));
    let after_host = [Some(url.path()), query, url.fragment()].into_iter().flatten();
    // From the end, since everything up to the last `@` may be the password.
    if let Some((_, rest)) = after_host.rev().find_map(|part| part.rsplit_once('@'))
        && may_have_login
    {
        return format!("{}://***@{rest}", url.scheme());
    }

    let mut shown = url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        // If the login cannot be replaced, as in a URL without a host, nothing of the URL is shown.
        let cleared = shown.set_username("***").and_then(|()| shown.set_password(None));
        if cleared.is_err() {
            return format!("{}:***", url.scheme());
        }
    }

    if url.query().is_some() {
        let keys: Vec<_> = url.query_pairs().map(|(key, _)| format!("{key}=***")).collect();
        shown.set_query(Some(&keys.join("&")));
    }

    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_not_escaped_is_not_shown_either() {
        for (url, shown) in [
            ("postgres://u:12/hunter2@localhost/x", "postgres://***@localhost/x"),
            ("postgres://u:p@hunter2/w@localhost/x", "postgres://***@localhost/x"),
            ("postgres://u:12#hunter2@localhost/x", "postgres://***@localhost/x"),
            ("postgres://u:12?hunter2@localhost/x", "postgres://***@localhost/x"),
            ("https://host/@somebody", "https://host/@somebody"),
            ("https://host:8080/a?mail=me@host", "https://host:8080/a?mail=***"),
            // Without `//`, or with too few or too many slashes, there is no host.
            ("postgres:/u:hunter2@localhost/x", "postgres://***@localhost/x"),
            ("postgres:u:hunter2@localhost/x", "postgres://***@localhost/x"),
            ("postgres:///u:hunter2@localhost/x", "postgres://***@localhost/x"),
            ("mysql:u:hun/t#er2@localhost/x", "mysql://***@localhost/x"),
            ("u:hunter2@localhost/x", "u://***@localhost/x"),
            ("https:u:hunter2@host/x", "https://***@host/x"),
            ("sqlite:inventory.db", "sqlite:inventory.db"),
            ("sqlite:///srv/inventory.db", "sqlite:///srv/inventory.db"),
        ] {
            assert_eq!(redact_url(&Url::parse(url).unwrap()), shown);
        }
    }
}

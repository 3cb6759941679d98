//! Redacts secrets in all that is shown of a request and its answer.

use std::sync::OnceLock;

use diffsync_core::value::{REDACTED, Url};
use serde_json::Value;

use crate::secret_spellings::spellings;

/// How much of a body is shown.
const LONGEST: usize = 500;

/// Texts that must not be shown.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    texts: Vec<String>,
    /// All spellings of them, the longest first. Computed when something is first shown.
    spellings: OnceLock<Vec<String>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Redactor {
    pub(crate) fn add(&mut self, text: &str) {
        // A shorter one would match everywhere, and hide the message.
        if text.len() >= 3 && !self.texts.iter().any(|known| known == text) {
            self.texts.push(text.to_owned());
            self.spellings = OnceLock::new();
        }
    }

    pub(crate) fn with(&self, texts: &[String]) -> Self {
        let mut all = self.clone();
        for text in texts {
            all.add(text);
        }
        all
    }

    /// The text without them.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in self.spellings() {
            if clean.contains(secret.as_str()) {
                clean = clean.replace(secret.as_str(), REDACTED);
            }
        }
        clean
    }

    fn spellings(&self) -> &[String] {
        self.spellings.get_or_init(|| {
            let mut spellings: Vec<String> = self.texts.iter().flat_map(|text| spellings(text)).collect();
            // One that is part of another is hidden after it.
            spellings.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
            spellings.dedup();
            spellings
        })
    }

    /// The document without them.
    pub(crate) fn clean_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.clean(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_value(item)),
            Value::Object(fields) => {
                let entries = std::mem::take(fields);
                fields.extend(entries.into_iter().map(|(name, mut value)| {
                    self.clean_value(&mut value);
                    (self.clean(&name), value)
                }));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Whether what a parameter of this name holds gives access.
fn gives_access(name: &str) -> bool {
    const ACCESS: [&str; 7] = ["token", "password", "passwd", "secret", "key", "auth", "signature"];
    let name = name.to_ascii_lowercase();
    ACCESS.iter().any(|word| name.contains(word))
}

/// Parameters of a query, but for values that give access.
pub(crate) fn query(query: &[(String, String)]) -> Vec<(&str, &str)> {
    query.iter().map(|(name, value)| (name.as_str(), if gives_access(name) { "***" } else { value })).collect()
}

/// A URL with its query, but for values that give access.
pub(crate) fn url(url: &Url, hidden: &Redactor) -> String {
    let mut shown = url.clone();
    if shown.query_pairs().any(|(name, _)| gives_access(&name)) {
        let pairs: Vec<_> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        shown.query_pairs_mut().clear().extend_pairs(
            pairs.iter().map(|(name, value)| (name, if gives_access(name) { "***" } else { value.as_str() })),
        );
    }

    if !shown.username().is_empty() || shown.password().is_some() {
        return diffsync_core::value::redact_url(url);
    }

    hidden.clean(shown.as_str())
}

/// A body in short: JSON as it is, of a page its title and its text.
pub(crate) fn excerpt(body: &str, hidden: &Redactor) -> String {
    let body = body.trim();
    let text = match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            hidden.clean_value(&mut value);
            value.to_string()
        }
        Err(_) if is_page(body) => words(&page(body)),
        Err(_) => words(body),
    };

    shortened(&hidden.clean(&text))
}

/// The beginning of a text that is too long.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Whether a text is a web page.
pub(crate) fn is_page(text: &str) -> bool {
    let begin: String = text.trim_start().chars().take(200).collect::<String>().to_ascii_lowercase();
    begin.starts_with("<!doctype html")
        || begin.starts_with("<html")
        || begin.contains("<head")
        || begin.contains("<body")
}

/// The title of a page, or else its text.
fn page(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|from| {
        let from = from + lower.get(from..)?.find('>')? + 1;
        let to = from + lower.get(from..)?.find("</title")?;
        html.get(from..to).map(str::trim).filter(|title| !title.is_empty())
    });
    title.map_or_else(|| text_of(html, &lower), |title| format!("a page titled {:?}", words(title)))
}

/// The text between the tags.
fn text_of(html: &str, lower: &str) -> String {
    let mut text = String::new();
    let mut at = 0;
    while let Some(open) = html.get(at..).and_then(|rest| rest.find('<')).map(|open| at + open) {
        text.push_str(html.get(at..open).unwrap_or_default());
        text.push(' ');
        // The text of a script or a style is not for people.
        let silent =
            ["script", "style"].into_iter().find(|tag| lower.get(open + 1..).is_some_and(|rest| rest.starts_with(tag)));
        let end = silent
            .and_then(|tag| lower.get(open..).and_then(|rest| rest.find(&format!("</{tag}"))))
            .map_or(open, |end| open + end);
        match html.get(end..).and_then(|rest| rest.find('>')) {
            Some(close) => at = end + close + 1,
            None => return text,
        }
    }

    text.push_str(html.get(at..).unwrap_or_default());
    text
}

/// A text in one line.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let mut hidden = Redactor::default();
        hidden.add("s3cr3t");
        assert_eq!(excerpt(body, &hidden), expected);
    }

    #[test]
    fn a_body_is_shown_in_short() {
        check("{\"detail\": \"Not found.\"}", r#"{"detail":"Not found."}"#);
        check("  plain\n text ", "plain text");
        check(
            "<!DOCTYPE html><html><head><title>Server\n Error</title></head></html>",
            "a page titled \"Server Error\"",
        );
        check("<html><style>b {}</style><body>Bad <b>gateway</b></body></html>", "Bad gateway");
        check("<html><body", "");
        check(&"x".repeat(600), &format!("{}…", "x".repeat(500)));
        check(&"ü".repeat(600), &format!("{}…", "ü".repeat(500)));
    }

    #[test]
    fn a_secret_is_not_shown_however_it_is_quoted() {
        check("the token s3cr3t is wrong", "the token [secret] is wrong");
        check("{\"s3cr3t\": [\"no s\\u0033cr3t\"]}", r#"{"[secret]":["no [secret]"]}"#);
    }

    #[test]
    fn what_gives_access_is_not_shown_of_a_url() {
        let shown = |text: &str| url(&Url::parse(text).unwrap(), &Redactor::default());
        assert_eq!(shown("https://h/a?limit=10&Api_Key=abc"), "https://h/a?limit=10&Api_Key=***");
        assert_eq!(shown("https://h/a?limit=10&name=x%20y"), "https://h/a?limit=10&name=x%20y");
        assert!(!shown("https://u:pw@h/a?token=abc").contains("pw"));
    }
}

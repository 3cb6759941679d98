//! The fields of a query or a form. A name may occur several times, as with the boxes of one filter.

use std::str::FromStr;

use url::form_urlencoded;

use crate::error::PageError;

/// The fields of a query or a form, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads them from a query or from the body of a form.
    pub(crate) fn read(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The text of a field. One that was left empty is not given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, text)| given == name && !text.is_empty()).map(|(_, text)| &**text)
    }

    /// The text of a field, empty if it is not given: what a form shows in it.
    pub(crate) fn given(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The query of the same filter, without the place in what it selects: the page of a list, or the branch of a tree.
    pub(crate) fn filter(&self) -> String {
        self.without(&["after", "under"])
    }

    /// The texts of all fields of a name, without empty ones.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, text)| given == name && !text.is_empty()).map(|(_, text)| &**text)
    }

    /// Adds fields of a name, unless there is one already.
    pub(crate) fn extend(&mut self, name: &str, texts: &[String]) {
        if self.get(name).is_none() {
            self.0.extend(texts.iter().map(|text| (name.to_owned(), text.clone())));
        }
    }

    /// The text of a field, as a value of its own.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Whether a field is given with this text.
    pub(crate) fn has(&self, name: &str, text: &str) -> bool {
        self.all(name).any(|given| given == text)
    }

    /// The value of a field.
    ///
    /// # Errors
    ///
    /// If its text is not one; `expected` says what it should be.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, PageError> {
        self.value(name, expected, |text| text.parse().ok())
    }

    /// The value of a field, as `read` reads it.
    ///
    /// # Errors
    ///
    /// If its text is not one; `expected` says what it should be.
    pub(crate) fn value<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, PageError> {
        let read = |text| read(text).ok_or_else(|| PageError::field(name, text, expected));
        self.get(name).map(read).transpose()
    }

    /// The same fields as a query, with another text of one of them, or without it.
    pub(crate) fn with(&self, name: &str, text: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let others = self.0.iter().filter(|(given, text)| given != name && !text.is_empty());
        query.extend_pairs(others);
        if let Some(text) = text {
            query.append_pair(name, text);
        }
        query.finish()
    }

    /// The fields as a query that begins with `?`, without those of these names; empty if nothing is left.
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let left = self.0.iter().filter(|(given, text)| !names.contains(&&**given) && !text.is_empty());
        let query = query.extend_pairs(left).finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

/// A query of these fields, which begins with `?`.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().filter(|(_, text)| !text.is_empty());
    format!("?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_may_be_given_several_times_or_left_empty() {
        let fields = Fields::read(b"status=failed&text=a%20%26+b&status=held&model=&status=");
        assert_eq!(fields.all("status").collect::<Vec<_>>(), ["failed", "held"]);
        assert_eq!((fields.get("text"), fields.get("model"), fields.get("x")), (Some("a & b"), None, None));
        assert!(fields.has("status", "held") && !fields.has("status", ""));
        assert_eq!(fields.with("text", Some("ü=")), "status=failed&status=held&text=%C3%BC%3D");
        assert_eq!(fields.without(&["status"]), "?text=a+%26+b");
        assert_eq!(fields.without(&["status", "text"]), "");
        assert_eq!(query(&[("status", "failed"), ("model", "")]), "?status=failed");
    }

    #[test]
    fn a_text_that_is_no_value_is_refused_with_what_is_expected() {
        let error = Fields::read(b"after=x").parsed::<u64>("after", "a number").unwrap_err();
        assert!(error.to_string().contains("`after` = \"x\""), "{error}");
    }
}

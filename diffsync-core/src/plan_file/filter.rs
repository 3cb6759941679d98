//! Filters: the part of a diff that a run executes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use wildmatch::WildMatch;

use crate::model::operation::Operation;

/// The part of a diff that a run executes. The rest is counted as left out, and so are the operations that depend on it.
/// The default leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Only these records; all if empty.
    pub records: Vec<RecordFilter>,
    /// Only these operations; all if empty.
    pub operations: Vec<Operation>,
}

impl Filter {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.operations.is_empty()
    }

    /// Whether operations of this kind take part.
    pub(crate) fn admits_operation(&self, operation: Operation) -> bool {
        self.operations.is_empty() || self.operations.contains(&operation)
    }

    pub(crate) fn admits(&self, model: &str, id: &dyn fmt::Display, operation: Operation) -> bool {
        let records = &self.records;
        self.admits_operation(operation)
            && (records.is_empty() || records.iter().any(|filter| filter.admits(model, id)))
    }
}

/// Records of a model: all of them, or those whose identifier matches a pattern.
///
/// Written `country` or `country=fr*`, where `*` matches any letters and `?` matches one.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordFilter {
    model: String,
    pattern: Option<(String, WildMatch)>,
}

impl RecordFilter {
    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    fn admits(&self, model: &str, id: &dyn fmt::Display) -> bool {
        self.model == model && (self.pattern.is_none() || self.matches(&id.to_string()))
    }

    /// Whether the identifier of one of its model's records matches.
    pub(crate) fn matches(&self, id: &str) -> bool {
        self.pattern.as_ref().is_none_or(|(_, pattern)| pattern.matches(id))
    }
}

impl FromStr for RecordFilter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (model, pattern) = match text.split_once('=') {
            None => (text, None),
            Some((model, pattern)) => (model, Some((pattern.to_owned(), WildMatch::new(pattern)))),
        };

        if model.is_empty() || pattern.as_ref().is_some_and(|(text, _)| text.is_empty()) {
            return Err("expected a model such as `country`, or a model with a pattern such as `country=fr*`");
        }

        Ok(Self { model: model.to_owned(), pattern })
    }
}

impl fmt::Display for RecordFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.model)?;
        self.pattern.iter().try_for_each(|(text, _)| write!(f, "={text}"))
    }
}

impl Serialize for RecordFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_named_by_model_and_pattern() {
        let admits = |filter: &str, model, id: &str| filter.parse::<RecordFilter>().unwrap().admits(model, &id);
        assert!(admits("country", "country", "france"));
        assert!(!admits("country", "region", "france"));
        assert!(admits("country=fr*", "country", "france"));
        assert!(!admits("country=fr*", "country", "niue"));
        assert!(admits("site=a=b", "site", "a=b"));
        assert!("=x".parse::<RecordFilter>().is_err() && "country=".parse::<RecordFilter>().is_err());
    }

    #[test]
    fn an_empty_filter_admits_everything() {
        assert!(Filter::default().admits("country", &"france", Operation::Delete));
        let only_creates = Filter { operations: vec![Operation::Create], ..Filter::default() };
        assert!(!only_creates.admits("country", &"france", Operation::Delete));
    }
}

//! Variables whose values are missing or wrong.

use std::fmt;

use thiserror::Error;

use super::spec::VariableSpec;

/// Where a variable's value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Given,
    Environment,
    Default,
}

/// A variable whose value is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableError {
    pub(super) spec: &'static VariableSpec,
    pub(super) origin: Origin,
    /// The value, if it is a single one that may be shown.
    pub(super) value: Option<String>,
    pub(super) reason: String,
}

impl VariableError {
    /// Whether the default is wrong.
    pub(in crate::job) fn is_about_default(&self) -> bool {
        self.origin == Origin::Default && self.spec.default.is_some()
    }

    /// The variable.
    #[must_use]
    pub fn variable(&self) -> &'static VariableSpec {
        self.spec
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spec, origin, value, reason } = self;
        write!(f, "variable `{}`", spec.name)?;
        if let Some(value) = value {
            write!(f, " = {value:?}")?;
        }
        match (origin, spec.env) {
            (Origin::Environment, Some(env)) => write!(f, " (from the environment variable {env})")?,
            (Origin::Default, _) if spec.default.is_some() => write!(f, " (its default)")?,
            _ => {}
        }
        write!(f, ": {reason}")
    }
}

impl std::error::Error for VariableError {}

/// All variables whose values are missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct VariableErrors(pub(super) Vec<VariableError>);

impl VariableErrors {
    /// The variables, in the order of the struct's fields.
    pub fn iter(&self) -> std::slice::Iter<'_, VariableError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a VariableErrors {
    type Item = &'a VariableError;
    type IntoIter = std::slice::Iter<'a, VariableError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

//! Values that are bound to statements.

use std::borrow::Cow;
use std::sync::Arc;

/// A value that is bound to a statement. It is cheap to clone, since a statement may have to be executed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Flag(bool),
    Integer(Option<i64>),
    Text(Option<Arc<str>>),
    /// One of a few texts that occur in many rows.
    Name(&'static str),
}

impl Value {
    /// One of a few texts, or none.
    pub(crate) fn name(name: Option<&'static str>) -> Self {
        name.map_or(Self::Text(None), Self::Name)
    }
}

#[cfg(feature = "postgres")]
impl Value {
    /// The value of a column of numbers.
    pub(super) fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { *number } else { None }
    }

    /// The value of a column of texts.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => text.as_deref(),
            Self::Name(name) => Some(name),
            Self::Flag(_) | Self::Integer(_) => None,
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(name) => Self::Name(name),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<Option<Cow<'static, str>>> for Value {
    fn from(text: Option<Cow<'static, str>>) -> Self {
        text.map_or(Self::Text(None), Self::from)
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(Into::into))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(Into::into))
    }
}

/// A text without NUL, which no database holds.
pub(crate) fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

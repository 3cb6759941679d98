//! Locations are named by their way from the root.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::rest::{join_names, split_names};

/// A location by the names from the root of the tree down to it, since a name is unique only under its parent.
///
/// As a text the names stand with ` → ` between them, as Nautobot shows them. An arrow in a name is written `\→`.
///
/// ```
/// use diffsync_adapters::nautobot::LocationPath;
///
/// let site = LocationPath::from(["Europe", "Netherlands", "AMS01"]);
/// assert_eq!(site.to_string(), "Europe → Netherlands → AMS01");
/// assert_eq!(site.name(), "AMS01");
/// assert_eq!(site.parent(), Some("Europe → Netherlands".parse().unwrap()));
///
/// let room = LocationPath::from(["AMS01", "Room A → B"]);
/// assert_eq!(room.to_string(), r"AMS01 → Room A \→ B");
/// assert_eq!(room.to_string().parse(), Ok(room));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocationPath(Vec<String>);

impl LocationPath {
    /// The location's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The names from the root down.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The location that it is in.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        (!above.is_empty()).then(|| Self(above.to_vec()))
    }

    /// The location of this name in it.
    #[must_use]
    pub fn child(&self, name: impl Into<String>) -> Self {
        let mut names = self.0.clone();
        names.push(name.into());
        Self(names)
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for LocationPath {
    fn from(names: [S; N]) -> Self {
        names.into_iter().collect()
    }
}

impl<S: Into<String>> FromIterator<S> for LocationPath {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for LocationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join_names(&self.0))
    }
}

/// A text that is no path: it holds no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a location has a name")]
pub struct EmptyLocationPath;

impl FromStr for LocationPath {
    type Err = EmptyLocationPath;

    fn from_str(text: &str) -> Result<Self, EmptyLocationPath> {
        if text.trim().is_empty() {
            return Err(EmptyLocationPath);
        }
        Ok(Self(split_names(text)))
    }
}

//! Ids of syncs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::HistoryError;

/// The id of a sync. Ids are in the order of their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SyncId(Uuid);

impl SyncId {
    /// A new id.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SyncId {
    type Err = HistoryError;

    fn from_str(text: &str) -> Result<Self, HistoryError> {
        text.parse().map(Self).map_err(|_| HistoryError::UnknownSync(text.to_owned()))
    }
}

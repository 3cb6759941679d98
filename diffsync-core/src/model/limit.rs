//! Limits: how much of a model a run may change.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::model::operation::Operation;

/// How many records of a model a run may create, update or delete.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// This number of records.
    Count(usize),
    /// This percentage of the target's records of the model. It applies only if the target holds ten records or more: of
    /// three records, one is a third.
    Percent(f64),
}

impl Limit {
    /// The number of records that are allowed if the target holds `records`, or `None` if the limit does not apply.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of records needs no more than 53 bits, and is not negative"
    )]
    pub fn allowed(self, records: usize) -> Option<usize> {
        match self {
            Self::Count(count) => Some(count),
            Self::Percent(_) if records < 10 => None,
            Self::Percent(percent) => Some((records as f64 * percent / 100.0).floor() as usize),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const USAGE: &str = "expected a number of records such as `120`, or a part of them such as `20%`";
        match text.trim().strip_suffix('%') {
            None => text.trim().parse().map(Self::Count).map_err(|_| USAGE),
            Some(percent) => {
                let percent: f64 = percent.trim().parse().map_err(|_| USAGE)?;
                if (0.0..=100.0).contains(&percent) { Ok(Self::Percent(percent)) } else { Err(USAGE) }
            }
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The limits of a model or a job. A model's limit counts before that of the job, and the job's before the default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// How many records may be created. It does not apply if the target's table is empty.
    pub creates: Option<Limit>,
    /// How many records may be updated.
    pub updates: Option<Limit>,
    /// How many records may be deleted.
    pub deletes: Option<Limit>,
}

impl Limits {
    /// No limits.
    pub const NONE: Self = Self { creates: None, updates: None, deletes: None };
}

/// What happens to a run that would exceed a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnGuard {
    /// The run is refused, and reports what it would have done.
    #[default]
    Stop,
    /// The operations that exceed a limit are held back, and the rest is done.
    Hold,
}

/// The permission to exceed a model's limit, up to a new one, for one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitOverride {
    /// The model's name.
    pub model: String,
    /// The operation that the limit is for.
    pub operation: Operation,
    /// The new limit.
    pub limit: Limit,
}

impl LimitOverride {
    /// Reads the model and the new limit, as in `country=120`.
    ///
    /// # Errors
    ///
    /// If it is not of this form.
    pub fn parse(operation: Operation, text: &str) -> Result<Self, String> {
        let (model, limit) = text
            .split_once('=')
            .filter(|(model, _)| !model.is_empty())
            .ok_or("expected a model and the new limit, as in `country=120`")?;
        Ok(Self { model: model.to_owned(), operation, limit: Limit::from_str(limit)? })
    }
}

//! Warnings about a run's filter.

use std::fmt;

use serde::Serialize;

use crate::plan_file::filter::RecordFilter;

/// Something that a run's filter names and still leaves out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "filtered", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Filtered {
    /// No record of either side matches.
    NoMatch {
        /// The part of the filter.
        only: RecordFilter,
    },
    /// A record is not created because the filter leaves out another record that it needs.
    Needs {
        /// The record's model.
        model: &'static str,
        /// Its identifier.
        record: String,
        /// The model of the record that it needs.
        needed_model: &'static str,
        /// The identifier of that record.
        needed: String,
    },
}

impl fmt::Display for Filtered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatch { only } => write!(f, "no {} on either side matches {:?}", only.model(), only.to_string()),
            Self::Needs { model, record, needed_model, needed } => write!(
                f,
                "{model} {record:?} is not created, because it needs {needed_model} {needed:?}, which the filter leaves \
                 out; include that with {:?}",
                format!("{needed_model}={needed}"),
            ),
        }
    }
}

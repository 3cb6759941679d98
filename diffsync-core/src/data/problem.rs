//! What can be wrong with a loaded data set.

use std::fmt;

use serde::Serialize;

use crate::data::side::Side;

/// Something wrong with a loaded data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The side it was found on.
    pub side: Side,
    /// The model.
    pub model: &'static str,
    /// The identifier of the record, as text.
    pub record: String,
    /// What is wrong.
    #[serde(flatten)]
    pub kind: ProblemKind,
}

/// What can be wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// Several records have the same identifier.
    Duplicate {
        /// The number of records that have it.
        times: usize,
    },
    /// Its parent was not loaded.
    Orphan {
        /// The parent's model.
        parent_model: &'static str,
        /// The identifier of the missing parent.
        parent: String,
    },
    /// It refers to a record that was not loaded.
    Dangling {
        /// The model it refers to.
        referenced_model: &'static str,
        /// The identifier of the missing record.
        referenced: String,
    },
    /// It is its own ancestor, or would have to exist before itself.
    Loop {
        /// The identifiers on the way from the record back to itself.
        path: Vec<String>,
    },
    /// The target stored another value than it was given, so the next run will find the same difference.
    StoredOtherwise {
        /// The attributes that the target returned with another value.
        attributes: Vec<&'static str>,
    },
    /// The target stored it under another identifier.
    StoredAs {
        /// The identifier that it has in the target.
        stored: String,
        /// Whether the two differ only in case.
        only_case: bool,
        /// Whether the target already had a record with that identifier, which was overwritten.
        existed: bool,
    },
    /// A unique value of it was emptied for another record, and then it could not be deleted.
    ValueFreed {
        /// The attribute that was emptied.
        attribute: &'static str,
        /// The record that has the value now.
        by: String,
    },
    /// It was written without its deferred references.
    ReferencesNotSet {
        /// Why.
        reason: String,
    },
    /// The loader rejected it.
    Rejected {
        /// The loader's reason.
        reason: String,
    },
}

impl Problem {
    /// Whether the record leaves the diff with all its descendants; otherwise the problem is a warning.
    ///
    /// In the target, a broken link does not reject a record, since the run may repair it.
    #[must_use]
    pub fn rejects(&self) -> bool {
        match self.kind {
            ProblemKind::Duplicate { .. } | ProblemKind::Rejected { .. } => true,
            ProblemKind::Orphan { .. } | ProblemKind::Dangling { .. } | ProblemKind::Loop { .. } => {
                self.side == Side::Source
            }
            ProblemKind::StoredOtherwise { .. }
            | ProblemKind::StoredAs { .. }
            | ProblemKind::ValueFreed { .. }
            | ProblemKind::ReferencesNotSet { .. } => false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, model, record, kind } = self;
        write!(f, "{side}: {model} {record:?} ")?;
        match kind {
            ProblemKind::Duplicate { times } => write!(f, "occurs {times} times"),
            ProblemKind::Orphan { parent_model, parent } => {
                write!(f, "is under {parent_model} {parent:?}, which does not exist")
            }
            ProblemKind::Dangling { referenced_model, referenced } => {
                write!(f, "refers to {referenced_model} {referenced:?}, which does not exist")
            }
            ProblemKind::Loop { path } => write!(f, "leads to itself: {}", path.join(" -> ")),
            ProblemKind::StoredOtherwise { attributes } => {
                write!(f, "was stored with another value than it was given: {}", attributes.join(", "))
            }
            ProblemKind::StoredAs { stored, only_case, existed } => {
                write!(f, "was stored as {stored:?}")?;
                if *existed {
                    write!(f, ", over the record that was there")?;
                }
                f.write_str(if *only_case {
                    "; the next run would create it again, unless the identifier has `compare = ignore_case`"
                } else {
                    "; the next run will create it again, unless the source uses that identifier too"
                })
            }
            ProblemKind::ValueFreed { attribute, by } => {
                write!(f, "lost its `{attribute}` to {by}, and could not be deleted afterwards")
            }
            ProblemKind::ReferencesNotSet { reason } => write!(f, "was written without its references: {reason}"),
            ProblemKind::Rejected { reason } => write!(f, "was rejected: {reason}"),
        }
    }
}

/// A model that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedModel {
    /// The model's name.
    pub model: &'static str,
    /// The side whose loader left it out.
    pub side: Side,
    /// Its reason.
    pub reason: String,
}

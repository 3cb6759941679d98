//! Evidence from responses that a `POST` to a collection creates a record there.

use std::collections::BTreeMap;

use diffsync_core::adapter::TargetError;
use diffsync_core::adapter::TargetErrorKind;

/// The evidence for each collection to which records were posted.
#[derive(Debug, Default)]
pub(crate) struct PostProofs(BTreeMap<&'static str, Proof>);

/// The effect of a `POST` to a collection, according to its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It creates a record.
    Creates,
    /// It means something else.
    Foreign,
    /// Nothing, and a search did not find the record.
    Nothing,
}

impl PostProofs {
    /// The evidence for a collection.
    pub(crate) fn get(&self, path: &str) -> Option<Proof> {
        self.0.get(path).copied()
    }

    pub(crate) fn note(&mut self, path: &'static str, proof: Proof) {
        self.0.insert(path, proof);
    }

    /// Takes note of why a record of a collection was not created.
    pub(crate) fn failed(&mut self, path: &'static str, error: &TargetError) {
        if error.kind() == TargetErrorKind::Fatal && error.is_outcome_unknown() {
            self.0.insert(path, Proof::Foreign);
        }
    }
}

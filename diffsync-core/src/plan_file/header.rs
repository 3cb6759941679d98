//! The first line of a plan file.

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::model::SavedModel;
use super::signature::Signature;
use crate::model::limit::{LimitOverride, OnGuard};

/// The version of the format that is written and read.
pub(crate) const VERSION: u32 = 1;

/// The first line of a plan file: its job, kind and options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct PlanHeader {
    /// The version of the file's format.
    pub diffsync_plan: u32,
    /// Whether it synchronises the target or undoes a run.
    pub kind: PlanKind,
    /// The job's id.
    pub job: String,
    /// The profile of the job that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The version of the program that created it.
    pub program: String,
    /// Who created it, and when.
    #[serde(rename = "made")]
    pub created: Signature,
    /// The texts given for the job's variables, except those that may hold secrets.
    pub variables: Vec<(String, Vec<String>)>,
    /// The options of the run that created it.
    pub options: PlanOptions,
    /// The models whose records it touches.
    pub models: Vec<SavedModel>,
    /// Whether its run did not finish: it then undoes what was done so far, and has no digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

#[cfg(feature = "testkit")]
impl PlanHeader {
    /// A header without a job and a name.
    pub(crate) fn anonymous(kind: PlanKind) -> Self {
        let unsigned = Signature { by: String::new(), at: String::new() };
        Self {
            diffsync_plan: VERSION,
            kind,
            job: String::new(),
            profile: None,
            program: String::new(),
            created: unsigned,
            variables: Vec::new(),
            options: PlanOptions::default(),
            models: Vec::new(),
            unfinished: false,
        }
    }
}

/// What a saved plan does to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// It makes the target match the source.
    Sync,
    /// It undoes a run. Only the target is loaded; the source's adapter is created
    /// ([`Job::source_adapter`](crate::Job::source_adapter)), but not loaded.
    Undo,
}

/// The part of a run's options that its plan depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct PlanOptions {
    /// The flags that were set on the run, as [`Flags`](crate::model::Flags) names them.
    pub flags: String,
    /// The filter.
    pub filter: Filter,
    /// The limit overrides.
    pub limit_overrides: Vec<LimitOverride>,
    /// What to do at a limit.
    pub on_guard: OnGuard,
    /// The largest allowed fraction of unusable records.
    pub max_rejected: f64,
}

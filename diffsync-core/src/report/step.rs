//! The four measured steps of a run.

use std::fmt;
use std::time::Duration;

use diffsync_memory::StepMemory;
use serde::{Deserialize, Serialize, Serializer};

use crate::data::side::Side;

/// One of the four measured parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Reading and checking the source's records.
    LoadSource,
    /// Reading and checking the target's records.
    LoadTarget,
    /// Comparing both sides.
    CalculateDiff,
    /// Writing to the target.
    ExecuteSync,
}

impl Step {
    /// All steps in the order they are taken.
    pub const ALL: [Self; 4] = [Self::LoadSource, Self::LoadTarget, Self::CalculateDiff, Self::ExecuteSync];
}

impl From<Side> for Step {
    /// The step that loads this side.
    fn from(side: Side) -> Self {
        match side {
            Side::Source => Self::LoadSource,
            Side::Target => Self::LoadTarget,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LoadSource => "load source",
            Self::LoadTarget => "load target",
            Self::CalculateDiff => "calculate diff",
            Self::ExecuteSync => "execute sync",
        })
    }
}

/// The measurements of one step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// The step.
    pub step: Step,
    /// Wall time by the monotonic clock; in documents in seconds.
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// Its memory, if the run had memory profiling on.
    pub memory: Option<StepMemory>,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

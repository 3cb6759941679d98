//! The report of a run, and its events.
//!
//! [`RunReport`] is the result of a run, and serialises as one document. An [`Observer`] receives an [`Event`] for each step
//! and each record during the run.

pub(crate) mod config;
pub(crate) mod event;
pub(crate) mod filtered;
pub(crate) mod retry;
pub(crate) mod step;

pub use self::config::ConfigItem;
pub use self::event::{Event, Observer, RecordUrl, TracingObserver};
pub use self::filtered::Filtered;
pub use self::retry::{report_retry, request_retries};
pub use self::step::{Step, StepReport};

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;
use url::Url;

use crate::data::problem::{Problem, SkippedModel};
use crate::data::refusal::{Breach, Drift, Refusal};
use crate::data::side::Side;
use crate::model::limit::LimitOverride;
use crate::model::operation::Operation;
use crate::plan::diff::DiffSummary;
use crate::plan::outcome::{OutcomeCounts, OutcomeKind, Outcomes};
use crate::plan::tree::DiffTree;
use crate::plan::{PlanView, RecordRef};
use crate::plan_file::UndoPlan;

/// The report of a run.
///
/// It serialises as one document: the status, the steps with durations and memory, the summary, the outcomes by kind,
/// the problems, the failures, and the diff.
pub struct RunReport {
    /// The job's id.
    pub job: &'static str,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// How the run ended.
    pub status: Status,
    /// Why the run did not reach its end.
    pub error: Option<RunError>,
    /// Wall time of the whole run.
    pub duration: Duration,
    /// The steps that were taken.
    pub steps: Vec<StepReport>,
    /// The job's configuration.
    pub config: Vec<ConfigItem>,
    /// The number of operations by outcome.
    pub counts: OutcomeCounts,
    /// The limits that the run would have exceeded, or for which operations were held.
    pub breaches: Vec<Breach>,
    /// The limit overrides of this run.
    pub limit_overrides: Vec<LimitOverride>,
    /// The models that were left out, with the reason.
    pub skipped: Vec<SkippedModel>,
    /// What the run's filter names and still leaves out.
    pub filtered: Vec<Filtered>,
    /// The drift: operations of the applied plan file that no longer match. The JSON report calls it `stale`.
    pub drift: Vec<Drift>,
    /// How many operations of that plan file had already been applied.
    pub already_done: usize,
    /// How many calls to the two systems were retried.
    pub retries: u64,
    /// The undo plan, if the run was to make one.
    pub undo: Option<UndoPlan>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) plan: Option<Arc<dyn PlanView>>,
    pub(crate) outcomes: Outcomes,
    pub(crate) links: HashMap<RecordRef, Url>,
}

impl RunReport {
    /// The plan, if the run got that far.
    #[must_use]
    pub fn plan(&self) -> Option<&dyn PlanView> {
        self.plan.as_deref()
    }

    /// The counts of the diff, if the run got that far.
    #[must_use]
    pub fn summary(&self) -> Option<DiffSummary> {
        self.plan().map(|plan| plan.diff().summary())
    }

    /// The problems in the two data sets, and the records that the target did not store as given.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Why the run did not reach its end, with the causes, in one line.
    #[must_use]
    pub fn error_text(&self) -> Option<String> {
        self.error.as_ref().map(|error| crate::error::display_chain(error))
    }

    /// The records that failed, were blocked or held, or whose outcome is unknown, in the order of the diff.
    pub fn failures(&self) -> impl Iterator<Item = FailedRecord> {
        self.plan().into_iter().flat_map(|plan| {
            self.outcomes.iter(plan.diff()).filter_map(|(record, operation, outcome)| {
                let reason = outcome.reason(plan, record)?;
                let outcome = outcome.kind();
                let url = self.links.get(&record).cloned();
                let model = plan.diff().tables()[record.model()].schema().name;
                Some(FailedRecord { model, record: plan.record(record), operation, outcome, reason, url })
            })
        })
    }
}

impl fmt::Debug for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunReport")
            .field("job", &self.job)
            .field("status", &self.status)
            .field("error", &self.error)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// A record that was not written as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedRecord {
    /// The model's name.
    pub model: &'static str,
    /// The record's identifier.
    pub record: String,
    /// The planned operation.
    pub operation: Operation,
    /// `failed`, `blocked`, `held` or `unknown`.
    pub outcome: OutcomeKind,
    /// The target's error, or the record that caused this.
    pub reason: String,
    /// The URL of the record's page.
    pub url: Option<Url>,
}

impl Serialize for RunReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("RunReport", 19)?;
        document.serialize_field("job", self.job)?;
        document.serialize_field("status", &self.status)?;
        document.serialize_field("dry_run", &self.dry_run)?;
        document.serialize_field("error", &self.error_text())?;
        document.serialize_field("duration_seconds", &self.duration.as_secs_f64())?;
        document.serialize_field("config", &self.config)?;

        document.serialize_field("steps", &self.steps)?;
        document.serialize_field("summary", &self.summary())?;
        document.serialize_field("outcomes", &self.counts)?;

        document.serialize_field("breaches", &self.breaches)?;
        document.serialize_field("limit_overrides", &self.limit_overrides)?;
        document.serialize_field("skipped", &self.skipped)?;
        document.serialize_field("filtered", &self.filtered)?;
        document.serialize_field("stale", &self.drift)?;
        document.serialize_field("already_done", &self.already_done)?;
        document.serialize_field("retries", &self.retries)?;

        document.serialize_field("problems", self.problems())?;
        document.serialize_field("failures", &self.failures().collect::<Vec<_>>())?;
        document.serialize_field("diff", &self.plan().map(DiffTree::of))?;

        document.end()
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Everything was done.
    Completed,
    /// The rest was done, but a record failed, was blocked, held or rejected, has an unknown outcome, or was not attempted by
    /// a hook of the job.
    Partial,
    /// The run did not reach its end.
    Failed,
    /// The run was not allowed to write, and wrote nothing.
    Refused,
    /// The run was cancelled.
    Cancelled,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        })
    }
}

/// Why a run did not reach its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The job's own check of its variables failed.
    #[error("the job's variables are not valid")]
    Invalid(#[source] Cause),
    /// The target could not be locked for this run.
    #[error("it cannot be found out whether another run writes to the target; nothing was written")]
    Lock(#[source] Cause),
    /// One side could not be loaded.
    #[error("the {side} could not be loaded")]
    Load {
        /// The side.
        side: Side,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// The `calculate_diff` hook failed.
    #[error("the diff could not be calculated")]
    Diff(#[source] Cause),
    /// The `calculate_diff` hook returned a plan of another comparison, which need not respect the run's filter and flags,
    /// the plan file, or the target's capabilities.
    #[error("`calculate_diff` returned a plan of other data than it was given; return `loaded.compare()`")]
    ForeignPlan,
    /// The `execute_sync` hook failed.
    #[error("the sync could not be executed")]
    Execute(#[source] Cause),
    /// The target could not complete the run.
    #[error("the target could not complete the run")]
    Complete(#[source] Cause),
    /// A dry run tried its plan on the target, which could not apply it.
    #[error("the target could not apply the plan; nothing was written")]
    Rehearsal(#[source] Cause),
    /// A record failed in a way that ended the run. The rest is counted as not attempted.
    #[error("the run ended early{}: {last}", stopped_after(*.failed, *.unknown, *.operations))]
    Stopped {
        /// How many failed.
        failed: usize,
        /// How many ended with an unknown outcome.
        unknown: usize,
        /// How many there were.
        operations: usize,
        /// The error that ended it.
        last: String,
    },
    /// A hook of the job panicked.
    #[error("{0}")]
    Panicked(String),
    /// The run was cancelled.
    #[error("the run was cancelled")]
    Cancelled,
    /// The program ended the run for a reason of its own.
    #[error("{reason}; {}", done_by_then(.counts))]
    Aborted {
        /// Why.
        reason: String,
        /// What was done by then.
        counts: Box<OutcomeCounts>,
    },
    /// The run exceeded its time limit.
    #[error("the run did not end within {0:?}; operations not begun by then were not attempted")]
    TimeLimit(Duration),
    /// A limit override or the filter names a model that the job does not have.
    #[error("the job has no model `{model}`; {known}")]
    UnknownModel {
        /// The given name.
        model: String,
        /// The nearest of the job's models, or all of them.
        known: String,
    },
    /// The run was not allowed to write.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The job's `sync_data` took the steps in the wrong order.
    #[error("`sync_data` called `{called}` before `{missing}`")]
    Order {
        /// The step that was called.
        called: &'static str,
        /// The step that must come before.
        missing: &'static str,
    },
    /// The job's `sync_data` returned before both sides were compared, and without an error.
    #[error("`sync_data` returned without a diff; call the steps there and return their errors")]
    Unfinished,
    /// The job's `sync_data` took a step twice.
    #[error("`sync_data` called `{called}` a second time")]
    Again {
        /// The step that was called.
        called: &'static str,
    },
}

/// What was done when the program ended a run.
fn done_by_then(counts: &OutcomeCounts) -> String {
    let OutcomeCounts { created, updated, deleted, cascaded, unknown, not_attempted, .. } = *counts;
    let done = match created + updated + deleted + cascaded {
        0 if unknown == 0 => "nothing was written".to_owned(),
        1 => "1 operation was done".to_owned(),
        done => format!("{done} operations were done"),
    };
    let left = [(unknown, "may have been"), (not_attempted, "not attempted")];
    left.iter().filter(|(count, _)| *count > 0).fold(done, |text, (count, what)| format!("{text}, {count} {what}"))
}

/// How many operations failed before the last error ended the run: none if it was not a record's. Those with an unknown outcome
/// count towards the failures that end a run.
fn stopped_after(failed: usize, unknown: usize, operations: usize) -> String {
    match (failed, unknown) {
        (0, 0) => String::new(),
        (_, 0) => format!(" after {failed} of {operations} operations failed, the last with"),
        _ => format!(
            " after {failed} of {operations} operations failed and {unknown} ended with an unknown outcome, the last with"
        ),
    }
}

/// The error that a hook or an adapter returned.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

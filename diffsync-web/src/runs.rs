//! What a program tells its pages: its jobs and their profiles, and how a run is started, watched and cancelled.

use std::fmt;
use std::pin::Pin;

use diffsync_core::job::{JobEntry, JobInfo, VariableSpec, VariableValues};
use diffsync_core::model::LimitOverride;
use diffsync_core::report::ConfigItem;
use diffsync_history::SyncId;
use thiserror::Error;
use tokio::sync::watch;

use crate::progress::Progress;

/// What is waited for.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A job with its profiles.
#[derive(Debug, Clone)]
pub struct JobPage {
    /// The job.
    pub job: JobEntry,
    /// Its profiles, in the order of the pages.
    pub profiles: Vec<ProfilePage>,
}

/// A job that is listed, and not run from a page: its code is in another program.
#[derive(Debug, Clone)]
pub struct OtherJob {
    /// What is known of it.
    pub info: &'static JobInfo,
    /// The command that runs it.
    pub command: String,
}

/// A profile: a named configuration of a job. Nothing in it may be secret.
#[allow(clippy::struct_excessive_bools, reason = "each is a box of the form, independent of the others")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfilePage {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// When it is to run.
    pub schedule: Option<String>,
    /// Whether a run is a dry run by default.
    pub dry_run: bool,
    /// Whether it measures the memory of each step by default.
    pub memory_profiling: bool,
    /// Whether it loads both sides at the same time by default.
    pub parallel_loading: bool,
    /// Whether it goes on with the other records when one fails.
    pub continue_on_failure: bool,
    /// What it sets the job's variables to, in words that tell no secret: the variable's name, and the value or where it is from.
    pub settings: Vec<(String, String)>,
}

/// A run that a user asks for.
#[allow(clippy::struct_excessive_bools, reason = "each is a box of the form, independent of the others")]
#[derive(Debug, Clone)]
pub struct StartRun {
    /// The job's id.
    pub job: String,
    /// The profile's name.
    pub profile: Option<String>,
    /// The texts given for the job's variables. For others the profile, the environment or the default decides.
    pub values: VariableValues,
    /// Write nothing.
    pub dry_run: bool,
    /// Measure the memory that each step takes.
    pub memory_profiling: bool,
    /// Load both sides at the same time.
    pub parallel_loading: bool,
    /// Go on with the other records when one fails.
    pub continue_on_failure: bool,
    /// The limits that are exceeded on purpose.
    pub limit_overrides: Vec<LimitOverride>,
    /// Who asks for it.
    pub started_by: String,
}

/// A variable whose value is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The variable's name.
    pub variable: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// A run was not started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Values are missing or wrong.
    #[error("{}", .0.iter().map(|error| &*error.message).collect::<Vec<_>>().join("\n"))]
    Fields(Vec<FieldError>),
    /// Another run keeps it from running.
    #[error("{0}")]
    Busy(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// Starts runs, and knows those that it started.
///
/// A run belongs to the program and not to the request that started it: it goes on when the browser leaves.
pub trait Runs: Send + Sync + 'static {
    /// Starts a run, and returns once it is recorded.
    ///
    /// # Errors
    ///
    /// If a value is missing or wrong, another run keeps it from running, or it cannot be recorded.
    fn start(&self, run: StartRun) -> Pending<'_, Result<SyncId, StartError>>;

    /// Cancels a run: calls in flight are finished, the rest is not attempted. Returns whether the program runs it.
    fn cancel(&self, sync: SyncId) -> bool;

    /// How far a run is, while the program runs it. The channel closes when the run has ended and is recorded.
    fn progress(&self, sync: SyncId) -> Option<watch::Receiver<Progress>>;

    /// The choices for a variable, or why they cannot be listed; `None` unless the job declares any. It may ask a system.
    fn choices<'a>(
        &'a self,
        job: &'a JobEntry,
        profile: Option<&'a str>,
        variable: &'a VariableSpec,
    ) -> Pending<'a, Option<Result<Vec<String>, String>>>;

    /// A job's configuration without secrets, if what is written in its profile and its defaults suffice to tell it.
    fn configuration(&self, job: &JobEntry, profile: Option<&str>) -> Option<Vec<ConfigItem>>;
}

impl fmt::Debug for dyn Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runs")
    }
}

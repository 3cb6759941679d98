//! The runs that the pages start.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diffsync_core::job::{JobEntry, PreparedJob, VariableErrors, VariableSpec};
use diffsync_core::report::{ConfigItem, Observer, TracingObserver};
use diffsync_core::run::{CancellationToken, RunOptions};
use diffsync_history::{History, HistoryPolicy, SyncId};
use diffsync_web::{FieldError, Pending, Progress, ProgressObserver, Runs, StartError, StartRun};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::choices;
use crate::history::{Recording, Started};
use crate::jobs::{AnyJob, Jobs};
use crate::profile::{Profile, Profiles, Selected};
use crate::prompt::Prompt;
use crate::terminal;

/// The runs that the pages start, until they have ended.
pub(super) struct ServedRuns {
    jobs: Jobs,
    profiles: Profiles,
    history: History,
    policy: HistoryPolicy,
    /// The program's version.
    program: &'static str,
    /// Cancels all runs, and keeps others from beginning.
    end: CancellationToken,
    running: Arc<Mutex<HashMap<SyncId, Running>>>,
    tasks: TaskTracker,
}

/// A run that has not ended.
struct Running {
    cancellation: CancellationToken,
    progress: watch::Receiver<Progress>,
}

impl ServedRuns {
    pub(super) fn new(
        jobs: Jobs,
        profiles: Profiles,
        history: History,
        policy: HistoryPolicy,
        program: &'static str,
        end: CancellationToken,
    ) -> Self {
        let (running, tasks) = (Arc::default(), TaskTracker::new());
        Self { jobs, profiles, history, policy, program, end, running, tasks }
    }

    /// Waits until all runs have ended and are recorded.
    pub(super) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn running(&self) -> MutexGuard<'_, HashMap<SyncId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn selected(&self, job: &str, profile: Option<&str>) -> Result<Selected<'_>, String> {
        let name = profile.map_or_else(|| job.to_owned(), |profile| format!("{job}@{profile}"));
        self.profiles.select(&self.jobs, &name)
    }

    async fn begin(&self, run: StartRun) -> Result<SyncId, StartError> {
        if self.end.is_cancelled() {
            return Err(StartError::Busy("the server is ending, and starts no more runs".to_owned()));
        }
        let selected = self.selected(&run.job, run.profile.as_deref()).map_err(StartError::Failed)?;
        let AnyJob::Linked(job) = selected.job else {
            return Err(StartError::Failed(format!("the job {:?} is in another program", run.job)));
        };
        // A profile may have a value from a command, which takes its time.
        let values = tokio::task::block_in_place(|| selected.complete(run.values.clone(), Prompt::never()));
        let values = values.map_err(StartError::Failed)?;
        let prepared = job.prepare(&values).map_err(|errors| fields(&errors))?;

        let mut options = options(&selected, &run);
        options.cancellation = self.end.child_token();
        let kept = self.profiles.retention();
        let started = Started { selected: &selected, values: &values, plan: None, program: self.program, kept };
        let begun = async {
            self.history.mark_interrupted().await?;
            Recording::begin_in(&self.history, &started, &mut options, self.policy, run.started_by).await
        };
        let recording = begun
            .await
            .map_err(|error| StartError::Failed(format!("nothing was run, since it cannot be recorded: {error}")))?;
        let Some(sync) = recording.sync() else {
            let refusal = options.refusal.map(|refusal| refusal.to_string());
            return Err(StartError::Busy(
                refusal.unwrap_or_else(|| "nothing was run, since it cannot be recorded".to_owned()),
            ));
        };

        let (observer, progress) = ProgressObserver::new();
        self.running().insert(sync, Running { cancellation: options.cancellation.clone(), progress });
        let registered = Registered { sync, running: Arc::clone(&self.running) };
        self.tasks.spawn(finish(prepared, options, recording, Arc::new(observer), registered));
        Ok(sync)
    }
}

/// Runs a job to its end, whether or not anybody watches.
async fn finish(
    prepared: Box<dyn PreparedJob>,
    options: RunOptions,
    recording: Recording,
    progress: Arc<ProgressObserver>,
    registered: Registered,
) {
    let span = tracing::info_span!("run", sync = %registered.sync);
    recording.record_lines(span.id());
    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::new(TracingObserver::default()), Arc::clone(&progress) as _];
    observers.extend(recording.observer());
    prepared.run(options, observers).instrument(span).await;

    if let Some(error) = recording.finish().await {
        terminal::warn(&format!("the history of sync {} is not complete: {error}", registered.sync));
    }
    // Those who watch learn of the end once it is recorded.
    drop(registered);
    drop(progress);
}

/// A run among those in progress; it is removed even if the run panics.
struct Registered {
    sync: SyncId,
    running: Arc<Mutex<HashMap<SyncId, Running>>>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.sync);
    }
}

fn options(selected: &Selected<'_>, run: &StartRun) -> RunOptions {
    let mut options = selected.options();
    options.dry_run = run.dry_run;
    options.memory_profiling = run.memory_profiling;
    options.parallel_loading = run.parallel_loading;
    options.continue_on_failure = run.continue_on_failure;
    options.limit_overrides.extend(run.limit_overrides.iter().cloned());
    options
}

fn fields(errors: &VariableErrors) -> StartError {
    let field = |error: &diffsync_core::job::VariableError| FieldError {
        variable: error.variable().name.to_owned(),
        message: error.to_string(),
    };
    StartError::Fields(errors.iter().map(field).collect())
}

impl Runs for ServedRuns {
    fn start(&self, run: StartRun) -> Pending<'_, Result<SyncId, StartError>> {
        Box::pin(self.begin(run))
    }

    fn cancel(&self, sync: SyncId) -> bool {
        self.running().get(&sync).map(|running| running.cancellation.cancel()).is_some()
    }

    fn progress(&self, sync: SyncId) -> Option<watch::Receiver<Progress>> {
        self.running().get(&sync).map(|running| running.progress.clone())
    }

    fn choices<'a>(
        &'a self,
        job: &'a JobEntry,
        profile: Option<&'a str>,
        variable: &'a VariableSpec,
    ) -> Pending<'a, Option<Result<Vec<String>, String>>> {
        Box::pin(async move {
            if !variable.has_choices {
                return None;
            }
            let selected = self.selected(job.info().id, profile).ok()?;
            let values = selected.profile.map(Profile::written_values).unwrap_or_default();
            let (job, variable) = (*job, *variable);
            // It waits for a system, on a thread of its own.
            let asked =
                tokio::task::spawn_blocking(move || choices::choices(AnyJob::Linked(&job), &variable, &values)).await;
            asked.unwrap_or_else(|error| Some(Err(error.to_string())))
        })
    }

    fn configuration(&self, job: &JobEntry, profile: Option<&str>) -> Option<Vec<ConfigItem>> {
        let selected = self.selected(job.info().id, profile).ok()?;
        let values = selected.profile.map(Profile::written_values).unwrap_or_default();
        Some(job.prepare(&values).ok()?.config_information())
    }
}

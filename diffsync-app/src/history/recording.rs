//! Recording a run in the history.

use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use diffsync_core::job::{JobKind, VariableValues};
use diffsync_core::plan::Refusal;
use diffsync_core::report::Observer;
use diffsync_core::run::{AbortReason, RunOptions};
use diffsync_history::{
    History, HistoryError, HistoryPolicy, LeaseError, LeaseName, NewSync, Recorder, RecorderOptions, SyncId,
};

use tracing::span::Id;

use super::lines::HistoryLayer;
use super::{RetentionSetting, open};
use crate::advice;
use crate::exit::{Exit, NotRun};
use crate::profile::Selected;
use crate::signature::signature;
use crate::terminal;

/// A run that is about to begin.
pub(crate) struct Started<'a> {
    pub(crate) selected: &'a Selected<'a>,
    pub(crate) values: &'a VariableValues,
    /// The plan file that is applied.
    pub(crate) plan: Option<String>,
    /// The version of the program.
    pub(crate) program: &'a str,
    /// How long the history keeps the details of runs.
    pub(crate) kept: RetentionSetting,
}

/// A run that is recorded, unless `--history off`.
#[derive(Default)]
pub(crate) struct Recording {
    recorder: Option<Arc<Recorder>>,
    /// The history that the run tidies up at its end.
    tidies: Option<(History, RetentionSetting)>,
    is_required: bool,
    /// Why the history ended the run, if it did.
    abort_reason: AbortReason,
}

/// How long the end of a run may be delayed by tidying up the history.
const TIDYING_LIMIT: Duration = Duration::from_secs(1);

impl Recording {
    /// Begins to record a run, and takes the leases that keep others from writing at the same time.
    ///
    /// If another run has the job's lease, this one is recorded as refused. If the history cannot be opened, the run continues
    /// without it, unless it is required.
    pub(crate) async fn begin(
        run: &Started<'_>,
        options: &mut RunOptions,
        matches: &ArgMatches,
    ) -> Result<Self, NotRun> {
        let policy = match matches.get_one::<String>("history").map(String::as_str) {
            Some("off") => return Ok(Self::default()),
            Some("required") => HistoryPolicy::Required,
            _ => HistoryPolicy::BestEffort,
        };

        let begun = async {
            let history = open(matches).await?;
            Self::begin_in(&history, run, options, policy, signature(matches).by).await
        };
        match begun.await {
            Ok(recording) => {
                recording.record_lines(None);
                Ok(recording)
            }
            Err(error) if policy == HistoryPolicy::Required => {
                let error = advice::on_history(&error);
                Err(NotRun(Exit::Failed, format!("nothing was run, since it cannot be recorded: {error}")))
            }
            Err(error) => {
                terminal::warn(&format!(
                    "this run is not recorded, and nothing keeps a second run from writing at the same time: \
                     {}\n  --history off runs without a history",
                    advice::on_history(&error)
                ));
                Ok(Self::default())
            }
        }
    }

    /// Does the same in a history that is open, for a run that this user started, and without the lines of its log.
    pub(crate) async fn begin_in(
        history: &History,
        run: &Started<'_>,
        options: &mut RunOptions,
        policy: HistoryPolicy,
        started_by: String,
    ) -> Result<Self, HistoryError> {
        let recorder = start(history, run, options, policy, started_by).await?.map(Arc::new);
        options.lock = recorder.as_ref().map(|recorder| recorder.target_lock());
        Ok(Self {
            recorder,
            tidies: Some((history.clone(), run.kept)).filter(|(_, kept)| kept.automatic),
            is_required: policy == HistoryPolicy::Required,
            abort_reason: options.abort_reason.clone(),
        })
    }

    /// Records the lines that are logged from now on: those of a span, if other runs take place at the same time.
    pub(crate) fn record_lines(&self, span: Option<Id>) {
        if let Some(recorder) = &self.recorder {
            HistoryLayer::record_in(recorder, span);
        }
    }

    /// The observer of the run.
    pub(crate) fn observer(&self) -> Option<Arc<dyn Observer>> {
        self.recorder.as_ref().map(|recorder| Arc::clone(recorder) as Arc<dyn Observer>)
    }

    /// The recorder, for a run that is recorded row by row.
    pub(crate) fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.recorder.as_ref()
    }

    /// The sync that is recorded.
    pub(crate) fn sync(&self) -> Option<SyncId> {
        self.recorder.as_ref().map(|recorder| recorder.sync())
    }

    /// Waits until everything is written. What could not be is a warning, since the run itself is over. But a run that requires
    /// its history, and has no other error, has failed for the reason that is returned.
    pub(crate) async fn end(self, has_error: bool) -> Option<String> {
        let is_required = self.is_required;
        let error = self.finish().await?;
        let incomplete = format!("the history of this run is not complete: {error}");
        if is_required && !has_error {
            return Some(incomplete);
        }
        terminal::warn(&incomplete);
        None
    }

    /// Waits until everything is written, and tidies up the history. Returns why it is not complete, unless the error of the run
    /// says so.
    pub(crate) async fn finish(self) -> Option<HistoryError> {
        let recorder = self.recorder?;
        HistoryLayer::forget(&recorder);
        if let Err(error) = recorder.finish().await {
            return Some(error).filter(|_| self.abort_reason.get().is_none());
        }

        if let Some((history, kept)) = self.tidies
            && let Err(error) = history.prune_if_due(&kept.retention(), TIDYING_LIMIT).await
        {
            // It is not this run's matter, and `history prune` reports it.
            tracing::warn!(%error, "the details of old syncs cannot be removed");
        }
        None
    }
}

/// Begins to record a run. One that must not begin, since another run has the job's lease, is given the refusal; a recorder for
/// that may be missing.
async fn start(
    history: &History,
    run: &Started<'_>,
    options: &mut RunOptions,
    policy: HistoryPolicy,
    started_by: String,
) -> Result<Option<Recorder>, HistoryError> {
    let (sync, recording) = (new_sync(run, options, started_by), recorder_options(run, options, policy));
    match Recorder::start(history, &sync, recording.clone()).await {
        Ok(recorder) => Ok(Some(recorder)),
        Err(held @ LeaseError::Held { .. }) => {
            options.refusal = Some(Refusal::JobInUse(held.to_string()));
            let recording = RecorderOptions { leases: Vec::new(), ..recording };
            Ok(Recorder::start(history, &sync, recording).await.ok())
        }
        Err(LeaseError::History(error)) => Err(error),
        Err(error) => Err(HistoryError::Writer(error.to_string())),
    }
}

fn new_sync(run: &Started<'_>, options: &RunOptions, started_by: String) -> NewSync {
    let info = run.selected.job.info();
    let kind = match info.kind {
        JobKind::DataSource => "data_source",
        JobKind::DataTarget => "data_target",
    };
    NewSync {
        job: info.id.to_owned(),
        profile: run.selected.profile_name().map(str::to_owned),
        source: info.source_label.to_owned(),
        target: info.target_label.to_owned(),
        kind: kind.to_owned(),
        dry_run: options.dry_run,
        variables: run.values.to_save(run.selected.job.variables()),
        plan: run.plan.clone(),
        started_by,
        host: whoami::hostname().unwrap_or_else(|_| "unknown".to_owned()),
        program: run.program.to_owned(),
    }
}

fn recorder_options(run: &Started<'_>, options: &RunOptions, policy: HistoryPolicy) -> RecorderOptions {
    // Dry runs write nothing, so they may run beside others.
    let id = run.selected.job.info().id;
    let job = (!options.dry_run).then(|| LeaseName::job(id, run.selected.profile_name().unwrap_or(id)));
    RecorderOptions {
        policy,
        leases: job.into_iter().collect(),
        cancellation: options.cancellation.clone(),
        abort_reason: options.abort_reason.clone(),
        time_limit: options.time_limit,
    }
}

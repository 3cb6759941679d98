//! Recording a run in the history.

use std::sync::Arc;

use clap::ArgMatches;
use diffsync_core::job::{JobKind, VariableValues};
use diffsync_core::report::Observer;
use diffsync_core::run::RunOptions;
use diffsync_history::{History, HistoryPolicy, LeaseError, LeaseName, NewSync, Recorder, RecorderOptions, SyncId};

use super::lines::HistoryLayer;
use super::open;
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
}

impl Started<'_> {
    /// The name of its profile. A run without a profile has one of its job's name.
    fn profile(&self) -> &str {
        self.selected.profile_name().unwrap_or(self.selected.job.info().id)
    }
}

/// A run that is recorded, unless `--history off`.
pub(crate) struct Recording {
    recorder: Option<Arc<Recorder>>,
}

impl Recording {
    /// Begins to record a run, and takes the leases that keep others from writing at the same time.
    ///
    /// If the history cannot be opened, the run continues without it, unless it is required.
    pub(crate) async fn begin(
        run: &Started<'_>,
        options: &mut RunOptions,
        matches: &ArgMatches,
    ) -> Result<Self, NotRun> {
        let policy = match matches.get_one::<String>("history").map(String::as_str) {
            Some("off") => return Ok(Self { recorder: None }),
            Some("required") => HistoryPolicy::Required,
            _ => HistoryPolicy::BestEffort,
        };

        let started = async {
            let history = open(matches).await?;
            record(&history, run, options, policy, signature(matches).by).await
        };
        match started.await {
            Ok(recorder) => {
                let recorder = Arc::new(recorder);
                options.lock = Some(recorder.target_lock());
                HistoryLayer::record_in(&recorder, None);
                Ok(Self { recorder: Some(recorder) })
            }
            Err(held @ LeaseError::Held { .. }) => Err(NotRun(Exit::Refused, held.to_string())),
            Err(error) if policy == HistoryPolicy::BestEffort => {
                terminal::warn(&format!(
                    "this run is not recorded, and nothing keeps a second run from writing at the same time: \
                     {error}\n  --history off runs without a history"
                ));
                Ok(Self { recorder: None })
            }
            Err(error) => Err(NotRun(Exit::Failed, format!("nothing was run, since it cannot be recorded: {error}"))),
        }
    }

    /// The observer of the run.
    pub(crate) fn observer(&self) -> Option<Arc<dyn Observer>> {
        self.recorder.as_ref().map(|recorder| Arc::clone(recorder) as Arc<dyn Observer>)
    }

    /// The sync that is recorded.
    pub(crate) fn sync(&self) -> Option<SyncId> {
        self.recorder.as_ref().map(|recorder| recorder.sync())
    }

    /// Waits until everything is written. What could not be is a warning, since the run itself is over.
    pub(crate) async fn end(self) {
        let Some(recorder) = self.recorder else { return };
        HistoryLayer::forget(&recorder);
        if let Err(error) = recorder.finish().await {
            terminal::warn(&format!("the history of this run is not complete: {error}"));
        }
    }
}

/// Takes the leases of a run, and begins to record it as one that this user started.
pub(crate) async fn record(
    history: &History,
    run: &Started<'_>,
    options: &RunOptions,
    policy: HistoryPolicy,
    started_by: String,
) -> Result<Recorder, LeaseError> {
    Recorder::start(history, &new_sync(run, options, started_by), recorder_options(run, options, policy)).await
}

fn new_sync(run: &Started<'_>, options: &RunOptions, started_by: String) -> NewSync {
    let info = run.selected.job.info();
    let kind = match info.kind {
        JobKind::DataSource => "data_source",
        JobKind::DataTarget => "data_target",
    };
    NewSync {
        job: info.id.to_owned(),
        profile: run.profile().to_owned(),
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
    let job = (!options.dry_run).then(|| LeaseName::job(run.selected.job.info().id, run.profile()));
    RecorderOptions { policy, leases: job.into_iter().collect(), cancellation: options.cancellation.clone() }
}

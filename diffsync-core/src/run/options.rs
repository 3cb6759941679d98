//! How a job is to be run.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::data::dataset::Dataset;
use crate::data::refusal::Refusal;
use crate::execute::RetryPolicy;
use crate::job::JobInfo;
use crate::model::flags::Flags;
use crate::model::limit::LimitOverride;
use crate::model::limit::{Limit, OnGuard};
use crate::model::operation::Operation;
use crate::plan::PlanView;
use crate::plan_file::filter::{Filter, RecordFilter};
use crate::plan_file::header::VERSION;
use crate::plan_file::{ApplyRequest, PlanHeader, PlanKey, PlanKind, PlanOptions, SavedModel, Signature, UndoLog};
use crate::report::RunError;
use crate::run::lock::TargetLock;
use crate::value::suggest::suggest;

/// How a job is to be run.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own, as on the command line")]
pub struct RunOptions {
    /// Write nothing.
    pub dry_run: bool,
    /// Measure the memory that each step takes.
    pub memory_profiling: bool,
    /// Load both sides at the same time.
    pub parallel_loading: bool,
    /// Go on with the other records when one fails.
    pub continue_on_failure: bool,
    /// End the run once this many records have failed.
    pub max_failures: Option<usize>,
    /// Also notify the observers of each record that is the same on both sides.
    pub log_unchanged_records: bool,
    /// Flags that apply to all records.
    pub flags: Flags,
    /// The part of the diff that the run is limited to.
    pub filter: Filter,
    /// The limit overrides of this run.
    pub limit_overrides: Vec<LimitOverride>,
    /// What happens if the run would exceed a limit.
    pub on_guard: OnGuard,
    /// How many records may be written at a time, in place of the job's and the target's number.
    pub concurrency: Option<NonZeroUsize>,
    /// The largest share of a model's records on one side that may be unusable, from 0 to 1; beyond it the run is refused.
    pub max_rejected: f64,
    /// How often, and after which pauses, a call is retried after a transient error.
    pub retry: RetryPolicy,
    /// How often an adapter's own client retries a request, in place of the number that the client was built with.
    pub request_retries: Option<usize>,
    /// How long the target may take for one record or batch; after that the outcome is unknown.
    pub record_time_limit: Option<Duration>,
    /// How long the run may take. Calls in flight are finished then; the rest is not attempted.
    pub time_limit: Option<Duration>,
    /// The plan file to apply; nothing else is done.
    pub apply_request: Option<ApplyRequest>,
    /// The key that seals the secrets of the run's undo plan; without a key there is no undo plan.
    pub undo: Option<PlanKey>,
    /// Where the undo plan is written during the run. Nothing is written there for a target that writes only when it
    /// completes the run.
    pub undo_log: Option<UndoLog>,
    /// Keeps two runs from writing to one system at the same time. A dry run takes no lock.
    pub lock: Option<Arc<dyn TargetLock>>,
    /// Why the program refuses the run before it begins, such as another run of the job. Nothing is loaded then, and the run is
    /// reported like any other.
    pub refusal: Option<Refusal>,
    /// Cancel it to end the run: calls in flight are finished, the rest is not attempted.
    pub cancellation: CancellationToken,
    /// Set it before cancelling to end the run for a reason of the program's own: the run fails with that reason, while a run
    /// that is only cancelled ends as somebody asked.
    pub abort_reason: AbortReason,
}

/// Why a program ends a run that the user did not cancel. Clones share the reason.
#[derive(Debug, Clone, Default)]
pub struct AbortReason(Arc<OnceLock<String>>);

impl AbortReason {
    /// Sets the reason, unless there is one already: what follows from the first is not why the run ends.
    pub fn set(&self, reason: impl Into<String>) {
        let _ = self.0.set(reason.into());
    }

    /// The reason, if there is one.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl RunOptions {
    /// The defaults for a job: a dry run unless the job says otherwise, the sides loaded one after the other, going on after
    /// failures, with at most 1 % of a model's records unusable and at most five minutes for a record.
    #[must_use]
    pub fn new(job: &JobInfo) -> Self {
        Self {
            dry_run: job.dryrun_default,
            memory_profiling: false,
            parallel_loading: false,
            continue_on_failure: true,
            max_failures: None,
            log_unchanged_records: false,
            flags: Flags::empty(),
            filter: Filter::default(),
            limit_overrides: Vec::new(),
            on_guard: job.on_guard,
            concurrency: job.concurrency.and_then(NonZeroUsize::new),
            max_rejected: 0.01,
            retry: RetryPolicy::default(),
            request_retries: None,
            record_time_limit: Some(Duration::from_mins(5)),
            time_limit: job.time_limit,
            apply_request: None,
            undo: None,
            undo_log: None,
            lock: None,
            refusal: None,
            cancellation: CancellationToken::new(),
            abort_reason: AbortReason::default(),
        }
    }

    /// Writes to the target.
    #[must_use]
    pub fn apply(mut self) -> Self {
        self.dry_run = false;
        self
    }

    /// Overrides a limit of a model for this run.
    #[must_use]
    pub fn allow(mut self, model: impl Into<String>, operation: Operation, limit: Limit) -> Self {
        self.limit_overrides.push(LimitOverride { model: model.into(), operation, limit });
        self
    }

    /// Applies a plan file and nothing else, with the flags, the filter and the limits that the plan was made with.
    ///
    /// An undo plan keeps the flags and the filter of these options, since those in its file are of the run that it undoes.
    ///
    /// # Errors
    ///
    /// If the plan names flags that do not exist.
    pub fn apply_plan(mut self, request: ApplyRequest) -> Result<Self, UnknownFlags> {
        let PlanOptions { flags, filter, limit_overrides, on_guard, max_rejected } =
            request.plan.header.options.clone();
        let flags = bitflags::parser::from_str_strict(&flags).map_err(|_| UnknownFlags(flags))?;

        if request.plan.header.kind == PlanKind::Sync {
            self.flags = flags;
            self.filter = filter;
        }

        // Before those of this run, since the last override of a limit counts.
        self.limit_overrides.splice(0..0, limit_overrides);
        self.on_guard = on_guard;
        self.max_rejected = max_rejected;
        self.apply_request = Some(request);
        Ok(self)
    }

    /// The header of a plan file for a run with these options.
    #[must_use]
    pub fn plan_header(
        &self,
        job: &JobInfo,
        kind: PlanKind,
        variables: Vec<(String, Vec<String>)>,
        created: Signature,
        plan: &dyn PlanView,
    ) -> PlanHeader {
        let mut flags = String::new();
        // Writing to a string does not fail.
        let _ = bitflags::parser::to_writer(&self.flags, &mut flags);

        let touched = plan.diff().tables().iter().filter(|table| table.operations() > 0);
        PlanHeader {
            diffsync_plan: VERSION,
            kind,
            job: job.id.to_owned(),
            profile: None,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            created,
            variables,
            options: PlanOptions {
                flags,
                filter: self.filter.clone(),
                limit_overrides: self.limit_overrides.clone(),
                on_guard: self.on_guard,
                max_rejected: self.max_rejected,
            },
            models: touched.map(|table| SavedModel::of(table.schema())).collect(),
            unfinished: false,
        }
    }

    /// The first model that is named by a limit override or the filter, and that the data set does not have.
    pub(super) fn unknown_model<D: Dataset>(&self) -> Option<RunError> {
        let named = self
            .limit_overrides
            .iter()
            .map(|limit| &*limit.model)
            .chain(self.filter.records.iter().map(RecordFilter::model));
        let mut unknown = named.filter(|model| !D::SCHEMAS.iter().any(|schema| schema.name == *model));

        let models = || D::SCHEMAS.iter().map(|schema| schema.name);
        unknown.next().map(|model| {
            let known = match suggest(model, models()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("it has {}", models().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
            };
            RunError::UnknownModel { model: model.to_owned(), known }
        })
    }
}

/// A plan file names flags that do not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the plan was made with flags that do not exist: {0}")]
pub struct UnknownFlags(String);

//! Keeps two systems in step: annotate structs, name two systems in a job, and get comparison, execution and
//! measurement with it.
//!
//! - A [model](SyncModel) is a struct that says which of its fields identify a record and which are compared.
//! - A [data set](Dataset) is a struct of [tables](Table), one for each model.
//! - An [adapter](Adapter) loads a data set; a [target](Target) also writes to it.
//! - A [job](Job) names a source and a target. A [run](Run) of it loads both, calculates the [diff](Diff), makes a
//!   [plan](Plan) of it and executes that, measuring each of these steps.
//!
//! ```
//! use diffsync::prelude::*;
//!
//! #[derive(SyncModel, Clone, Debug)]
//! struct Site {
//!     #[sync(id)]
//!     name: String,
//!     city: String,
//! }
//!
//! #[derive(Dataset, Default)]
//! struct Network {
//!     sites: Table<Site>,
//! }
//! ```
//!
//! # Features
//!
//! Each kind of system has a feature of its own, and none is on by default:
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `csv`, `json`, `parquet`, `toml`, `yaml` | [`file`]: a folder of files, `#[derive(FileModel)]` |
//! | `mysql`, `postgres`, `sqlite` | [`sql`]: a database, `#[derive(SqlModel)]` |
//! | `rest` | [`rest`]: a JSON API, `#[derive(RestModel)]` |
//! | `nautobot` | [`nautobot`]: Nautobot's models and its API |
//! | `app` | [`app`]: the program, a command line for jobs |
//! | `testkit` | [`testkit`]: checks a target of your own |
#![cfg_attr(
    not(all(feature = "file", feature = "sql", feature = "nautobot", feature = "app", feature = "testkit")),
    allow(rustdoc::broken_intra_doc_links, reason = "the modules of features that are off are not there")
)]

/// The core's traits without the core's own macros of the same names, which name another crate in what they generate.
mod traits {
    pub use diffsync_core::*;
    pub use diffsync_derive::{FacadeDataset as Dataset, FacadeSyncModel as SyncModel};
}

#[doc(inline)]
pub use diffsync_core::{Adapter, Diff, Job, JobRegistry, Plan, Run, Table, Target};
#[doc(inline)]
pub use diffsync_derive::{FacadeChoice as Choice, FacadeSyncModel as SyncModel, facade_job as job};

pub use crate::model::ModelExt;
#[doc(inline)]
pub use crate::traits::Dataset;

/// Counts the program's allocations, which `--memory-profiling` reports for each step. Write it once, in the crate of the
/// program.
pub use diffsync_core::count_allocations;

/// The names that almost every file with models, adapters or a job uses: `use diffsync::prelude::*;`.
pub mod prelude {
    // By their own paths, as `crate::job` is a module as well.
    pub use diffsync_derive::{FacadeChoice as Choice, facade_job as job};

    pub use crate::adapter::{AdapterError, LoadContext, TargetError, Url, WriteContext};
    #[cfg(feature = "file")]
    pub use crate::file::FileModel;
    pub use crate::job::{JobContext, JobError};
    pub use crate::model::Secret;
    #[cfg(feature = "rest")]
    pub use crate::rest::RestModel;
    #[cfg(feature = "sql")]
    pub use crate::sql::SqlModel;
    pub use crate::{Adapter, Dataset, Diff, Job, JobRegistry, ModelExt, Plan, Run, SyncModel, Table, Target};
}

/// Models: records, their identifiers and attributes, and what a run may do with them.
pub mod model {
    #[doc(inline)]
    pub use diffsync_core::model::{AttributeValue, Flags, IdentifierValue, Limit, Limits, LocalValue, AsKey, OnGuard, Operation, Operations};
    pub use diffsync_core::value::{Exposed, REDACTED, Redacted, Secret, exposed, redacted};

    /// What generic code calls a model: the bound in `fn report<M: diffsync::model::SyncModel>(record: &M)`.
    ///
    /// It is not at the crate's root, so that `use diffsync::prelude::*` brings none of its methods into scope: `key`, `is`,
    /// `patch` and the rest are free for the models' own traits. [`ModelExt`] has what users of a model call.
    #[doc(inline)]
    pub use crate::traits::SyncModel;

    /// What a model's records can do for their users.
    pub trait ModelExt: SyncModel {
        /// The model's name: `device_type`.
        const NAME: &'static str = <Self as SyncModel>::NAME;
        /// The model's fields and links.
        const SCHEMA: &'static crate::schema::ModelSchema = <Self as SyncModel>::SCHEMA;

        /// The record's identifier.
        fn id(&self) -> Self::Id {
            SyncModel::id(self)
        }

        /// A copy of the record with the patch applied: what most targets return from `update`.
        ///
        /// ```
        /// use diffsync::prelude::*;
        ///
        /// #[derive(SyncModel, Clone)]
        /// struct Region {
        ///     #[sync(id)]
        ///     slug: String,
        ///     name: String,
        /// }
        ///
        /// let region = Region { slug: "europe".into(), name: "Europa".into() };
        /// let patch = RegionPatch { name: Some("Europe".into()) };
        /// assert_eq!(region.patched(&patch).name, "Europe");
        /// ```
        #[must_use]
        fn patched(&self, patch: &Self::Patch) -> Self
        where
            Self: Clone,
        {
            SyncModel::patched(self, patch)
        }
    }

    impl<M: SyncModel> ModelExt for M {}
}

/// Data sets: tables, and what is wrong with what they hold.
pub mod data {
    pub use diffsync_core::Table;
    pub use diffsync_core::data::{HasTable, LinksIn, LoadState, Problem, ProblemKind, Side, SkippedModel, Visit, VisitedBy};

    #[doc(inline)]
    pub use crate::Dataset;
}

/// Comparisons of attributes, for `#[sync(compare = …)]` and for types of your own.
pub mod compare {
    pub use diffsync_core::compare::*;
}

/// Plans: the diff, what a run will do about it, and why it may refuse to.
pub mod plan {
    pub use diffsync_core::{Diff, Plan};
    pub use diffsync_core::apply::Loaded;
    pub use diffsync_core::model::LimitOverride;
    pub use diffsync_core::plan::{Breach, Counts, DiffLine, DiffSummary, DiffTree, HoldReason, ModelSummary, Drift, Outcome, OutcomeCounts, OutcomeKind, Outcomes, PlanView, RecordRef, Refusal, TableDiff};
    pub use diffsync_core::run::Approved;
}

/// Plans in files: saving, signing, approving, applying and undoing them.
pub mod plan_file {
    pub use diffsync_core::apply::write_plan;
    pub use diffsync_core::plan_file::{ApplyRequest, Unrestorable, PlanFileError, PlanHeader, PlanKey, PlanKind, PlanOptions, StalePolicy, SavedField, SavedModel, SavedPlan, Signature, UndoPlan, UndoLog, UndoSink, KeyTooShort, approve};
}

/// Runs of jobs and their settings.
pub mod run {
    pub use diffsync_core::Run;
    pub use diffsync_core::plan_file::{Filter, RecordFilter};
    pub use diffsync_core::report::Filtered;
    pub use diffsync_core::run::{CancellationToken, RetryPolicy, RunOptions, UnknownFlags};
}

/// What a run reports, while it goes on and at its end.
pub mod report {
    pub use diffsync_core::error::display_chain;
    pub use diffsync_core::report::{Event, FailedRecord, Observer, RunError, RunReport, Status, Step, StepReport, TracingObserver, report_retry};
    pub use diffsync_core::value::{escape_unprintable, is_unprintable};
}

/// Adapters and targets of your own.
pub mod adapter {
    pub use diffsync_core::{Adapter, Target};
    pub use diffsync_core::adapter::{AdapterError, HealthCheck, Completion, Either, CheckResult, LoadContext, CompleteContext, TargetError, TargetErrorKind, Capabilities, WriteContext, WrittenBy};
    pub use diffsync_core::job::redact_url;
    pub use diffsync_core::value::Url;
}

/// Jobs, their variables, and the registry that runs them by name.
pub mod job {
    pub use diffsync_core::{Job, JobRegistry};
    pub use diffsync_core::job::{Choices, DataMapping, JobContext, JobEntry, JobError, JobInfo, JobKind, JobSpec, Object, PreparedJob, RegistryError, UnknownJob, Variable, VariableError, VariableErrors, VariableKind, VariableReader, VariableSpec, VariableValues};
    pub use diffsync_core::report::ConfigItem;
    pub use diffsync_core::value::suggest;

    #[doc(inline)]
    pub use crate::Choice;
}

/// What models say of themselves, checked when they are compiled.
pub mod schema {
    pub use diffsync_core::schema::*;
}

/// Memory of a run, and the allocator that counts it.
pub mod memory {
    pub use diffsync_core::memory::*;
}

/// Checks that a target of your own keeps its promises.
#[cfg(feature = "testkit")]
pub mod testkit {
    pub use diffsync_core::testkit::*;
}

/// A folder of files, one for each model.
#[cfg(feature = "file")]
pub mod file {
    pub use diffsync_adapters::file::*;
    #[doc(inline)]
    pub use diffsync_derive::FacadeFileModel as FileModel;
}

/// A database, a table for each model.
#[cfg(feature = "sql")]
pub mod sql {
    pub use diffsync_adapters::sql::*;
    #[doc(inline)]
    pub use diffsync_derive::FacadeSqlModel as SqlModel;
}

/// A JSON API over HTTP.
#[cfg(feature = "rest")]
pub mod rest {
    pub use diffsync_adapters::rest::*;
    #[doc(inline)]
    pub use diffsync_derive::FacadeRestModel as RestModel;
}

/// Nautobot, by way of its REST API and GraphQL.
#[cfg(feature = "nautobot")]
pub mod nautobot {
    pub use diffsync_adapters::nautobot::*;
}

/// The program: a command line for the jobs that are linked into it.
#[cfg(feature = "app")]
pub mod app {
    pub use diffsync_app::*;
}

/// What generated code uses. It may change with any version.
#[doc(hidden)]
pub mod __private {
    #[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
    pub use diffsync_adapters as adapters;
    pub use diffsync_core as core;
}

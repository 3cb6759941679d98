//! Keeps two systems in sync. You describe your records as structs, say how each system is read and how one of them is
//! written, and name both in a job. diffsync compares them, writes the differences in the right order, and reports the
//! outcome of each record.
//!
//! - A [model](SyncModel) is a struct for one kind of record: it says which fields identify a record and which are
//!   compared.
//! - A [data set](Dataset) is a struct of [tables](Table), one for each model.
//! - An [adapter](Adapter) loads a data set; a [target](Target) also writes to it.
//! - A [job](Job) names a source and a target. A [run](Run) loads both, calculates the [diff](Diff) and executes it, and
//!   measures each step. A [plan](Plan) holds both sides and the diff.
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
//! Each kind of system has its own feature. No feature is on by default:
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `csv`, `json`, `parquet`, `toml`, `yaml` | [`mod@file`]: a folder of files, `#[derive(FileModel)]` |
//! | `mysql`, `postgres`, `sqlite` | [`sql`]: a database, `#[derive(SqlModel)]` |
//! | `rest` | [`rest`]: a JSON API, `#[derive(RestModel)]` |
//! | `nautobot` | [`nautobot`]: Nautobot |
//! | `app` | [`app`]: the command line for jobs |
//! | `web` | the command `serve` of the command line: the web pages of the jobs and their history |
//! | `testkit` | [`testkit`]: tests for your own target |
#![cfg_attr(
    not(all(feature = "file", feature = "sql", feature = "nautobot", feature = "app", feature = "testkit")),
    allow(rustdoc::broken_intra_doc_links, reason = "the modules of features that are off are not there")
)]

/// The core's traits without the core's own macros of the same names, which name another crate in what they generate.
mod traits {
    pub use diffsync_core::*;
    pub use diffsync_derive::{FacadeDataset as Dataset, FacadeSyncModel as SyncModel};
}

/// Counts the program's allocations, which `--memory-profiling` reports for each step. Write it once, in the crate of the
/// program.
pub use diffsync_core::count_allocations;
#[cfg(feature = "testkit")]
#[doc(inline)]
pub use diffsync_core::testkit;
#[doc(inline)]
pub use diffsync_core::{Adapter, Diff, Job, JobRegistry, Plan, Run, Table, Target};
#[doc(inline)]
pub use diffsync_core::{adapter, apply, compare, memory, plan, plan_file, report, run, schema, value};
#[doc(inline)]
pub use diffsync_derive::{FacadeChoice as Choice, FacadeSyncModel as SyncModel, facade_job as job};

pub use crate::model::ModelExt;
#[doc(inline)]
pub use crate::traits::Dataset;

/// The names that almost every file with models, adapters or a job uses: `use diffsync::prelude::*;`.
pub mod prelude {
    // By their own paths, as `crate::job` is a module as well.
    pub use diffsync_derive::{FacadeChoice as Choice, facade_job as job};

    pub use crate::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
    #[cfg(feature = "file")]
    pub use crate::file::FileModel;
    pub use crate::job::{JobContext, JobError};
    #[cfg(feature = "rest")]
    pub use crate::rest::RestModel;
    #[cfg(feature = "sql")]
    pub use crate::sql::SqlModel;
    pub use crate::value::{Secret, Url};
    pub use crate::{Adapter, Dataset, Diff, Job, JobRegistry, ModelExt, Plan, Run, SyncModel, Table, Target};
}

/// Models: records, their identifiers and attributes, and what a run may do with them.
pub mod model {
    #[doc(inline)]
    pub use diffsync_core::model::*;

    /// What generic code calls a model: the bound in `fn report<M: diffsync::model::SyncModel>(record: &M)`.
    ///
    /// It is not at the crate's root, so that `use diffsync::prelude::*` brings none of its methods into scope: `key`,
    /// `is`, `patch` and the rest are free for the models' own traits. [`ModelExt`] has what users of a model call.
    #[doc(inline)]
    pub use crate::traits::SyncModel;
}

/// Tables, data sets and their problems.
pub mod data {
    #[doc(inline)]
    pub use diffsync_core::data::*;

    #[doc(inline)]
    pub use crate::Dataset;
}

/// Jobs, their variables, and the registry that runs them by name.
pub mod job {
    #[doc(inline)]
    pub use diffsync_core::job::*;

    #[doc(inline)]
    pub use crate::Choice;
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

/// Temporary files beside those that they will replace, for adapters that write files.
#[cfg(any(feature = "app", feature = "file"))]
pub use diffsync_core::temp_file;

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

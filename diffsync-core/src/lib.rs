//! The engine of diffsync, which keeps two systems in sync. Programs use it through the crate `diffsync`.
//!
//! A [model](SyncModel) is a struct for one kind of record: it says which fields identify a record and which are
//! compared. A [data set](Dataset) is a struct of [tables](Table), one for each model. An [adapter](Adapter) loads a
//! data set; a [target](Target) also writes to it. A [job](Job) names a source and a target. A [run](Run) loads both,
//! calculates the [diff](Diff) and executes it, and measures each step.
//!
//! # Where to start
//!
//! Declare the models and compare two data sets:
//!
//! ```
//! use diffsync_core::{Dataset, Plan, SyncModel, Table};
//!
//! #[derive(SyncModel)]
//! struct Region {
//!     #[sync(id)]
//!     slug: String,
//!     name: String,
//! }
//!
//! #[derive(Dataset, Default)]
//! struct World {
//!     regions: Table<Region>,
//! }
//!
//! let (mut source, mut target) = (World::default(), World::default());
//! source.regions.insert(Region { slug: "asia".into(), name: "Asia".into() });
//! target.regions.insert(Region { slug: "asia".into(), name: "Azia".into() });
//!
//! let plan = Plan::new(source, target);
//! assert_eq!(plan.tree().to_string(), "~ region asia\n    name: \"Azia\" -> \"Asia\"\n");
//! ```
//!
//! Then implement [`Adapter`] for both systems, [`Target`] for the target and each model, and [`Job`] for a struct with
//! `#[job]`. [`Run::execute`] runs the job, and `diffsync-app` provides a command line for all jobs.
//!
//! # Modules
//!
//! In the order in which they build on each other:
//!
//! | module | contents |
//! | --- | --- |
//! | [`value`] | values of fields: secrets, comparisons, printable text |
//! | [`model`] | models, flags, limits and operations |
//! | [`data`] | tables, data sets and their problems |
//! | [`plan_file`] | plan files |
//! | [`plan`] | the diff, outcomes and refusals |
//! | [`report`] | reports and events |
//! | [`adapter`] | adapters and targets, and their errors |
//! | [`apply`] | comparing two sides, and writing a plan file |
//! | [`mod@job`] | jobs, variables and the registry |
//! | [`run`] | runs and their options |
//! | [`memory`] | the memory of each step |
//! | [`error`] | the errors of adapters, targets and jobs |
//! | `temp_file` | temporary files; needs the feature `temp-file` |
//! | `testkit` | tests for your own target; needs the feature of the same name |

#![forbid(unsafe_code)]

// The macros name this crate by its absolute path, also when it is this crate's own tests that use them.
extern crate self as diffsync_core;

pub mod adapter;
pub mod apply;
pub mod data;
pub mod error;
mod execute;
pub mod job;
pub mod model;
pub mod plan;
pub mod plan_file;
pub mod report;
pub mod run;
#[cfg(feature = "temp-file")]
pub mod temp_file;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod value;

pub use diffsync_memory as memory;
pub use diffsync_memory::count_allocations;

pub use crate::model::schema;
pub use crate::value::compare;

// The everyday words, and the macros.
#[cfg(feature = "derive")]
pub use diffsync_derive::{Choice, Dataset, SyncModel, job};

pub use crate::adapter::{Adapter, Target};
pub use crate::data::{Dataset, Table};
pub use crate::job::{Job, JobRegistry};
pub use crate::model::{ModelExt, SyncModel};
pub use crate::plan::{Diff, Plan};
pub use crate::run::Run;

/// What generated code uses. Not part of the public interface: it may change with any version.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use serde;
    pub use serde_json;

    pub use crate::adapter::TargetVisitor;
    pub use crate::data::dataset::{KeyFn, KeyOf, KeysFn, LinkVisitor, ModelVisitor, Respelled, SpellingVisitor};
    pub use crate::job::adapter_pair::{AdapterPair, NoAdapters, SameDataset};
    pub use crate::model::IdentifierText;
    pub use crate::model::derive_support::{
        AttributeValues, Changes, IdentifierParts, KeyPart, NeverRead, NoPart, Read, UNUSABLE, ValueResult, choice,
        choices, debug_patch, prefetch, take_over, value,
    };
    pub use crate::value::compare::{NeverSame, Pair, SameByEq};
    pub use crate::value::name;
}

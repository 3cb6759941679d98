//! Keeps two systems in step: annotate structs, name two systems in a job, and get comparison, execution and
//! measurement with it.
//!
//! A [model](SyncModel) is a struct that says which of its fields identify a record and which are compared. A
//! [data set](Dataset) is a struct of [tables](Table). An [adapter](Adapter) loads a data set; a [target](Target) also
//! writes. A [job](Job) names a source and a target, and a [run](Run) of it loads both, calculates the [diff](Diff) and
//! executes it, measuring each of these steps.

// The macros name this crate by its absolute path, also when it is this crate's own tests that use them.
extern crate self as diffsync_core;

mod adapter;
mod canonical;
mod check;
mod checkup;
pub mod compare;
mod current;
mod dataset;
mod diff;
mod either;
mod error;
mod event;
mod execute;
mod filter;
mod flags;
mod generated;
mod guard;
mod held;
mod job;
#[cfg(feature = "laws")]
pub mod laws;
mod limit;
pub mod memory;
mod model;
#[doc(hidden)]
pub mod name;
mod nearest;
mod nesting;
mod ops;
mod outcome;
mod plan;
mod printable;
mod problem;
mod refusal;
mod report;
mod retry;
mod run;
mod saved;
pub mod schema;
mod scope;
mod secret;
mod step;
mod table;
mod tree;

#[cfg(feature = "derive")]
pub use diffsync_derive::{Choice, Dataset, SyncModel, job};
pub use tokio_util::sync::CancellationToken;
pub use url::Url;

pub use crate::adapter::{Adapter, Completion, LoadContext, Synced, Target, Terms, WriteContext, WrittenBy};
pub use crate::checkup::{Checkup, Finding};
pub use crate::dataset::{Dataset, HasTable, LinksIn, Visit, VisitedBy};
pub use crate::diff::{Counts, Diff, DiffSummary, ModelSummary, TableDiff};
pub use crate::either::Either;
pub use crate::error::{AdapterError, JobError, TargetError, TargetErrorKind, with_causes};
pub use crate::event::{Event, Observer, TracingObserver};
pub use crate::execute::{Approved, Retry};
pub use crate::filter::{Filter, RecordFilter};
pub use crate::flags::Flags;
pub use crate::generated::AttributeValues;
pub use crate::guard::Lift;
pub use crate::job::{
    Choices, ConfigItem, DataMapping, Job, JobContext, JobEntry, JobInfo, JobKind, JobRegistry, JobSpec, Object,
    PreparedJob, RegistryError, UnknownJob, Variable, VariableError, VariableErrors, VariableKind, VariableReader,
    VariableSpec, VariableValues, redacted_url,
};
pub use crate::limit::{Limit, Limits, OnGuard};
pub use crate::model::{AttributeValue, HandedOver, IdentifierValue, LocalValue, Names, SyncModel};
pub use crate::nearest::nearest;
pub use crate::ops::{Operation, Ops};
pub use crate::outcome::{HoldReason, Outcome, OutcomeCounts, OutcomeKind, Outcomes};
pub use crate::plan::{Loaded, Plan, PlanView, RecordRef};
pub use crate::printable::{escape_unprintable, is_unprintable};
pub use crate::problem::{Problem, ProblemKind, SkippedModel};
pub use crate::refusal::{Breach, Moved, Refusal};
pub use crate::report::{FailedRecord, RunError, RunReport, Status};
pub use crate::retry::report_retry;
pub use crate::run::{Filtered, Run, RunOptions, UnknownFlags};
pub use crate::saved::{
    Application, Lost, PlanFileError, PlanHead, PlanKey, PlanKind, PlanOptions, Policy, SavedField, SavedModel,
    SavedPlan, Signature, Undo, UndoLog, UndoSink, WeakKey, approve, write_plan,
};
pub use crate::secret::{Exposed, REDACTED, Redacted, Secret, exposed, redacted};
pub use crate::step::{Side, Step, StepReport};
pub use crate::table::{LoadState, Table};
pub use crate::tree::{DiffLine, DiffTree};

/// What generated code uses. Not for anybody else; it may change with any version.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use serde;
    pub use serde_json;

    pub use crate::adapter::TargetVisitor;
    pub use crate::compare::{NeverSame, Pair, SameByEq};
    pub use crate::dataset::{KeyFn, KeyOf, KeysFn, LinkVisitor, ModelVisitor, Respelled, SpellingVisitor};
    pub use crate::generated::{
        AttributeValues, Changes, IdentifierParts, KeyPart, NeverRead, NoPart, Read, UNUSABLE, ValueResult, choice,
        choices, debug_patch, take_over, touch, value,
    };
    pub use crate::model::IdentifierText;
    pub use crate::name;
}

//! A job's metadata, known without running it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::limit::{Limits, OnGuard};
use crate::model::schema::{FieldSchema, ModelSchema};

/// A job's metadata from `#[job]`, known without running it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct JobInfo {
    /// The job's name in commands and in the history: the struct's name in `kebab-case`, unless `id = "…"`.
    pub id: &'static str,
    /// The job's name on pages.
    pub name: &'static str,
    /// The struct's documentation comment.
    pub description: &'static str,
    /// The direction of the records, seen from your own system.
    pub kind: JobKind,
    /// The source's name.
    pub source_label: &'static str,
    /// The target's name.
    pub target_label: &'static str,
    /// The source's icon: a URL or a path.
    pub source_icon: Option<&'static str>,
    /// The target's icon: a URL or a path.
    pub target_icon: Option<&'static str>,
    /// Whether a run is a dry run by default.
    pub dryrun_default: bool,
    /// Whether the job is left out of lists.
    pub hidden: bool,
    /// How many records may be written at a time, in place of the target's number.
    pub concurrency: Option<usize>,
    /// How much of each model a run may change, unless the model sets its own limits.
    pub limits: Limits,
    /// What happens to a run that would exceed a limit.
    pub on_guard: OnGuard,
    /// How long a run may take.
    pub time_limit: Option<Duration>,
    /// The models that are left out.
    pub skip: &'static [&'static str],
    /// The attributes that are not compared, each with its model.
    pub ignore: &'static [(&'static str, &'static str)],
    /// Where the job is defined, as `file:line`.
    pub defined_at: &'static str,
}

impl JobInfo {
    /// The metadata of a job that is written without `#[job]`. Set what differs with `..JobInfo::new("my-job")`: without that, its
    /// name is its id, it has no limits, and a run is a dry run by default.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self {
            id,
            name: id,
            description: "",
            kind: JobKind::DataSource,
            source_label: "source",
            target_label: "target",
            source_icon: None,
            target_icon: None,
            dryrun_default: true,
            hidden: false,
            concurrency: None,
            limits: Limits::NONE,
            on_guard: OnGuard::Stop,
            time_limit: None,
            skip: &[],
            ignore: &[],
            defined_at: "",
        }
    }
}

/// The direction of a job's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// From elsewhere into your system.
    DataSource,
    /// From your system to elsewhere.
    DataTarget,
}

/// One model of a job: its two sides, its identifiers and its compared attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataMapping {
    /// The model's name.
    pub model: String,
    /// The model's description.
    pub description: String,
    /// The source's name.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// The names of the fields that identify a record.
    pub identifiers: Vec<String>,
    /// The names of the fields that are compared.
    pub attributes: Vec<String>,
    /// The name of the parent's model.
    pub parent: Option<String>,
}

impl DataMapping {
    pub(super) fn of(schema: &ModelSchema, job: &JobInfo) -> Self {
        let names = |fields: &[FieldSchema]| fields.iter().map(|field| field.name.to_owned()).collect();
        Self {
            model: schema.name.into(),
            description: schema.description.into(),
            source: job.source_label.into(),
            target: job.target_label.into(),
            identifiers: names(schema.identifiers),
            attributes: names(schema.attributes),
            parent: schema.parent().map(|parent| parent.model.into()),
        }
    }
}

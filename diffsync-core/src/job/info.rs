//! What is known of a job without running it.

use std::time::Duration;

use serde::Serialize;

use crate::model::limit::{Limits, OnGuard};
use crate::model::schema::{FieldSchema, ModelSchema};

/// What `#[job]` says about a job. It is known without running it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct JobInfo {
    /// What the job is called in commands and in the history: the struct's name in `kebab-case`, unless `id = "…"`.
    pub id: &'static str,
    /// What the job is called on pages.
    pub name: &'static str,
    /// The struct's documentation comment.
    pub description: &'static str,
    /// Which way the records go, seen from your own system.
    pub kind: JobKind,
    /// What the source is called.
    pub source_label: &'static str,
    /// What the target is called.
    pub target_label: &'static str,
    /// A picture for the source: a URL or a path.
    pub source_icon: Option<&'static str>,
    /// A picture for the target: a URL or a path.
    pub target_icon: Option<&'static str>,
    /// Whether a run writes nothing unless it is told to.
    pub dryrun_default: bool,
    /// Whether lists leave the job out.
    pub hidden: bool,
    /// How many records may be written at the same time, instead of what the target says.
    pub concurrency: Option<usize>,
    /// How much of each model a run may change, where the model itself says nothing.
    pub limits: Limits,
    /// What happens to a run that would go beyond a limit.
    pub on_guard: OnGuard,
    /// How long a run may take.
    pub time_limit: Option<Duration>,
    /// The models that take no part.
    pub skip: &'static [&'static str],
    /// The attributes that are not compared, each with its model.
    pub ignore: &'static [(&'static str, &'static str)],
    /// Where the job is defined, as `file:line`.
    pub defined_at: &'static str,
}

/// Which way a job's records go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// From elsewhere into your system.
    DataSource,
    /// From your system to elsewhere.
    DataTarget,
}

/// One model of a job: what it is called on both sides and what is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataMapping {
    /// The model's name.
    pub model: String,
    /// The model's description.
    pub description: String,
    /// What the source is called.
    pub source: String,
    /// What the target is called.
    pub target: String,
    /// The names of the fields that say which record it is.
    pub identifiers: Vec<String>,
    /// The names of the fields that are compared.
    pub attributes: Vec<String>,
    /// The name of the model that its records live under.
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

//! Plan files: a diff as a file, to be reviewed by a person and applied later, exactly.
//!
//! A plan file is a text file with one JSON document per line: a header, one line for each operation with the values before
//! and after it, an end with a digest of all these lines, and a line for each approval. No record is built from its text:
//! applying it loads and compares both sides again, and executes the operations that still match. Only an undo plan
//! ([`PlanKind::Undo`]) provides values, those of deleted records.

mod approve;
pub(crate) mod filter;
mod format;
pub(crate) mod key;
pub(crate) mod log;
mod read;
pub(crate) mod selection;
mod undo;
pub(crate) mod write;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::approve::approve;
pub use self::filter::{Filter, RecordFilter};
pub use self::key::{KeyTooShort, PlanKey};
pub use self::log::{UndoLog, UndoSink};
pub use self::read::PlanFileError;
pub use self::undo::{UndoPlan, Unrestorable};

use crate::model::limit::{LimitOverride, OnGuard};
use crate::model::operation::Operation;
use crate::model::schema::{Comparison, FieldSchema, ModelSchema};

/// The version of the format that is written and read.
pub(crate) const VERSION: u32 = 1;

/// A plan that was read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// Its job, kind and options.
    pub header: PlanHeader,
    /// The approvals since it was created.
    pub approvals: Vec<Signature>,
    /// What an undo plan cannot restore.
    pub unrestorable: Vec<Unrestorable>,
    pub(crate) operations: Vec<SavedOperation>,
}

impl SavedPlan {
    /// The number of operations.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// Whether it holds secrets, so that applying it needs the key that sealed them.
    #[must_use]
    pub fn holds_secrets(&self) -> bool {
        let mut values =
            self.operations.iter().flat_map(|operation| operation.before.values().chain(operation.after.values()));
        values.any(key::holds_secret)
    }
}

/// The first line of a plan file: its job, kind and options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct PlanHeader {
    /// The version of the file's format.
    pub diffsync_plan: u32,
    /// Whether it synchronises the target or undoes a run.
    pub kind: PlanKind,
    /// The job's id.
    pub job: String,
    /// The profile of the job that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The version of the program that created it.
    pub program: String,
    /// Who created it, and when.
    #[serde(rename = "made")]
    pub created: Signature,
    /// The texts given for the job's variables, except those that may hold secrets.
    pub variables: Vec<(String, Vec<String>)>,
    /// The options of the run that created it.
    pub options: PlanOptions,
    /// The models whose records it touches.
    pub models: Vec<SavedModel>,
    /// Whether its run did not finish: it then undoes what was done so far, and has no digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

#[cfg(feature = "testkit")]
impl PlanHeader {
    /// A header without a job and a name.
    pub(crate) fn anonymous(kind: PlanKind) -> Self {
        let unsigned = Signature { by: String::new(), at: String::new() };
        Self {
            diffsync_plan: VERSION,
            kind,
            job: String::new(),
            profile: None,
            program: String::new(),
            created: unsigned,
            variables: Vec::new(),
            options: PlanOptions::default(),
            models: Vec::new(),
            unfinished: false,
        }
    }
}

/// What a saved plan does to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// It makes the target match the source.
    Sync,
    /// It undoes a run. Only the target is loaded; the source's adapter is created
    /// ([`Job::source_adapter`](crate::Job::source_adapter)), but not loaded.
    Undo,
}

/// The part of a run's options that its plan depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct PlanOptions {
    /// The flags that were set on the run, as [`Flags`](crate::model::Flags) names them.
    pub flags: String,
    /// The filter.
    pub filter: Filter,
    /// The limit overrides.
    pub limit_overrides: Vec<LimitOverride>,
    /// What to do at a limit.
    pub on_guard: OnGuard,
    /// The largest allowed fraction of unusable records.
    pub max_rejected: f64,
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// A name.
    pub by: String,
    /// A time, as in `2026-11-22T17:13:37Z`.
    pub at: String,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.by, self.at)
    }
}

/// The schema of a model when a plan was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedModel {
    /// The model's name.
    pub name: String,
    /// The fields that say which record it is, each with its type.
    pub identifiers: Vec<SavedField>,
    /// The fields that are compared.
    pub attributes: Vec<SavedField>,
}

/// A field of a model when a plan was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedField {
    /// Its name.
    pub name: String,
    /// Its type and how it is compared.
    pub r#type: String,
}

impl SavedModel {
    pub(crate) fn of(schema: &ModelSchema) -> Self {
        let fields = |fields: &[FieldSchema]| fields.iter().map(SavedField::of).collect();
        Self {
            name: schema.name.to_owned(),
            identifiers: fields(schema.identifiers),
            attributes: fields(schema.attributes),
        }
    }

    /// The changes of the model since then.
    fn changes(&self, schema: &ModelSchema) -> Vec<String> {
        let now = Self::of(schema);
        let mut changes = Vec::new();
        for (kind, then, now) in
            [("identifier", &self.identifiers, &now.identifiers), ("attribute", &self.attributes, &now.attributes)]
        {
            let name = |field: &SavedField| format!("{}.{}", self.name, field.name);
            for field in then {
                match now.iter().find(|other| other.name == field.name) {
                    None => changes.push(format!("the {kind} `{}` is gone", name(field))),
                    Some(other) if other != field => {
                        changes.push(format!("`{}` was `{}` and is `{}`", name(field), field.r#type, other.r#type));
                    }
                    Some(_) => {}
                }
            }

            for field in now {
                if !then.iter().any(|other| other.name == field.name) {
                    changes.push(format!("the {kind} `{}` is new", name(field)));
                }
            }

            if changes.is_empty() && then != now {
                changes.push(format!("the {kind}s of `{}` are in another order", self.name));
            }
        }
        changes
    }
}

impl SavedField {
    fn of(field: &FieldSchema) -> Self {
        let compared = match field.comparison {
            Comparison::Equal => None,
            Comparison::Unordered => Some("unordered".to_owned()),
            Comparison::IgnoreCase => Some("ignore_case".to_owned()),
            Comparison::Contains => Some("contains".to_owned()),
            Comparison::BlankIsNone => Some("blank_is_none".to_owned()),
            Comparison::Tolerance(tolerance) => Some(format!("tolerance({tolerance})")),
            Comparison::With(path) => Some(format!("with({path})")),
        };

        let set = [(field.when_some, "when_some"), (field.create_only, "create_only")];
        let set = set.into_iter().filter(|(is_set, _)| *is_set).map(|(_, key)| key.to_owned());

        let parts: Vec<_> = [field.type_name.to_owned()].into_iter().chain(compared).chain(set).collect();
        Self { name: field.name.to_owned(), r#type: parts.join(", ") }
    }
}

/// One operation of a saved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedOperation {
    pub(crate) op: Operation,
    pub(crate) model: String,
    pub(crate) id: Value,
    /// Whether the target does it by itself, with the record's parent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cascaded: bool,
    /// The values in the target: all values of a deleted record, or the changing values of an updated one.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) before: Map<String, Value>,
    /// The values that are written.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) after: Map<String, Value>,
}

/// What to do on drift: with operations of a saved plan that no longer match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DriftPolicy {
    /// Refuse the run, and list them.
    #[default]
    Refuse,
    /// Skip them, and execute the others.
    Skip,
}

/// A saved plan to apply, as part of [`RunOptions`](crate::run::RunOptions).
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// The plan.
    pub plan: Arc<SavedPlan>,
    /// The key that sealed its secrets.
    pub key: PlanKey,
    /// What to do on drift.
    pub policy: DriftPolicy,
}

/// An identifier as it is in the file, for messages about models that are not known.
pub(crate) fn id_text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

//! A job of another program, as it describes itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diffsync_core::job::{DataMapping, JobInfo, VariableKind, VariableSpec};
use diffsync_core::model::{Limit, Limits};
use diffsync_core::schema::RUN_FLAGS;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::protocol::{DescribedJob, DescribedVariable, Kind};
use crate::terminal::one_line;

/// A job of another program.
pub(crate) struct ProgramJob {
    /// The program's file.
    pub(super) path: PathBuf,
    /// The program's version.
    pub(super) version: String,
    pub(super) info: &'static JobInfo,
    pub(super) variables: &'static [VariableSpec],
    pub(super) models: Vec<&'static str>,
    pub(super) data_mappings: Vec<DataMapping>,
    /// The limit on deletes that the host keeps.
    pub(super) max_deletes: Option<Limit>,
    /// The options of a run that the program knows.
    pub(super) options: Vec<String>,
}

/// Keeps a text for as long as the program runs, as the texts of a linked job are. A program asks for descriptions once.
fn keep(text: &str) -> &'static str {
    one_line(text).into_owned().leak()
}

/// The same for a text of several lines.
fn keep_lines(text: &str) -> &'static str {
    text.lines().map(one_line).collect::<Vec<_>>().join("\n").leak()
}

fn keep_all<T>(items: impl IntoIterator<Item = T>) -> &'static [T] {
    items.into_iter().collect::<Vec<_>>().leak()
}

impl ProgramJob {
    /// Takes over the description of a job.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn new(path: PathBuf, version: &str, job: DescribedJob) -> Result<Self, String> {
        let id = &*job.id;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if id.is_empty() || id.starts_with('-') || !id.chars().all(is_plain) {
            return Err(format!("a job cannot be called {id:?}; use letters, digits, `-`, `_` and `.`"));
        }
        for (at, variable) in job.variables.iter().enumerate() {
            check_name(id, &variable.name)?;
            if job.variables.iter().take(at).any(|other| other.name == variable.name) {
                return Err(format!("the job `{id}` has two variables `{}`", variable.name));
            }
            if variable.secret && variable.default.is_some() {
                return Err(format!(
                    "the variable `{}` of the job `{id}` is a secret and has a default",
                    variable.name
                ));
            }
        }
        if job.models.is_empty() {
            return Err(format!("the job `{id}` has no models"));
        }
        let time_limit = match job.time_limit_seconds.map(Duration::try_from_secs_f64) {
            None => None,
            Some(Ok(limit)) if !limit.is_zero() => Some(limit),
            Some(_) => return Err(format!("the time limit of the job `{id}` is not a number of seconds above 0")),
        };

        let defined_at = keep(&path.display().to_string());
        let info = JobInfo {
            name: if job.name.is_empty() { keep(id) } else { keep(&job.name) },
            description: keep_lines(&job.description),
            kind: job.kind,
            source_label: keep(&job.source_label),
            target_label: keep(&job.target_label),
            dryrun_default: job.dryrun_default,
            hidden: job.hidden,
            // The one that the host keeps is a limit of the job as well.
            limits: Limits { deletes: job.limits.deletes.or(job.max_deletes), ..job.limits },
            on_guard: job.on_guard,
            time_limit,
            defined_at,
            ..JobInfo::new(keep(id))
        };
        let models: Vec<_> = job.models.iter().map(|model| keep(model)).collect();
        Ok(Self {
            path,
            version: one_line(version).into_owned(),
            info: Box::leak(Box::new(info)),
            variables: keep_all(job.variables.iter().map(spec)),
            models,
            data_mappings: job.data_mappings.into_iter().map(printable).collect(),
            max_deletes: job.max_deletes,
            options: job.options,
        })
    }

    /// The job's metadata.
    pub(crate) fn info(&self) -> &'static JobInfo {
        self.info
    }

    /// The program's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The job's variables.
    pub(crate) fn variables(&self) -> &'static [VariableSpec] {
        self.variables
    }

    /// The names of its models.
    pub(crate) fn models(&self) -> &[&'static str] {
        &self.models
    }

    /// Its models, with their source and target.
    pub(crate) fn data_mappings(&self) -> &[DataMapping] {
        &self.data_mappings
    }

    /// The program's file and version, in words.
    pub(crate) fn place(&self) -> String {
        let version = if self.version.is_empty() { String::new() } else { format!(", version {}", self.version) };
        format!("`{}`{version}", self.path.display())
    }

    /// Whether a limit holds for its runs: one that it names, or those that a program keeps that knows overrides of them.
    pub(crate) fn has_limits(&self) -> bool {
        self.info.limits != Limits::NONE || self.knows("limit_overrides")
    }

    /// Whether its program knows an option of a run.
    fn knows(&self, option: &str) -> bool {
        self.options.iter().any(|known| known == option)
    }

    /// Whether a run takes a flag of the command line: those that the host acts on, and those of options that the program knows.
    pub(crate) fn takes(&self, flag: &str) -> bool {
        match flag {
            "memory-profiling"
            | "parallel-loading"
            | "log-unchanged-records"
            | "max-failures"
            | "retries"
            | "concurrency"
            | "on-guard" => self.knows(&flag.replace('-', "_")),
            "stop-on-failure" => self.knows("continue_on_failure"),
            "record-time-limit" => self.knows("record_time_limit_seconds"),
            "max-rejected" => self.knows("max_rejected_percent"),
            "only" | "only-creates" | "only-updates" | "only-deletes" => self.knows("filter"),
            "skip-unmatched-src" | "skip-unmatched-dst" | "skip-unmatched-both" => self.knows("flags"),
            "allow-creates" | "allow-updates" => self.knows("limit_overrides"),
            "allow-deletes" => self.knows("limit_overrides") || self.max_deletes.is_some(),
            // An undo plan holds records as the core has them, which a stream does not carry.
            "undo-file" | "key-file" => false,
            _ => true,
        }
    }

    /// The first of these options that the program does not know.
    pub(super) fn unknown_option(&self, names: &[String]) -> Option<String> {
        names.iter().find(|name| !self.knows(name)).cloned()
    }
}

/// The program that holds the job.
impl Serialize for ProgramJob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Program", 3)?;
        document.serialize_field("path", &self.path)?;
        document.serialize_field("version", &self.version)?;
        document.serialize_field("options", &self.options)?;
        document.end()
    }
}

/// Refuses a variable that cannot be a flag.
fn check_name(id: &str, name: &str) -> Result<(), String> {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) || !name.chars().all(is_plain) {
        return Err(format!(
            "a variable of the job `{id}` cannot be called {name:?}; use lower-case letters, digits and `_`"
        ));
    }
    if RUN_FLAGS.contains(&name) {
        return Err(format!("the job `{id}` has a variable `{name}`, and every job has a flag of that name"));
    }
    Ok(())
}

fn spec(variable: &DescribedVariable) -> VariableSpec {
    VariableSpec {
        name: keep(&variable.name),
        help: keep(&variable.help),
        kind: kind(&variable.kind),
        required: variable.required,
        secret: variable.secret,
        default: variable.default.as_deref().map(|text| &*text.to_owned().leak()),
        env: variable.env.as_deref().map(keep),
        group: variable.group.as_deref().map(keep),
        has_choices: false,
    }
}

fn kind(kind: &Kind) -> VariableKind {
    match kind {
        Kind::Text => VariableKind::Text,
        Kind::Integer => VariableKind::Integer,
        Kind::Number => VariableKind::Number,
        Kind::Boolean => VariableKind::Boolean,
        Kind::Url => VariableKind::Url,
        Kind::Path => VariableKind::Path,
        Kind::Json => VariableKind::Json,
        Kind::Choice(names) => VariableKind::Choice(keep_all(names.iter().map(|name| keep(name)))),
        Kind::List(of) => VariableKind::List(Box::leak(Box::new(self::kind(of)))),
    }
}

/// A mapping whose texts can be printed.
fn printable(mapping: DataMapping) -> DataMapping {
    let text = |text: String| one_line(&text).into_owned();
    let all = |texts: Vec<String>| texts.into_iter().map(text).collect();
    DataMapping {
        model: text(mapping.model),
        description: text(mapping.description),
        source: text(mapping.source),
        target: text(mapping.target),
        identifiers: all(mapping.identifiers),
        attributes: all(mapping.attributes),
        parent: mapping.parent.map(text),
    }
}

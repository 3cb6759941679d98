//! Reading a plan from a file.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, Read as _};

use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::format::{Approval, End, hexadecimal};
use super::log::settled;
use super::{PlanHeader, PlanKind, SavedOperation, SavedPlan, VERSION, id_text};
use crate::model::schema::ModelSchema;

/// Why a file cannot be carried out as a plan.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanFileError {
    /// It cannot be read or written.
    #[error("the plan cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// A line is not what it must be.
    #[error("line {line} is not part of a plan: {reason}")]
    Line {
        /// The line, from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// It ends too early.
    #[error("the plan has no end after line {0}: it was cut off; make it again")]
    CutOff(usize),
    /// It is to be approved, and is not whole.
    #[error(
        "the plan was written by a run that did not end: it has no digest, so it cannot be approved; carry it out without an \
         approval"
    )]
    Unfinished,
    /// It was changed.
    #[error("the plan was changed after it was made; make it again, since only what was reviewed is carried out")]
    Changed,
    /// It has another version.
    #[error("the plan is of format {found}, and this program reads format {VERSION}; make it again with this program")]
    Version {
        /// Its version.
        found: u64,
    },
    /// It is of another job.
    #[error("the plan is one of the job `{found}`, not of `{wanted}`")]
    Job {
        /// The job it is of.
        found: String,
        /// The job it was to be of.
        wanted: String,
    },
    /// The models it touches have changed.
    #[error("the models have changed since the plan was made; make it again:\n{}", .0.join("\n"))]
    Schema(Vec<String>),
    /// Nobody approves it.
    #[error("a plan is approved by somebody: the name is blank")]
    BlankName,
    /// Whoever made it or has approved it is no second person.
    #[error("`{0}` has made or approved this plan already; it takes another name to approve it")]
    SameName(String),
}

/// How long a line of a plan may be, in bytes: a record with its values before and after. What is longer is no plan, and
/// is not read to its end.
pub(crate) const LONGEST_LINE: usize = 64 << 20;

/// Reads the next line with its line end; false at the end of the file.
fn read_line(input: &mut dyn BufRead, text: &mut String, line: usize) -> Result<bool, PlanFileError> {
    let mut bytes = std::mem::take(text).into_bytes();
    bytes.clear();
    let most = LONGEST_LINE as u64 + 1;
    input.take(most).read_until(b'\n', &mut bytes)?;

    let wrong = |reason: String| PlanFileError::Line { line, reason };
    if bytes.len() > LONGEST_LINE {
        return Err(wrong(format!("it is longer than {} MiB", LONGEST_LINE >> 20)));
    }
    // The last line of a file that was cut off may end within a character.
    *text = if bytes.ends_with(b"\n") {
        String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?
    } else {
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(!text.is_empty())
}

/// Reads a plan, and calls `each_line` with every line of it, also the blank ones.
pub(crate) fn read(
    input: &mut dyn BufRead,
    each_line: &mut dyn FnMut(&str) -> io::Result<()>,
) -> Result<SavedPlan, PlanFileError> {
    let mut digest = Sha256::new();
    let mut text = String::new();
    let mut plan: Option<SavedPlan> = None;
    let mut end: Option<End> = None;
    // The line of each operation.
    let mut lines = Vec::new();
    for line in 1.. {
        match read_line(input, &mut text, line) {
            Ok(true) => {}
            Ok(false) => break,
            // A file that was cut off may not be readable to its end, as when it is compressed. Of a plan that was written
            // while its run went on, the lines before that are true all the same.
            Err(PlanFileError::Io(_)) if plan.as_ref().is_some_and(|plan| plan.head.unfinished) => break,
            Err(error) => return Err(error),
        }
        each_line(&text)?;
        if text.trim().is_empty() {
            continue;
        }
        let wrong = |reason: String| PlanFileError::Line { line, reason };
        let value: Value = match serde_json::from_str(&text) {
            // The last line was cut off in its midst.
            Err(_) if !text.ends_with('\n') => {
                // Of a plan that was written while its run went on, the lines before it are true all the same.
                if plan.as_ref().is_some_and(|plan| plan.head.unfinished) {
                    break;
                }
                return Err(PlanFileError::CutOff(line - 1));
            }
            value => value.map_err(|error| wrong(error.to_string()))?,
        };
        let json = |error: serde_json::Error| wrong(error.to_string());
        let Some(plan) = &mut plan else {
            plan = Some(SavedPlan {
                head: head(value, line)?,
                approvals: Vec::new(),
                unrestorable: Vec::new(),
                operations: Vec::new(),
            });
            digest.update(text.as_bytes());
            continue;
        };
        if !plan.approvals.is_empty() && value.get("approved").is_none() {
            return Err(wrong("after an approval there are only approvals".into()));
        }
        if value.get("sha256").is_some() {
            end = Some(serde_json::from_value(value).map_err(json)?);
        } else if value.get("approved").is_some() {
            plan.approvals.push(serde_json::from_value::<Approval>(value).map_err(json)?.approved);
        } else if end.is_some() {
            return Err(wrong("after the end there are only approvals".into()));
        } else {
            digest.update(text.as_bytes());
            if value.get("lost").is_some() {
                plan.unrestorable.push(serde_json::from_value(value).map_err(json)?);
            } else {
                plan.operations.push(serde_json::from_value(value).map_err(json)?);
                lines.push(line);
            }
        }
    }
    let Some(mut plan) = plan else { return Err(PlanFileError::CutOff(0)) };
    if plan.head.unfinished {
        if plan.head.kind != PlanKind::Undo || end.is_some() {
            let reason = "only a plan that takes a run back, and that has no end, is unfinished".into();
            return Err(PlanFileError::Line { line: 1, reason });
        }
        plan.operations = settled(plan.operations);
        let mut seen = HashSet::new();
        plan.unrestorable.retain(|lost| seen.insert(lost.to_string()));
        return Ok(plan);
    }
    let Some(end) = end else { return Err(PlanFileError::CutOff(1 + plan.unrestorable.len() + plan.operations.len())) };
    if end.operations != plan.operations.len() || end.sha256 != hexadecimal(&digest.finalize()) {
        return Err(PlanFileError::Changed);
    }
    each_record_once(&plan, &lines)?;
    Ok(plan)
}

/// Whoever writes a digest can write any plan; one that does two things to one record was made by no run.
fn each_record_once(plan: &SavedPlan, lines: &[usize]) -> Result<(), PlanFileError> {
    let mut seen: HashMap<(&str, String), usize> = HashMap::with_capacity(lines.len());
    for (operation, line) in plan.operations.iter().zip(lines) {
        let SavedOperation { model, id, .. } = operation;
        if let Some(first) = seen.insert((model, id.to_string()), *line) {
            let reason = format!("it is about {model} {}, and so is line {first}", id_text(id));
            return Err(PlanFileError::Line { line: *line, reason });
        }
    }
    Ok(())
}

/// The head, whose version is looked at before anything else in it.
fn head(value: Value, line: usize) -> Result<PlanHeader, PlanFileError> {
    let wrong = |reason: String| PlanFileError::Line { line, reason };
    match value.get("diffsync_plan").and_then(Value::as_u64) {
        None => return Err(wrong("it is no head of a plan, `{\"diffsync_plan\":1,…}`".into())),
        Some(version) if version != u64::from(VERSION) => return Err(PlanFileError::Version { found: version }),
        Some(_) => {}
    }
    let head: PlanHeader = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
    let max_rejected = head.options.max_rejected;
    if !(0.0..=1.0).contains(&max_rejected) {
        return Err(wrong(format!("`max_rejected` is {max_rejected}; it is a part of the records, from 0 to 1")));
    }
    Ok(head)
}

impl SavedPlan {
    /// Reads a plan. It must be whole and unchanged.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn read(input: &mut dyn BufRead) -> Result<Self, PlanFileError> {
        read(input, &mut |_| Ok(()))
    }

    /// Whether it can be carried out by a job of these models.
    ///
    /// # Errors
    ///
    /// If it is of another job, or the models that it touches have changed since.
    pub fn check(&self, job: &str, schemas: &[&'static ModelSchema]) -> Result<(), PlanFileError> {
        if self.head.job != job {
            return Err(PlanFileError::Job { found: self.head.job.clone(), wanted: job.to_owned() });
        }
        let changes: Vec<String> = self
            .head
            .models
            .iter()
            .flat_map(|model| match schemas.iter().find(|schema| schema.name == model.name) {
                None => vec![format!("the model `{}` is gone", model.name)],
                Some(schema) => model.changes(schema),
            })
            .collect();
        if changes.is_empty() { Ok(()) } else { Err(PlanFileError::Schema(changes)) }
    }
}

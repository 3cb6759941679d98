//! Reading a plan from a file.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, Read as _};

use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::format::{Approval, End, hexadecimal};
use super::header::{PlanHeader, PlanKind, VERSION};
use super::log::settled;
use super::operation::{SavedOperation, id_text};
use super::saved_plan::SavedPlan;
use crate::model::schema::ModelSchema;

/// Why a plan file cannot be read, approved or applied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanFileError {
    /// It cannot be read or written.
    #[error("the plan cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// A line is not valid.
    #[error("line {line} is not part of a plan: {reason}")]
    Line {
        /// The line, from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// It ends too early.
    #[error("the plan ends after line {0}: it was cut off; create it again")]
    CutOff(usize),
    /// It cannot be approved, since it is not complete.
    #[error(
        "the plan was written by a run that did not finish, so it has no digest and cannot be approved; apply it without an \
         approval"
    )]
    Unfinished,
    /// It was changed.
    #[error("the plan was changed after it was created; create it again, since only a reviewed plan is applied")]
    Changed,
    /// It has another version.
    #[error("the plan has format {found}, but this program reads format {VERSION}; create it again with this program")]
    Version {
        /// Its version.
        found: u64,
    },
    /// It is for another job.
    #[error("the plan is for the job `{found}`, not for `{wanted}`")]
    Job {
        /// The job that it is for.
        found: String,
        /// The job that it was applied to.
        wanted: String,
    },
    /// The models it touches have changed.
    #[error("the models have changed since the plan was created; create it again:\n{}", .0.join("\n"))]
    Schema(Vec<String>),
    /// The approver's name is blank.
    #[error("the name of the approver is blank")]
    BlankName,
    /// The approver has already created or approved it.
    #[error("`{0}` has already created or approved this plan; another person must approve it")]
    SameName(String),
}

/// The longest line of a plan, in bytes: a record with its values before and after. A longer line is not read to its end.
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

/// Reads a plan, and calls `each_line` with each of its lines, even the blank ones.
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
            // A compressed file that was cut off cannot be read to its end. The earlier lines of an unfinished plan are
            // valid all the same.
            Err(PlanFileError::Io(_)) if plan.as_ref().is_some_and(|plan| plan.header.unfinished) => break,
            Err(error) => return Err(error),
        }

        each_line(&text)?;
        if text.trim().is_empty() {
            continue;
        }

        let wrong = |reason: String| PlanFileError::Line { line, reason };
        let value: Value = match serde_json::from_str(&text) {
            // The last line was cut off in the middle.
            Err(_) if !text.ends_with('\n') => {
                // The earlier lines of an unfinished plan are valid all the same.
                if plan.as_ref().is_some_and(|plan| plan.header.unfinished) {
                    break;
                }
                return Err(PlanFileError::CutOff(line - 1));
            }
            value => value.map_err(|error| wrong(error.to_string()))?,
        };

        let json = |error: serde_json::Error| wrong(error.to_string());
        let Some(plan) = &mut plan else {
            plan = Some(SavedPlan {
                header: header(value, line)?,
                approvals: Vec::new(),
                unrestorable: Vec::new(),
                operations: Vec::new(),
            });
            digest.update(text.as_bytes());
            continue;
        };

        if !plan.approvals.is_empty() && value.get("approved").is_none() {
            return Err(wrong("only approvals may follow an approval".into()));
        }

        if value.get("sha256").is_some() {
            end = Some(serde_json::from_value(value).map_err(json)?);
        } else if value.get("approved").is_some() {
            plan.approvals.push(serde_json::from_value::<Approval>(value).map_err(json)?.approved);
        } else if end.is_some() {
            return Err(wrong("only approvals may follow the end".into()));
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
    if plan.header.unfinished {
        if plan.header.kind != PlanKind::Undo || end.is_some() {
            let reason = "only an undo plan without an end can be unfinished".into();
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

/// Checks that no record has two operations. A correct digest does not prove it, since anyone can compute one.
fn each_record_once(plan: &SavedPlan, lines: &[usize]) -> Result<(), PlanFileError> {
    let mut seen: HashMap<(&str, String), usize> = HashMap::with_capacity(lines.len());
    for (operation, line) in plan.operations.iter().zip(lines) {
        let SavedOperation { model, id, .. } = operation;
        if let Some(first) = seen.insert((model, id.to_string()), *line) {
            let reason = format!("{model} {} already has an operation in line {first}", id_text(id));
            return Err(PlanFileError::Line { line: *line, reason });
        }
    }
    Ok(())
}

/// Reads the header. Its version is checked before anything else.
fn header(value: Value, line: usize) -> Result<PlanHeader, PlanFileError> {
    let wrong = |reason: String| PlanFileError::Line { line, reason };
    match value.get("diffsync_plan").and_then(Value::as_u64) {
        None => return Err(wrong("it is not the header of a plan, `{\"diffsync_plan\":1,…}`".into())),
        Some(version) if version != u64::from(VERSION) => return Err(PlanFileError::Version { found: version }),
        Some(_) => {}
    }

    let header: PlanHeader = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
    let max_rejected = header.options.max_rejected;
    if !(0.0..=1.0).contains(&max_rejected) {
        return Err(wrong(format!("`max_rejected` is {max_rejected}; it must be a fraction from 0 to 1")));
    }
    Ok(header)
}

impl SavedPlan {
    /// Reads a plan, which must be complete and unchanged.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn read(input: &mut dyn BufRead) -> Result<Self, PlanFileError> {
        read(input, &mut |_| Ok(()))
    }

    /// Checks that a job with these models can apply it.
    ///
    /// # Errors
    ///
    /// If it is for another job, or if the models that it touches have changed since.
    pub fn check(&self, job: &str, schemas: &[&'static ModelSchema]) -> Result<(), PlanFileError> {
        if self.header.job != job {
            return Err(PlanFileError::Job { found: self.header.job.clone(), wanted: job.to_owned() });
        }

        let changes: Vec<String> = self
            .header
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

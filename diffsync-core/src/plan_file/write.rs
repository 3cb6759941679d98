//! Writing a plan to a file.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::key::PlanKey;
use super::matching::asked;
use super::read::{self, PlanFileError};
use super::undo::Undo;
use super::{PlanHead, Signature};
use crate::plan::PlanView;

/// The last line of a plan, but for approvals.
#[derive(Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    /// The number of operations.
    pub(super) operations: usize,
    /// The SHA-256 of all lines before it, in hexadecimal digits.
    pub(super) sha256: String,
}

/// A line that says who has agreed to a plan.
#[derive(Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    pub(super) approved: Signature,
}

/// Writes a run's plan: what it would ask the target to do, with the values before and after.
///
/// The bytes depend on nothing but the plan, the head and the key.
///
/// # Errors
///
/// If it cannot be written, or a value of a record cannot be serialised.
pub fn write_plan(plan: &dyn PlanView, head: &PlanHead, key: &PlanKey, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines::begin(out, head)?;
    for operation in asked(plan, key) {
        lines.operation(&operation.map_err(io::Error::other)?)?;
    }
    lines.end()
}

impl Undo {
    /// Writes the plan that takes back what the run did, and what of it cannot be taken back.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, head: &PlanHead, out: &mut dyn Write) -> io::Result<()> {
        let mut lines = Lines::begin(out, head)?;
        for lost in &self.lost {
            lines.line(lost)?;
        }
        for operation in &self.operations {
            lines.operation(operation)?;
        }
        lines.end()
    }
}

/// Adds to a saved plan who has agreed to it: copies it to `out` as it is read, with a line for the approval. If it fails,
/// what was written to `out` is to be thrown away.
///
/// # Errors
///
/// If it is no sound plan, if it was written by a run that did not end, if whoever made or approved it is to approve it again, or if it cannot be written.
pub fn approve(plan: &mut dyn BufRead, approval: Signature, out: &mut dyn Write) -> Result<(), PlanFileError> {
    let mut ends_with_line = true;
    let saved = read::read(plan, &mut |line| {
        ends_with_line = line.ends_with('\n');
        out.write_all(line.as_bytes())
    })?;
    // It has no end that a digest could vouch for, so it is not known what is approved.
    if saved.head.unfinished {
        return Err(PlanFileError::Unfinished);
    }

    let name = |signature: &Signature| signature.by.trim().to_lowercase();
    if name(&approval).is_empty() {
        return Err(PlanFileError::NoName);
    }
    if saved.approvals.iter().chain([&saved.head.made]).any(|signature| name(signature) == name(&approval)) {
        return Err(PlanFileError::SameName(approval.by));
    }

    if !ends_with_line {
        out.write_all(b"\n")?;
    }
    let line = serde_json::to_string(&Approval { approved: approval }).map_err(io::Error::from)?;
    writeln!(out, "{line}")?;
    Ok(())
}

/// The lines of a plan that is being written.
struct Lines<'a> {
    out: &'a mut dyn Write,
    digest: Sha256,
    operations: usize,
}

impl<'a> Lines<'a> {
    fn begin(out: &'a mut dyn Write, head: &PlanHead) -> io::Result<Self> {
        let mut lines = Self { out, digest: Sha256::new(), operations: 0 };
        lines.line(head)?;
        Ok(lines)
    }

    fn line(&mut self, document: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(document)?;
        line.push(b'\n');
        self.digest.update(&line);
        self.out.write_all(&line)
    }

    fn operation(&mut self, operation: &impl Serialize) -> io::Result<()> {
        self.operations += 1;
        self.line(operation)
    }

    fn end(self) -> io::Result<()> {
        let end = End { operations: self.operations, sha256: hexadecimal(&self.digest.finalize()) };
        let mut line = serde_json::to_vec(&end)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

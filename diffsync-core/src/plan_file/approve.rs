//! Approving a plan.

use std::io::{self, BufRead, Write};

use super::format::Approval;
use super::read::{self, PlanFileError};
use super::signature::Signature;

/// Adds an approval to a saved plan: copies the plan to `out` while reading it, and appends a line for the approval. If it
/// fails, discard what was written to `out`.
///
/// # Errors
///
/// If the plan is not valid, if it was written by a run that did not finish, if the same person has already created or
/// approved it, or if it cannot be written.
pub fn approve(plan: &mut dyn BufRead, approval: Signature, out: &mut dyn Write) -> Result<(), PlanFileError> {
    let mut ends_with_line = true;
    let saved = read::read(plan, &mut |line| {
        ends_with_line = line.ends_with('\n');
        out.write_all(line.as_bytes())
    })?;

    // Without a digest at its end, nothing proves what is approved.
    if saved.header.unfinished {
        return Err(PlanFileError::Unfinished);
    }

    let name = |signature: &Signature| signature.by.trim().to_lowercase();
    if name(&approval).is_empty() {
        return Err(PlanFileError::BlankName);
    }
    if saved.approvals.iter().chain([&saved.header.created]).any(|signature| name(signature) == name(&approval)) {
        return Err(PlanFileError::SameName(approval.by));
    }

    if !ends_with_line {
        out.write_all(b"\n")?;
    }
    let line = serde_json::to_string(&Approval { approved: approval }).map_err(io::Error::from)?;
    writeln!(out, "{line}")?;
    Ok(())
}

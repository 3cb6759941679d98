//! Writing a plan to a file.

use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::format::{End, hexadecimal};
use super::header::PlanHeader;
use super::undo::UndoPlan;

impl UndoPlan {
    /// Writes the undo plan, and what it cannot restore.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, header: &PlanHeader, out: &mut dyn Write) -> io::Result<()> {
        let mut lines = Lines::begin(out, header)?;

        for lost in &self.unrestorable {
            lines.line(lost)?;
        }

        for operation in &self.operations {
            lines.operation(operation)?;
        }

        lines.end()
    }
}

/// The lines of a plan that is being written.
pub(crate) struct Lines<'a> {
    out: &'a mut dyn Write,
    digest: Sha256,
    operations: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn begin(out: &'a mut dyn Write, header: &PlanHeader) -> io::Result<Self> {
        let mut lines = Self { out, digest: Sha256::new(), operations: 0 };
        lines.line(header)?;
        Ok(lines)
    }

    pub(crate) fn line(&mut self, document: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(document)?;
        line.push(b'\n');
        self.digest.update(&line);
        self.out.write_all(&line)
    }

    pub(crate) fn operation(&mut self, operation: &impl Serialize) -> io::Result<()> {
        self.operations += 1;
        self.line(operation)
    }

    pub(crate) fn end(self) -> io::Result<()> {
        let end = End { operations: self.operations, sha256: hexadecimal(&self.digest.finalize()) };
        let mut line = serde_json::to_vec(&end)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

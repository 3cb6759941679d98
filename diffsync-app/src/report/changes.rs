//! The diff as text. A long one is cut, but deletes and held operations are always shown, since a reviewer looks for them.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use diffsync_core::model::Operation;
use diffsync_core::plan::{DiffLine, DiffTree};
use diffsync_core::report::RunReport;

use super::{LINES, Look, more};

/// Writes the diff of a run, if there is one.
pub(super) fn changes(out: &mut dyn Write, report: &RunReport, look: Look) -> fmt::Result {
    let Some(plan) = report.plan().filter(|plan| !plan.diff().is_empty()) else { return Ok(()) };
    writeln!(out, "\ndiff:")?;

    let mut printer = Printer::new(out, look);
    DiffTree::of(plan).lines(&mut |line| printer.line(line.into()))?;
    printer.end()
}

/// One line of a diff: a record, or a changed attribute of the record above it.
pub(crate) struct Line {
    /// Its indentation, in steps of two spaces.
    pub(crate) depth: usize,
    /// The record's operation; `None` if it is only the parent of others.
    pub(crate) operation: Option<Operation>,
    pub(crate) is_attribute: bool,
    pub(crate) is_held: bool,
    /// The text, with unprintable characters escaped.
    pub(crate) text: String,
}

impl From<DiffLine> for Line {
    fn from(line: DiffLine) -> Self {
        let DiffLine { depth, operation, is_attribute, is_held, text, .. } = line;
        Self { depth, operation, is_attribute, is_held, text }
    }
}

/// Prints the lines of a diff, and cuts a long one.
pub(crate) struct Printer<'a> {
    out: &'a mut dyn Write,
    look: Look,
    /// How many more of the lines that may be cut are shown.
    left: usize,
    /// The record of the last line and its ancestors, each with whether it was shown.
    above: Vec<(Line, bool)>,
    skipped: usize,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, look: Look) -> Self {
        Self { out, look, left: LINES, above: Vec::new(), skipped: 0 }
    }

    /// Prints the next line, or counts it.
    pub(crate) fn line(&mut self, line: Line) -> fmt::Result {
        if line.is_attribute {
            // An attribute is shown if its record is.
            if self.above.last().is_some_and(|(_, is_shown)| *is_shown) {
                return self.print(&line);
            }
            self.skipped += 1;
            return Ok(());
        }

        self.above.truncate(line.depth);
        let never_cut = line.operation == Some(Operation::Delete) || line.is_held;
        let is_shown = self.look.full || never_cut || self.left > 0;
        if is_shown {
            self.print_above()?;
            self.print(&line)?;
        } else {
            self.skipped += 1;
        }
        self.above.push((line, is_shown));
        Ok(())
    }

    /// Prints the ancestors of the next line that were cut.
    fn print_above(&mut self) -> fmt::Result {
        let mut above = std::mem::take(&mut self.above);
        for (line, is_shown) in &mut above {
            if !*is_shown {
                self.print(line)?;
                self.skipped -= 1;
                *is_shown = true;
            }
        }
        self.above = above;
        Ok(())
    }

    fn print(&mut self, line: &Line) -> fmt::Result {
        self.left = self.left.saturating_sub(1);
        let style = style(line).filter(|_| self.look.coloured).unwrap_or_default();
        let (indent, text) = (line.depth * 2, &line.text);
        writeln!(self.out, "  {style}{:indent$}{text}{style:#}", "")
    }

    /// Notes how many lines were counted instead of printed.
    pub(crate) fn end(self) -> fmt::Result {
        more(self.out, self.skipped, "lines of creates and updates")
    }
}

fn style(line: &Line) -> Option<Style> {
    let color = match line.operation? {
        _ if line.is_attribute => return None,
        Operation::Create => AnsiColor::Green,
        Operation::Update => AnsiColor::Yellow,
        Operation::Delete => AnsiColor::Red,
    };
    Some(color.on_default())
}

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

    let mut printer = Printer { out, look, left: LINES, above: Vec::new(), skipped: 0 };
    DiffTree::of(plan).lines(&mut |line| printer.line(line))?;

    let Printer { out, skipped, .. } = printer;
    more(out, skipped, "lines of creates and updates")
}

struct Printer<'a> {
    out: &'a mut dyn Write,
    look: Look,
    /// How many more of the lines that may be cut are shown.
    left: usize,
    /// The record of the last line and its ancestors, each with whether it was shown.
    above: Vec<(DiffLine, bool)>,
    skipped: usize,
}

impl Printer<'_> {
    fn line(&mut self, line: DiffLine) -> fmt::Result {
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

    fn print(&mut self, line: &DiffLine) -> fmt::Result {
        self.left = self.left.saturating_sub(1);
        let style = style(line).filter(|_| self.look.coloured).unwrap_or_default();
        writeln!(self.out, "  {style}{line}{style:#}")
    }
}

fn style(line: &DiffLine) -> Option<Style> {
    let color = match line.operation? {
        _ if line.is_attribute => return None,
        Operation::Create => AnsiColor::Green,
        Operation::Update => AnsiColor::Yellow,
        Operation::Delete => AnsiColor::Red,
    };
    Some(color.on_default())
}

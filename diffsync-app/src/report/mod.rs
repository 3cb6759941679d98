//! What a run did, for people and as a document.

mod steps;
mod summary;

use std::fmt::{self, Write};

use diffsync_core::{
    FailedRecord, JobInfo, Lift, Lost, OutcomeKind, PlanKind, RunReport, SavedPlan, Signature, SkippedModel,
};
use serde::Serialize;
use serde_json::Value;

use self::steps::steps;
use self::summary::{outcomes, summary};
use crate::terminal::one_line;

/// How many lines of the diff, problems or failures are shown; the JSON document has them all.
const LINES: usize = 100;

/// What a run did.
pub(crate) struct Report<'a> {
    pub(crate) job: &'static JobInfo,
    pub(crate) run: &'a RunReport,
    /// The saved plan that was carried out.
    pub(crate) plan: Option<&'a SavedPlan>,
    /// What comes next.
    pub(crate) closing: &'a [String],
}

/// The report as a document: that of the run, where the plan came from, and what taking the run back would lose.
impl Serialize for Report<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            #[serde(flatten)]
            run: &'a RunReport,
            #[serde(skip_serializing_if = "Option::is_none")]
            plan: Option<Origin<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            undo: Option<Undo<'a>>,
        }
        #[derive(Serialize)]
        struct Origin<'a> {
            kind: PlanKind,
            program: &'a str,
            made: &'a Signature,
            approvals: &'a [Signature],
            lost: &'a [Lost],
        }
        #[derive(Serialize)]
        struct Undo<'a> {
            operations: usize,
            lost: &'a [Lost],
        }
        let plan = self.plan.map(|plan| Origin {
            kind: plan.head.kind,
            program: &plan.head.program,
            made: &plan.head.made,
            approvals: &plan.approvals,
            lost: &plan.lost,
        });
        let undo = self.run.undo.as_ref().map(|undo| Undo { operations: undo.operations(), lost: &undo.lost });
        Document { run: self.run, plan, undo }.serialize(serializer)
    }
}

impl Report<'_> {
    /// The report as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let report = self.run;
        let dry_run = if report.dry_run { " (dry run: nothing was written)" } else { "" };
        writeln!(out, "{}: {}{dry_run}", self.job.id, report.status)?;
        if let Some(plan) = self.plan {
            origin(out, plan)?;
        }
        configuration(out, report)?;
        section(out, "problems", report.problems())?;
        section(out, "left out", report.skipped.iter().map(skipped))?;
        section(out, "guards", &report.breaches)?;
        section(out, "limits lifted", report.lifts.iter().map(lift))?;
        section(out, "changed since the plan was made", &report.stale)?;
        diff(out, report)?;
        section(out, "not written", not_written(report))?;
        section(out, "not restored by this plan", self.plan.into_iter().flat_map(|plan| &plan.lost))?;
        section(out, "cannot be taken back", report.undo.iter().flat_map(|undo| &undo.lost))?;
        summary(out, report)?;
        if !report.dry_run && report.plan().is_some() {
            writeln!(out, "\n{}", outcomes(report))?;
        }
        match report.retries {
            0 => {}
            1 => writeln!(out, "\n1 call was made again")?,
            calls => writeln!(out, "\n{calls} calls were made again")?,
        }
        steps(out, report)?;
        for (position, line) in self.closing.iter().enumerate() {
            writeln!(out, "{}{}", if position == 0 { "\n" } else { "" }, one_line(line))?;
        }
        Ok(())
    }
}

/// Who made the plan that was carried out, and who has agreed to it.
fn origin(out: &mut String, plan: &SavedPlan) -> fmt::Result {
    let kind = match plan.head.kind {
        PlanKind::Sync => "plan",
        PlanKind::Undo => "plan that takes a run back",
    };
    let line = format!("{kind} made by {}", plan.head.made);
    write!(out, "{}", one_line(&line))?;
    for approval in &plan.approvals {
        write!(out, ", approved by {}", one_line(&approval.to_string()))?;
    }
    writeln!(out)
}

fn configuration(out: &mut String, report: &RunReport) -> fmt::Result {
    if !report.config.is_empty() {
        writeln!(out)?;
    }
    let width = report.config.iter().map(|item| item.name.len()).max().unwrap_or(0);
    for item in &report.config {
        match &item.value {
            Value::Null => {}
            Value::String(text) => writeln!(out, "  {:width$}  {}", item.name, one_line(text))?,
            value => writeln!(out, "  {:width$}  {value}", item.name)?,
        }
    }
    Ok(())
}

fn skipped(skipped: &SkippedModel) -> String {
    format!("{}: by the {}: {}", skipped.model, skipped.side, skipped.reason)
}

fn lift(lift: &Lift) -> String {
    format!("{}: {}s up to {}", lift.model, lift.operation, lift.limit)
}

/// What was not written, the worst first: what is merely held back must not push what failed out of sight.
fn not_written(report: &RunReport) -> Vec<String> {
    let rank = |failure: &FailedRecord| match failure.outcome {
        OutcomeKind::Failed => 0,
        OutcomeKind::Unknown => 1,
        OutcomeKind::Blocked => 2,
        _ => 3,
    };
    let mut failures: Vec<FailedRecord> = report.failures().collect();
    failures.sort_by_key(rank);
    let text = |failure: FailedRecord| {
        let FailedRecord { operation, model, record, outcome, reason, url } = failure;
        let url = url.map(|url| format!(" <{url}>")).unwrap_or_default();
        format!("{operation} {model} {record:?}{url}: {outcome}: {reason}")
    };
    failures.into_iter().map(text).collect()
}

fn section<T: fmt::Display>(out: &mut String, title: &str, lines: impl IntoIterator<Item = T>) -> fmt::Result {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    for line in lines.by_ref().take(LINES) {
        writeln!(out, "  {}", one_line(&line.to_string()))?;
    }
    more(out, lines.count())
}

fn more(out: &mut String, left: usize) -> fmt::Result {
    if left > 0 { writeln!(out, "  … and {left} more lines; --output json has them all") } else { Ok(()) }
}

fn diff(out: &mut String, report: &RunReport) -> fmt::Result {
    let Some(plan) = report.plan() else { return Ok(()) };
    if plan.diff().is_empty() {
        return Ok(());
    }
    let mut head = Head { text: String::new(), lines: 0 };
    write!(head, "{}", diffsync_core::DiffTree::of(plan))?;
    writeln!(out, "\ndiff:")?;
    for line in head.text.lines() {
        writeln!(out, "  {line}")?;
    }
    more(out, head.lines.saturating_sub(LINES))
}

/// Keeps the first lines of a text and counts the others, so that a large diff is not held as text.
struct Head {
    text: String,
    lines: usize,
}

impl Write for Head {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive('\n') {
            if self.lines < LINES {
                self.text.push_str(piece);
            }
            self.lines += usize::from(piece.ends_with('\n'));
        }
        Ok(())
    }
}

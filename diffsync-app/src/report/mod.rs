//! The report of a run, as text and as a document.

mod changes;
mod steps;
mod summary;

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};

use diffsync_core::data::{ProblemKind, SkippedModel};
use diffsync_core::job::JobInfo;
use diffsync_core::model::LimitOverride;
use diffsync_core::plan::OutcomeKind;
use diffsync_core::plan_file::{PlanKind, SavedPlan, Signature, Unrestorable};
use diffsync_core::report::{FailedRecord, RunReport, Status};
use diffsync_history::SyncId;
use serde::Serialize;
use serde_json::Value;

use self::changes::changes;
use self::steps::steps;
pub(crate) use self::steps::{duration, step_table};
pub(crate) use self::summary::outcome_texts;
use self::summary::{outcomes, summary};
use crate::advice;
use crate::exit::Exit;
use crate::history::short_id;
use crate::terminal::{self, one_line};

/// How many lines of each section are shown without `--full`. Deletes, and records that failed or were held, do not count.
const LINES: usize = 100;

/// How many of the records that were not written are repeated at the end of the report.
const WORST: usize = 10;

/// How the report is shown as text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// Show every line.
    pub(crate) full: bool,
    /// Colour creates, updates and deletes.
    pub(crate) coloured: bool,
}

/// The report of a run.
pub(crate) struct Report<'a> {
    pub(crate) job: &'static JobInfo,
    pub(crate) profile: Option<&'a str>,
    pub(crate) run: &'a RunReport,
    /// The plan file that was applied.
    pub(crate) plan: Option<&'a SavedPlan>,
    /// The sync as which the run was recorded.
    pub(crate) sync: Option<SyncId>,
    /// How printing its events went, if they were printed instead of this.
    pub(crate) streamed: Option<Exit>,
    /// The next steps.
    pub(crate) closing: &'a [String],
}

/// The report as a document: the report of the run, the origin of the plan file, and the values that undoing would lose.
impl Serialize for Report<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            #[serde(flatten)]
            run: &'a RunReport,
            /// The sync as which the run was recorded.
            #[serde(skip_serializing_if = "Option::is_none")]
            sync: Option<SyncId>,
            profile: Option<&'a str>,
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
            lost: &'a [Unrestorable],
        }
        #[derive(Serialize)]
        struct Undo<'a> {
            operations: usize,
            lost: &'a [Unrestorable],
        }

        let plan = self.plan.map(|plan| Origin {
            kind: plan.head.kind,
            program: &plan.head.program,
            made: &plan.head.made,
            approvals: &plan.approvals,
            lost: &plan.unrestorable,
        });
        let undo = self.run.undo.as_ref().map(|undo| Undo { operations: undo.operations(), lost: &undo.unrestorable });
        Document { run: self.run, sync: self.sync, profile: self.profile, plan, undo }.serialize(serializer)
    }
}

impl Report<'_> {
    /// Writes the report as text.
    pub(crate) fn write(&self, out: &mut dyn Write, look: Look) -> fmt::Result {
        let report = self.run;
        let dry_run = if report.dry_run { " (dry run: nothing was written)" } else { "" };
        let profile = self.profile.map(|profile| format!("@{profile}")).unwrap_or_default();
        writeln!(out, "{}{}: {}{dry_run}", self.job.id, one_line(&profile), report.status)?;
        if let Some(plan) = self.plan {
            origin(out, plan)?;
        }
        configuration(out, report)?;

        section(out, "problems", look, report.problems())?;
        rejected_dependents(out, report)?;
        section(out, "left out", look, report.skipped.iter().map(skipped))?;
        section(out, "left out by the filter", look, &report.filtered)?;
        section(out, "guards", look, report.breaches.iter().map(advice::breach))?;
        section(out, "limit overrides", look, report.limit_overrides.iter().map(limit_override))?;
        section(out, "changed since the plan was made", look, &report.stale)?;
        changes(out, report, look)?;
        not_written(out, report, look)?;
        section(out, "not restored by this plan", look, self.plan.into_iter().flat_map(|plan| &plan.unrestorable))?;
        section(out, "cannot be undone", look, report.undo.iter().flat_map(|undo| &undo.unrestorable))?;

        summary(out, report)?;
        if !report.dry_run && report.plan().is_some() {
            writeln!(out, "\n{}", outcomes(report))?;
        }
        match report.retries {
            0 => {}
            1 => writeln!(out, "\n1 call was retried")?,
            calls => writeln!(out, "\n{calls} calls were retried")?,
        }
        steps(out, report)?;
        self.worst(out)?;

        for (position, line) in self.closing.iter().enumerate() {
            writeln!(out, "{}{}", if position == 0 { "\n" } else { "" }, one_line(line))?;
        }
        Ok(())
    }
}

impl Report<'_> {
    /// Repeats the first records that were not written where they are many: at the end, where they are seen without scrolling.
    fn worst(&self, out: &mut dyn Write) -> fmt::Result {
        let failures = worst_first(self.run);
        if failures.len() <= WORST {
            return Ok(());
        }
        writeln!(out, "\nnot written, the first {WORST} of {}:", failures.len())?;
        for failure in failures.iter().take(WORST) {
            writeln!(out, "  {}", one_line(&failed_record(failure)))?;
        }
        writeln!(out, "  {}", self.how_to_see_all(&failures))
    }

    /// How to see all records that were not written.
    fn how_to_see_all(&self, failures: &[FailedRecord]) -> String {
        // A dry run records no outcomes, even if it rehearsed them.
        let Some(sync) = self.sync.filter(|_| !self.run.dry_run) else { return "--full shows all".to_owned() };
        let mut named = HashSet::new();
        let outcomes = failures.iter().map(|failure| failure.outcome).filter(|outcome| named.insert(*outcome));
        let status: Vec<_> = outcomes.map(|outcome| format!("--status {}", outcome.as_str())).collect();
        format!("`history logs {} {}` shows all", short_id(sync), status.join(" "))
    }

    /// Warns of what a run did not do, where its report is not printed.
    pub(crate) fn warn(&self) {
        if self.run.status != Status::Partial {
            return;
        }
        let failures = worst_first(self.run);
        let mut text = format!("{}: {}: {}", self.job.id, self.run.status, outcomes(self.run));
        if !failures.is_empty() {
            let _ = write!(text, "; {}", self.how_to_see_all(&failures));
        }
        terminal::warn(&text);
    }
}

/// Who made the plan file, and who approved it.
fn origin(out: &mut dyn Write, plan: &SavedPlan) -> fmt::Result {
    let kind = match plan.head.kind {
        PlanKind::Sync => "plan",
        PlanKind::Undo => "undo plan",
    };
    let line = format!("{kind} made by {}", plan.head.made);
    write!(out, "{}", one_line(&line))?;
    for approval in &plan.approvals {
        write!(out, ", approved by {}", one_line(&approval.to_string()))?;
    }
    writeln!(out)
}

fn configuration(out: &mut dyn Write, report: &RunReport) -> fmt::Result {
    if !report.config.is_empty() {
        writeln!(out)?;
    }
    let width = report.config.iter().map(|item| item.name.len()).max().unwrap_or(0);
    for item in &report.config {
        match &item.value {
            Value::Null => {}
            Value::String(text) => writeln!(out, "  {:width$}  {}", item.name, one_line(text))?,
            value => writeln!(out, "  {:width$}  {}", item.name, one_line(&value.to_string()))?,
        }
    }
    Ok(())
}

fn skipped(skipped: &SkippedModel) -> String {
    format!("{}: by the {}: {}", skipped.model, skipped.side, skipped.reason)
}

fn limit_override(limit: &LimitOverride) -> String {
    format!("{}: {}s up to {}", limit.model, limit.operation, limit.limit)
}

/// How many records were rejected only because another was, which are counted and not named as problems.
fn rejected_dependents(out: &mut dyn Write, report: &RunReport) -> fmt::Result {
    let Some(summary) = report.summary() else { return Ok(()) };

    // A record may have several problems, on both sides. Of a circle, only the first record has one, which names the others.
    let mut named: HashMap<&str, HashSet<&str>> = HashMap::new();
    for problem in report.problems().iter().filter(|problem| problem.rejects()) {
        let records = named.entry(problem.model).or_default();
        records.insert(&problem.record);
        if let ProblemKind::Loop { path } = &problem.kind {
            records.extend(path.iter().map(String::as_str));
        }
    }

    let unnamed = summary.models.iter().map(|model| {
        let named = named.get(model.model).map_or(0, HashSet::len);
        model.counts.rejected.saturating_sub(named)
    });
    match unnamed.sum::<usize>() {
        0 => Ok(()),
        1 => writeln!(out, "  and 1 more record that depends on them"),
        records => writeln!(out, "  and {records} more records that depend on them"),
    }
}

/// The records that were not written, the worst first, so that many blocked ones do not push those that failed or were held
/// out of sight.
fn not_written(out: &mut dyn Write, report: &RunReport, look: Look) -> fmt::Result {
    let failures = worst_first(report);
    let never_cut = failures.partition_point(|failure| rank(failure) < 3);
    section_with(out, "not written", never_cut + look.lines(), failures.iter().map(failed_record))
}

/// The records that were not written, the worst first.
fn worst_first(report: &RunReport) -> Vec<FailedRecord> {
    let mut failures: Vec<FailedRecord> = report.failures().collect();
    failures.sort_by_key(rank);
    failures
}

fn rank(failure: &FailedRecord) -> usize {
    match failure.outcome {
        OutcomeKind::Failed => 0,
        OutcomeKind::Unknown => 1,
        OutcomeKind::Held => 2,
        _ => 3,
    }
}

fn failed_record(failure: &FailedRecord) -> String {
    let FailedRecord { operation, model, record, outcome, reason, url } = failure;
    let url = url.as_ref().map(|url| format!(" <{url}>")).unwrap_or_default();
    format!("{operation} {model} {record:?}{url}: {outcome}: {reason}")
}

impl Look {
    /// The most lines of a section.
    fn lines(self) -> usize {
        if self.full { usize::MAX / 2 } else { LINES }
    }
}

fn section<T: fmt::Display>(
    out: &mut dyn Write,
    title: &str,
    look: Look,
    lines: impl IntoIterator<Item = T>,
) -> fmt::Result {
    section_with(out, title, look.lines(), lines)
}

fn section_with<T: fmt::Display>(
    out: &mut dyn Write,
    title: &str,
    most: usize,
    lines: impl IntoIterator<Item = T>,
) -> fmt::Result {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return Ok(());
    }

    writeln!(out, "\n{title}:")?;
    for line in lines.by_ref().take(most) {
        writeln!(out, "  {}", one_line(&line.to_string()))?;
    }
    more(out, lines.count(), "lines")
}

/// Notes how many lines are not shown.
fn more(out: &mut dyn Write, left: usize, what: &str) -> fmt::Result {
    if left > 0 { writeln!(out, "  … and {left} more {what}; --full shows all") } else { Ok(()) }
}

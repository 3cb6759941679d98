//! The report of a run, as text and as a document.

mod changes;
mod failures;
mod steps;
mod summary;

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};

use diffsync_core::data::{ProblemKind, SkippedModel};
use diffsync_core::job::JobInfo;
use diffsync_core::model::LimitOverride;
use diffsync_core::plan_file::{PlanKind, SavedPlan, Signature, Unrestorable};
use diffsync_core::report::{ConfigItem, RunReport};
use diffsync_history::SyncId;
use serde::Serialize;
use serde_json::Value;

use self::changes::changes;
pub(crate) use self::changes::{Line, Printer};
pub(crate) use self::failures::Failures;
pub(crate) use self::steps::{duration, step_table};
pub(crate) use self::summary::{outcome_texts, outcomes, summary};
use crate::advice;
use crate::exit::Exit;
use crate::terminal::one_line;

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
            kind: plan.header.kind,
            program: &plan.header.program,
            made: &plan.header.created,
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
        configuration(out, &report.config)?;

        section(out, "problems", look, report.problems())?;
        rejected_dependents(out, report)?;
        section(out, "left out", look, report.skipped.iter().map(skipped))?;
        section(out, "left out by the filter", look, &report.filtered)?;
        section(out, "guards", look, report.breaches.iter().map(advice::breach))?;
        section(out, "limit overrides", look, report.limit_overrides.iter().map(limit_override))?;
        section(out, "changed since the plan was made", look, &report.drift)?;
        changes(out, report, look)?;
        self.failures().write(out, look)?;
        section(out, "not restored by this plan", look, self.plan.into_iter().flat_map(|plan| &plan.unrestorable))?;
        section(out, "cannot be undone", look, report.undo.iter().flat_map(|undo| &undo.unrestorable))?;

        if let Some(counted) = report.summary() {
            summary(out, &counted)?;
        }
        if !report.dry_run && report.plan().is_some() {
            writeln!(out, "\n{}", outcomes(&report.counts, report.already_done))?;
        }
        retries(out, report.retries)?;
        step_table(out, &report.steps, report.duration)?;
        self.failures().write_worst(out)?;
        closing(out, self.closing)
    }

    fn failures(&self) -> Failures {
        Failures::new(self.run.failures(), self.sync, self.run.dry_run)
    }

    /// Warns of what a run did not do, where its report is not printed.
    pub(crate) fn warn(&self) {
        let counted = outcomes(&self.run.counts, self.run.already_done);
        self.failures().warn(self.job.id, self.run.status, &counted);
    }
}

/// How many calls were retried, if any.
pub(crate) fn retries(out: &mut dyn Write, calls: u64) -> fmt::Result {
    match calls {
        0 => Ok(()),
        1 => writeln!(out, "\n1 call was retried"),
        calls => writeln!(out, "\n{calls} calls were retried"),
    }
}

/// The next steps.
pub(crate) fn closing(out: &mut dyn Write, lines: &[String]) -> fmt::Result {
    for (position, line) in lines.iter().enumerate() {
        writeln!(out, "{}{}", if position == 0 { "\n" } else { "" }, one_line(line))?;
    }
    Ok(())
}

/// Who made the plan file, and who approved it.
fn origin(out: &mut dyn Write, plan: &SavedPlan) -> fmt::Result {
    let kind = match plan.header.kind {
        PlanKind::Sync => "plan",
        PlanKind::Undo => "undo plan",
    };
    let line = format!("{kind} made by {}", plan.header.created);
    write!(out, "{}", one_line(&line))?;
    for approval in &plan.approvals {
        write!(out, ", approved by {}", one_line(&approval.to_string()))?;
    }
    writeln!(out)
}

/// The values of a job's variables.
pub(crate) fn configuration(out: &mut dyn Write, config: &[ConfigItem]) -> fmt::Result {
    if !config.is_empty() {
        writeln!(out)?;
    }
    let width = config.iter().map(|item| item.name.len()).max().unwrap_or(0);
    for item in config {
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

pub(crate) fn limit_override(limit: &LimitOverride) -> String {
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

impl Look {
    /// The most lines of a section.
    fn lines(self) -> usize {
        if self.full { usize::MAX / 2 } else { LINES }
    }
}

pub(crate) fn section<T: fmt::Display>(
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

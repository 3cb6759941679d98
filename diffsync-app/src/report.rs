//! What a run did, for people.

use std::fmt::{self, Write};
use std::time::Duration;

use diffsync_core::{Counts, JobInfo, OutcomeCounts, RunReport, Step, StepReport};
use serde_json::Value;

use crate::terminal::one_line;

/// How many lines of the diff, problems or failures are shown; the JSON document has them all.
const LINES: usize = 100;

/// A run's report as text.
pub(crate) fn text(job: &JobInfo, report: &RunReport) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, job, report);
    text
}

fn write(out: &mut String, job: &JobInfo, report: &RunReport) -> fmt::Result {
    let dry_run = if report.dry_run { " (dry run: nothing was written)" } else { "" };
    writeln!(out, "{}: {}{dry_run}", job.id, report.status)?;
    if !report.config.is_empty() {
        writeln!(out)?;
        let width = report.config.iter().map(|item| item.name.len()).max().unwrap_or(0);
        for item in &report.config {
            match &item.value {
                Value::Null => {}
                Value::String(text) => writeln!(out, "  {:width$}  {}", item.name, one_line(text))?,
                value => writeln!(out, "  {:width$}  {value}", item.name)?,
            }
        }
    }
    section(out, "problems", report.problems().iter())?;
    diff(out, report)?;
    let failures = report.failures().map(|failure| {
        let url = failure.url.map(|url| format!(" <{url}>")).unwrap_or_default();
        format!(
            "{} {} {:?}{url}: {}: {}",
            failure.operation, failure.model, failure.record, failure.outcome, failure.reason
        )
    });
    section(out, "not written", failures)?;
    summary(out, report)?;
    steps(out, report)?;
    let would_write = report.error.is_none() && report.plan().is_some_and(|plan| !plan.diff().is_empty());
    if report.dry_run && would_write {
        writeln!(out, "\nrun it again with --apply to write this")?;
    }
    Ok(())
}

fn section<T: fmt::Display>(out: &mut String, title: &str, mut lines: impl Iterator<Item = T>) -> fmt::Result {
    let mut lines = lines.by_ref().peekable();
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

/// Which of a model's counts a column shows.
type CountOf = fn(&Counts) -> usize;

fn summary(out: &mut String, report: &RunReport) -> fmt::Result {
    let Some(summary) = report.summary() else { return Ok(()) };
    let columns: [(&str, CountOf); 6] = [
        ("create", |counts| counts.create),
        ("update", |counts| counts.update),
        ("delete", |counts| counts.delete),
        ("no change", |counts| counts.no_change),
        ("rejected", |counts| counts.rejected),
        ("left out", |counts| counts.left_out),
    ];
    // The last two are the exception, and shown only then.
    let columns: Vec<_> = columns
        .into_iter()
        .enumerate()
        .filter(|(position, (_, count))| *position < 4 || count(&summary.total) > 0)
        .map(|(_, column)| column)
        .collect();
    let width = summary.models.iter().map(|model| model.model.len()).max().unwrap_or(0).max(7);
    write!(out, "\n{:width$}", "summary")?;
    for (title, _) in &columns {
        write!(out, "  {title:>9}")?;
    }
    writeln!(out)?;
    for model in &summary.models {
        row(out, &format!("  {}", model.model), width, columns.iter().map(|(_, count)| count(&model.counts)))?;
    }
    if summary.models.len() > 1 {
        row(out, "  all", width, columns.iter().map(|(_, count)| count(&summary.total)))?;
    }
    if !report.dry_run {
        writeln!(out, "\n{}", outcomes(&report.counts))?;
    }
    Ok(())
}

fn row(out: &mut String, title: &str, width: usize, counts: impl Iterator<Item = usize>) -> fmt::Result {
    write!(out, "{title:width$}")?;
    for (position, count) in counts.enumerate() {
        // The title is indented by two.
        let column = if position == 0 { 11 - title.len().saturating_sub(width) } else { 11 };
        write!(out, "{count:>column$}")?;
    }
    writeln!(out)
}

/// What became of the records, the numbers that are not zero.
fn outcomes(counts: &OutcomeCounts) -> String {
    let named = [
        ("created", counts.created),
        ("updated", counts.updated),
        ("deleted", counts.deleted),
        ("failed", counts.failed),
        ("blocked", counts.blocked),
        ("rejected", counts.rejected),
        ("left out", counts.left_out),
        ("unknown", counts.unknown),
        ("not attempted", counts.not_attempted),
    ];
    let said: Vec<_> = named.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}")).collect();
    if said.is_empty() { "nothing to do".into() } else { format!("outcomes: {}", said.join(", ")) }
}

fn steps(out: &mut String, report: &RunReport) -> fmt::Result {
    let profiled = report.steps.iter().any(|step| step.memory.is_some());
    write!(out, "\n{:16}  {:>10}", "step", "time")?;
    if profiled {
        write!(out, "  {:>11}  {:>11}  {:>11}  {:>11}", "heap at end", "heap peak", "resident", "res. peak")?;
    }
    writeln!(out)?;
    for step in Step::ALL {
        write!(out, "  {step:14}")?;
        match report.steps.iter().find(|report| report.step == step) {
            Some(report) => step_figures(out, report, profiled)?,
            None => write!(out, "  {:>10}", "-")?,
        }
        writeln!(out)?;
    }
    writeln!(out, "  {:14}  {:>10}", "whole run", duration(report.duration))
}

fn step_figures(out: &mut String, report: &StepReport, profiled: bool) -> fmt::Result {
    write!(out, "  {:>10}", duration(report.duration))?;
    if !profiled {
        return Ok(());
    }
    let heap = report.memory.and_then(|memory| memory.heap);
    let resident = report.memory.and_then(|memory| memory.resident);
    for bytes in [heap.map(|m| m.in_use), heap.map(|m| m.peak), resident.map(|m| m.in_use), resident.map(|m| m.peak)] {
        write!(out, "  {:>11}", bytes.map_or("-".into(), size))?;
    }
    Ok(())
}

/// A duration in the unit that suits it.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s >= 100.0 => format!("{s:.0} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.001 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

/// A number of bytes in the unit that suits it, binary as memory is.
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_in_units_that_suit_them() {
        assert_eq!(duration(Duration::from_micros(17)), "17 µs");
        assert_eq!(duration(Duration::from_micros(1_700)), "1.7 ms");
        assert_eq!(duration(Duration::from_millis(2_346)), "2.35 s");
        assert_eq!(size(512), "512 B");
        assert_eq!(size(75_000_000), "71.5 MiB");
    }
}

//! The numbers of a run: the planned operations of each model, and their outcomes.

use std::fmt::{self, Write};

use diffsync_core::plan::{Counts, DiffSummary, OutcomeCounts};

/// Which of a model's counts a column shows.
type CountOf = fn(&Counts) -> usize;

pub(crate) fn summary(out: &mut dyn Write, summary: &DiffSummary) -> fmt::Result {
    let columns: [(&str, CountOf); 9] = [
        ("create", |counts| counts.create),
        ("update", |counts| counts.update),
        ("delete", |counts| counts.delete),
        ("no change", |counts| counts.no_change),
        ("cascade", |counts| counts.cascade),
        ("held", |counts| counts.held),
        ("unsupported", |counts| counts.unsupported),
        ("rejected", |counts| counts.rejected),
        ("left out", |counts| counts.left_out),
    ];
    // Columns after the first four are rare, and shown only if they have a number.
    let columns: Vec<_> = columns
        .into_iter()
        .enumerate()
        .filter(|(position, (_, count))| *position < 4 || count(&summary.total) > 0)
        .map(|(_, column)| column)
        .collect();

    let width = summary.models.iter().map(|model| model.model.len()).max().unwrap_or(0).max(7);
    write!(out, "\n{:width$}", "summary")?;
    for (title, _) in &columns {
        write!(out, "  {title:>column$}", column = column_width(title))?;
    }
    writeln!(out)?;

    let mut row = |title: &str, counts: &Counts| {
        // The title is indented by two, so the first column is narrower by as much.
        let mut taken = (title.len() + 2).max(width) - width;
        write!(out, "  {title:indented$}", indented = width - 2)?;
        for (name, count) in &columns {
            write!(out, "{:>column$}", count(counts), column = 2 + column_width(name) - taken)?;
            taken = 0;
        }
        writeln!(out)
    };

    for model in &summary.models {
        row(model.model, &model.counts)?;
    }
    if summary.models.len() > 1 {
        row("all", &summary.total)?;
    }
    Ok(())
}

fn column_width(title: &str) -> usize {
    title.len().max(9)
}

/// The number of operations by outcome, without zeros.
pub(crate) fn outcomes(counts: &OutcomeCounts, already_done: usize) -> String {
    let mut counted = outcome_texts(counts);
    if already_done > 0 {
        counted.push(format!("done already {already_done}"));
    }
    if counted.is_empty() { "nothing to do".into() } else { format!("outcomes: {}", counted.join(", ")) }
}

/// The outcomes with their numbers, without those that did not occur and without unchanged records.
pub(crate) fn outcome_texts(counts: &OutcomeCounts) -> Vec<String> {
    let named = [
        ("created", counts.created),
        ("updated", counts.updated),
        ("deleted", counts.deleted),
        ("cascaded", counts.cascaded),
        ("failed", counts.failed),
        ("unknown", counts.unknown),
        ("blocked", counts.blocked),
        ("held", counts.held),
        ("unsupported", counts.unsupported),
        ("rejected", counts.rejected),
        ("left out", counts.left_out),
        ("not attempted", counts.not_attempted),
    ];
    named.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}")).collect()
}

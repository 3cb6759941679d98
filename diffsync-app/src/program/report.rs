//! The report of a run of another program: as that of any other, as far as its event stream tells it.

use std::fmt::{self, Write};
use std::time::Duration;

use diffsync_core::data::Side;
use diffsync_core::job::JobInfo;
use diffsync_core::model::{LimitOverride, Operation};
use diffsync_core::plan::{Breach, DiffSummary, OutcomeCounts};
use diffsync_core::report::{ConfigItem, FailedRecord, Status, StepReport};
use diffsync_history::SyncId;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::advice;
use crate::report::{
    Failures, Line, Look, Printer, closing, configuration, limit_override, outcomes, retries, section, step_table,
    summary,
};
use crate::terminal::one_line;

/// The report of a run of another program.
pub(super) struct ProgramReport {
    pub(super) job: &'static JobInfo,
    pub(super) profile: Option<String>,
    pub(super) sync: Option<SyncId>,
    pub(super) dry_run: bool,
    pub(super) status: Status,
    pub(super) error: Option<String>,
    pub(super) duration: Duration,
    pub(super) steps: Vec<StepReport>,
    pub(super) config: Vec<ConfigItem>,
    pub(super) summary: Option<DiffSummary>,
    pub(super) counts: OutcomeCounts,
    pub(super) breaches: Vec<Breach>,
    pub(super) limit_overrides: Vec<LimitOverride>,
    pub(super) retries: u64,
    pub(super) problems: Vec<Problem>,
    pub(super) failures: Vec<FailedRecord>,
    /// The diff, parents first.
    pub(super) rows: Vec<Row>,
}

/// Something that is wrong with a record.
#[derive(Debug, Serialize)]
#[serde(tag = "problem", rename = "reported")]
pub(super) struct Problem {
    pub(super) side: Side,
    pub(super) model: &'static str,
    pub(super) record: String,
    pub(super) text: String,
    pub(super) rejects: bool,
}

/// A record of the diff.
pub(super) struct Row {
    /// The position of the record that it is under.
    pub(super) parent: Option<usize>,
    pub(super) depth: u32,
    pub(super) model: &'static str,
    pub(super) record: String,
    pub(super) action: Option<Operation>,
    pub(super) withheld: Option<String>,
    /// The attributes after the sync under `+`, and before it under `-`.
    pub(super) changes: Option<Value>,
}

impl Row {
    /// The attributes after or before the sync.
    fn side(&self, sign: &str) -> Option<&Map<String, Value>> {
        self.changes.as_ref()?.get(sign)?.as_object()
    }

    /// The line of the record, and those of its attributes that an update changes.
    fn lines(&self) -> impl Iterator<Item = Line> {
        let sign = match self.action {
            Some(Operation::Create) => "+ ",
            Some(Operation::Update) => "~ ",
            Some(Operation::Delete) => "- ",
            None => "",
        };
        let remark = match self.withheld.as_deref() {
            None => String::new(),
            Some("held") => " (held back)".to_owned(),
            Some("unsupported") => " (not supported by the target)".to_owned(),
            Some("cascaded") => " (deleted with its parent)".to_owned(),
            Some(other) => format!(" ({})", one_line(other)),
        };
        let depth = usize::try_from(self.depth).unwrap_or_default();
        let record = Line {
            depth,
            operation: self.action,
            is_attribute: false,
            is_held: self.withheld.as_deref() == Some("held"),
            text: format!("{sign}{} {}{remark}", self.model, one_line(&self.record)),
        };

        let after = self.side("+").filter(|_| self.action == Some(Operation::Update));
        let attributes = after.into_iter().flatten().map(move |(name, new)| {
            let old = self.side("-").and_then(|before| before.get(name)).unwrap_or(&Value::Null);
            Line {
                depth: depth + 2,
                operation: self.action,
                is_attribute: true,
                is_held: false,
                text: one_line(&format!("{name}: {old} -> {new}")).into_owned(),
            }
        });
        std::iter::once(record).chain(attributes)
    }
}

impl ProgramReport {
    /// The report of a run that has not begun.
    pub(super) fn new(job: &'static JobInfo, dry_run: bool) -> Self {
        Self {
            job,
            profile: None,
            sync: None,
            dry_run,
            status: Status::Failed,
            error: None,
            duration: Duration::ZERO,
            steps: Vec::new(),
            config: Vec::new(),
            summary: None,
            counts: OutcomeCounts::default(),
            breaches: Vec::new(),
            limit_overrides: Vec::new(),
            retries: 0,
            problems: Vec::new(),
            failures: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Writes the report as text.
    pub(super) fn write(&self, out: &mut dyn Write, look: Look, next_steps: &[String]) -> fmt::Result {
        let dry_run = if self.dry_run { " (dry run: nothing was written)" } else { "" };
        let profile = self.profile.as_ref().map(|profile| format!("@{profile}")).unwrap_or_default();
        writeln!(out, "{}{}: {}{dry_run}", self.job.id, one_line(&profile), self.status)?;
        configuration(out, &self.config)?;

        section(out, "problems", look, self.problems.iter().map(|problem| &problem.text))?;
        section(out, "guards", look, self.breaches.iter().map(advice::breach))?;
        section(out, "limit overrides", look, self.limit_overrides.iter().map(limit_override))?;
        if self.has_changes() {
            writeln!(out, "\ndiff:")?;
            let mut printer = Printer::new(out, look);
            self.rows.iter().flat_map(Row::lines).try_for_each(|line| printer.line(line))?;
            printer.end()?;
        }
        self.failures().write(out, look)?;

        if let Some(counted) = &self.summary {
            summary(out, counted)?;
            if !self.dry_run {
                writeln!(out, "\n{}", outcomes(&self.counts, 0))?;
            }
        }
        retries(out, self.retries)?;
        step_table(out, &self.steps, self.duration)?;
        self.failures().write_worst(out)?;
        closing(out, next_steps)
    }

    fn failures(&self) -> Failures {
        Failures::new(self.failures.iter().cloned(), self.sync, self.dry_run)
    }

    /// Warns of what the run did not do, where its report is not printed.
    pub(super) fn warn(&self) {
        self.failures().warn(self.job.id, self.status, &outcomes(&self.counts, 0));
    }

    /// Whether it was refused because of its limits.
    pub(super) fn is_refused_by_guards(&self) -> bool {
        self.status == Status::Refused && !self.breaches.is_empty()
    }

    /// Whether the two sides differ.
    pub(super) fn has_changes(&self) -> bool {
        self.rows.iter().any(|row| row.action.is_some())
    }
}

/// The same document as that of a linked job. What a stream does not tell is empty.
impl Serialize for ProgramReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NOTHING: [(); 0] = [];
        let mut document = serializer.serialize_struct("ProgramReport", 21)?;
        document.serialize_field("job", self.job.id)?;
        document.serialize_field("status", &self.status)?;
        document.serialize_field("dry_run", &self.dry_run)?;
        document.serialize_field("error", &self.error)?;
        document.serialize_field("duration_seconds", &self.duration.as_secs_f64())?;
        document.serialize_field("config", &self.config)?;

        document.serialize_field("steps", &self.steps)?;
        document.serialize_field("summary", &self.summary)?;
        document.serialize_field("outcomes", &self.counts)?;

        document.serialize_field("breaches", &self.breaches)?;
        document.serialize_field("limit_overrides", &self.limit_overrides)?;
        document.serialize_field("skipped", &NOTHING)?;
        document.serialize_field("filtered", &NOTHING)?;
        document.serialize_field("stale", &NOTHING)?;
        document.serialize_field("already_done", &0)?;
        document.serialize_field("retries", &self.retries)?;

        document.serialize_field("problems", &self.problems)?;
        document.serialize_field("failures", &self.failures)?;
        document.serialize_field("diff", &self.summary.as_ref().map(|_| Tree::of(&self.rows)))?;
        match self.sync {
            Some(sync) => document.serialize_field("sync", &sync)?,
            None => document.skip_field("sync")?,
        }
        document.serialize_field("profile", &self.profile)?;
        document.end()
    }
}

/// The diff, nested as that of a linked job: models, their records, and what changes.
struct Tree<'a> {
    rows: &'a [Row],
    roots: Vec<usize>,
    /// The records under each.
    children: Vec<Vec<usize>>,
}

impl<'a> Tree<'a> {
    fn of(rows: &'a [Row]) -> Self {
        let mut tree = Self { rows, roots: Vec::new(), children: vec![Vec::new(); rows.len()] };
        for (at, row) in rows.iter().enumerate() {
            match row.parent.and_then(|parent| tree.children.get_mut(parent)) {
                Some(siblings) => siblings.push(at),
                None => tree.roots.push(at),
            }
        }
        tree
    }

    /// One entry for each model, with its records.
    fn groups<M: SerializeMap>(&self, map: &mut M, nodes: &[usize]) -> Result<(), M::Error> {
        // In the order in which they come.
        let mut models: Vec<(&str, Vec<usize>)> = Vec::new();
        for &at in nodes {
            let Some(row) = self.rows.get(at) else { continue };
            match models.iter_mut().find(|(model, _)| *model == row.model) {
                Some((_, nodes)) => nodes.push(at),
                None => models.push((row.model, vec![at])),
            }
        }
        models.iter().try_for_each(|(model, nodes)| map.serialize_entry(model, &Records { tree: self, nodes }))
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.groups(&mut map, &self.roots)?;
        map.end()
    }
}

/// The records of one model under one parent.
struct Records<'a> {
    tree: &'a Tree<'a>,
    nodes: &'a [usize],
}

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for &at in self.nodes {
            if let Some(row) = self.tree.rows.get(at) {
                map.serialize_entry(&row.record, &Element { tree: self.tree, at, row })?;
            }
        }
        map.end()
    }
}

/// One record, with those under it.
struct Element<'a> {
    tree: &'a Tree<'a>,
    at: usize,
    row: &'a Row,
}

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for sign in ["+", "-"] {
            if let Some(attributes) = self.row.side(sign) {
                map.serialize_entry(sign, attributes)?;
            }
        }
        self.tree.groups(&mut map, self.tree.children.get(self.at).map_or(&[], Vec::as_slice))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(parent: Option<usize>, model: &'static str, record: &str, action: Option<Operation>) -> Row {
        let depth = u32::from(parent.is_some());
        let (record, withheld) = (record.to_owned(), None);
        Row { parent, depth, model, record, action, withheld, changes: None }
    }

    #[test]
    fn the_diff_is_nested_as_that_of_a_linked_job() {
        let rows = [
            row(None, "site", "ams", None),
            Row {
                changes: Some(json!({"+": {"role": "leaf"}, "-": {"role": "spine"}})),
                ..row(Some(0), "device", "sw\u{1b}1", Some(Operation::Update))
            },
            row(None, "site", "fra", Some(Operation::Delete)),
        ];
        let tree = serde_json::to_value(Tree::of(&rows)).unwrap();
        assert_eq!(
            tree,
            json!({"site": {
                "ams": {"device": {"sw\u{1b}1": {"+": {"role": "leaf"}, "-": {"role": "spine"}}}},
                "fra": {},
            }})
        );

        let lines: Vec<_> = rows.iter().flat_map(Row::lines).map(|line| (line.depth, line.text)).collect();
        let expected =
            [(0, "site ams"), (1, "~ device sw\\u{1b}1"), (3, "role: \"spine\" -> \"leaf\""), (0, "- site fra")];
        assert_eq!(lines, expected.map(|(depth, text)| (depth, text.to_owned())));
    }
}

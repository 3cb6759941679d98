//! Changes: the diff of a sync, a row for each record.

use std::borrow::Cow;
use std::ops::Range;

use diffsync_core::model::Operation;
use diffsync_core::plan::{DiffRow, PlanView, RecordRef};
use serde::Serialize;
use serde_json::Value as Json;

use crate::database::ColumnType::{Integer, Text};
use crate::database::{BulkRow, Column, Row, Value, clean};
use crate::error::HistoryError;
use crate::page::{Page, PageRequest, Query};
use crate::store::History;
use crate::sync::SyncId;

/// One record of a sync's diff.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Its position in the diff.
    pub position: u64,
    /// The position of the record that it lives under.
    pub parent: Option<u64>,
    /// How many records it lives under.
    pub depth: u32,
    /// The model's name.
    pub model: String,
    /// The record's identifier.
    pub record: String,
    /// The record's identifier as a value.
    pub identifiers: Json,
    /// What was to be done with it; nothing where it is only the parent of others.
    pub action: Option<Operation>,
    /// Why that was not asked of the target: `held`, `unsupported` or `cascaded`.
    pub withheld: Option<String>,
    /// The attributes after the sync under `+`, and before it under `-`.
    pub changes: Option<Json>,
    /// Whether records of the diff live under it.
    pub has_children: bool,
}

/// One record of the diff of a run that another program calculated.
///
/// Nothing in it may be secret.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChange {
    /// The position of the record that it lives under, among the changes that came before.
    pub parent: Option<u64>,
    /// How many records it lives under.
    pub depth: u32,
    /// The model's name.
    pub model: String,
    /// The record's identifier.
    pub record: String,
    /// The record's identifier as a value, if that is something else than its text.
    pub identifiers: Option<Json>,
    /// What is to be done with it; nothing where it is only the parent of others.
    pub action: Option<Operation>,
    /// Why that is not asked of the target: `held`, `unsupported` or `cascaded`.
    pub withheld: Option<String>,
    /// The attributes after the sync under `+`, and before it under `-`.
    pub changes: Option<Json>,
}

/// Which changes are wanted; all without a condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Where in the tree they are.
    pub under: TreeScope,
    /// Changes of this model.
    pub model: Option<String>,
    /// Changes with this action.
    pub action: Option<Operation>,
    /// Changes of this attribute.
    pub attribute: Option<String>,
    /// Changes of records whose identifier contains this text, ignoring case.
    pub text: Option<String>,
}

/// A part of a diff's tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TreeScope {
    /// All records.
    #[default]
    Any,
    /// The records that live under no other.
    Root,
    /// The records directly under the one at this position.
    Record(u64),
}

/// How many records of a part of a diff are to be created, updated and deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ActionCounts {
    /// Records to create.
    pub create: u64,
    /// Records to update.
    pub update: u64,
    /// Records to delete.
    pub delete: u64,
}

/// The parent's position of a record that lives under no other.
const ROOT: i64 = -1;

impl Change {
    fn read(row: &Row) -> Result<(i64, Self), sqlx::Error> {
        let seq = row.integer("seq")?;
        let change = Self {
            position: seq.unsigned_abs(),
            parent: u64::try_from(row.integer("parent_seq")?).ok(),
            depth: u32::try_from(row.integer("depth")?).unwrap_or_default(),
            model: row.text("model")?,
            record: row.text("record")?,
            identifiers: identifiers(row)?,
            action: row.optional_text("action")?.as_deref().and_then(action),
            withheld: row.optional_text("withheld")?,
            changes: row.json("changes")?,
            has_children: row.flag("has_children")?,
        };
        Ok((seq, change))
    }
}

/// The record's identifier as a value. One that is the same as its text is kept as such alone.
pub(crate) fn identifiers(row: &Row) -> Result<Json, sqlx::Error> {
    match row.json("identifiers")? {
        Some(identifiers) => Ok(identifiers),
        None => row.text("record").map(Json::String),
    }
}

/// The operation of this name.
pub(crate) fn action(name: &str) -> Option<Operation> {
    Operation::ALL.into_iter().find(|operation| operation.to_string() == name)
}

impl History {
    /// The changes of a sync, in the order of its diff.
    ///
    /// # Errors
    ///
    /// If there is no such sync, or the history cannot be read.
    pub async fn changes(
        &self,
        sync: SyncId,
        filter: &ChangeFilter,
        request: PageRequest,
    ) -> Result<Page<Change>, HistoryError> {
        let parent = match filter.under {
            TreeScope::Any => None,
            TreeScope::Root => Some(ROOT),
            TreeScope::Record(position) => Some(place(position)),
        };
        let by_parent = parent.map_or(String::new(), |_| (self.dialect().use_index)("history_change_parent"));
        let mut query = Query::new(
            &format!(
                "SELECT c.*, EXISTS (SELECT 1 FROM history_change AS below WHERE below.sync_no = c.sync_no \
                 AND below.parent_seq = c.seq) AS has_children FROM history_change AS c{by_parent} WHERE c.sync_no = ?"
            ),
            self.number(sync).await?,
        );
        query.and("c.seq > ?", request.after.map_or(-1, |cursor| cursor.0));
        query.and_if("c.parent_seq = ?", parent);
        query.and_if("c.model = ?", filter.model.clone());
        query.and_if("c.action = ?", filter.action.map(|action| action.to_string()));
        if let Some(attribute) = &filter.attribute {
            let has_key = self.dialect().has_key;
            let is_in = |side| has_key("c.changes", side, "?");
            query.and(&format!("({} OR {})", is_in("+"), is_in("-")), attribute.clone());
        }
        query.and_contains(&["c.record"], filter.text.as_deref());
        query.page("c.seq", request);
        let rows = self.fetch("read a diff", &query.sql, query.values, Change::read).await?;
        Ok(Page::of(rows, request))
    }

    /// The change at this position of a sync's diff, if there is one.
    ///
    /// # Errors
    ///
    /// If there is no such sync, or the history cannot be read.
    pub async fn change(&self, sync: SyncId, position: u64) -> Result<Option<Change>, HistoryError> {
        let sql = "SELECT c.*, EXISTS (SELECT 1 FROM history_change AS below WHERE below.sync_no = c.sync_no \
                   AND below.parent_seq = c.seq) AS has_children FROM history_change AS c WHERE c.sync_no = $1 AND c.seq = $2";
        let values = vec![self.number(sync).await?.into(), place(position).into()];
        let found = self.fetch("read a diff", sql, values, Change::read).await?;
        Ok(found.into_iter().next().map(|(_, change)| change))
    }

    /// The positions of all records below the one at this position, at any depth. A diff is in the order of its tree, so they
    /// are one range, and it is found without reading them.
    ///
    /// # Errors
    ///
    /// If there is no such sync, or the history cannot be read.
    pub async fn below(&self, sync: SyncId, position: u64) -> Result<Range<u64>, HistoryError> {
        // The range ends before the next record under the same parent, or under the parent's parent, and so on.
        let by_parent = (self.dialect().use_index)("history_change_parent");
        let sql = format!(
            "WITH RECURSIVE up (seq, parent_seq) AS ( \
             SELECT seq, parent_seq FROM history_change WHERE sync_no = $1 AND seq = $2 UNION ALL \
             SELECT c.seq, c.parent_seq FROM up JOIN history_change AS c ON c.sync_no = $1 AND c.seq = up.parent_seq) \
             SELECT coalesce(min((SELECT min(n.seq) FROM history_change AS n{by_parent} WHERE n.sync_no = $1 \
             AND n.parent_seq = up.parent_seq AND n.seq > up.seq)), \
             (SELECT max(seq) + 1 FROM history_change WHERE sync_no = $1), 0) AS ends FROM up"
        );
        let values = vec![self.number(sync).await?.into(), place(position).into()];
        let ends = self.fetch("read a diff", &sql, values, |row| row.integer("ends")).await?;
        let first = position.saturating_add(1);
        Ok(first..ends.first().map_or(first, |end| end.unsigned_abs().max(first)))
    }

    /// How many of the records at these positions are to be created, updated and deleted. It reads all of them: a million takes
    /// most of a second.
    ///
    /// # Errors
    ///
    /// If there is no such sync, or the history cannot be read.
    pub async fn count_actions(&self, sync: SyncId, positions: Range<u64>) -> Result<ActionCounts, HistoryError> {
        let sql = "SELECT action, count(*) AS records FROM history_change WHERE sync_no = $1 AND seq >= $2 AND seq < $3 \
                   AND action IS NOT NULL GROUP BY action";
        let values = vec![self.number(sync).await?.into(), place(positions.start).into(), place(positions.end).into()];
        let counted = self.fetch("count changes", sql, values, |row| {
            Ok((action(&row.text("action")?), row.integer("records")?.unsigned_abs()))
        });

        let mut counts = ActionCounts::default();
        for (action, records) in counted.await? {
            match action {
                Some(Operation::Create) => counts.create = records,
                Some(Operation::Update) => counts.update = records,
                Some(Operation::Delete) => counts.delete = records,
                None => {}
            }
        }
        Ok(counts)
    }
}

/// A position as the database holds it.
fn place(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// A change on its way into the history.
pub(crate) struct ChangeRow {
    seq: i64,
    parent_seq: i64,
    depth: i64,
    model: Cow<'static, str>,
    record: String,
    identifiers: Option<String>,
    action: Option<&'static str>,
    withheld: Option<Cow<'static, str>>,
    changes: Option<String>,
}

impl BulkRow for ChangeRow {
    const TABLE: &'static str = "history_change";
    const COLUMNS: &'static [Column] = &[
        ("seq", Integer),
        ("parent_seq", Integer),
        ("depth", Integer),
        ("model", Text),
        ("record", Text),
        ("identifiers", Text),
        ("action", Text),
        ("withheld", Text),
        ("changes", Text),
    ];

    fn add_values(self, values: &mut Vec<Value>) {
        let Self { seq, parent_seq, depth, model, record, identifiers, action, withheld, changes } = self;
        values.extend([
            seq.into(),
            parent_seq.into(),
            depth.into(),
            model.into(),
            record.into(),
            identifiers.into(),
            Value::name(action),
            withheld.into(),
            changes.into(),
        ]);
    }
}

impl ChangeRow {
    pub(crate) fn new(plan: &dyn PlanView, row: DiffRow<'_>) -> Self {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let action = row.operation();
        let (record, identifiers) = named(plan, row.record());
        Self {
            seq: number(row.position),
            parent_seq: row.parent.map_or(ROOT, number),
            depth: number(row.depth),
            model: row.model().into(),
            record,
            identifiers,
            action: action.map(action_name),
            withheld: row.withheld().map(Into::into),
            // An attribute that cannot be serialised is replaced by the reason, so the whole cannot fail.
            changes: action.and_then(|_| serde_json::to_string(&row.changes()).ok()),
        }
    }

    /// The row at this position of a diff that another program calculated.
    pub(crate) fn reported(position: i64, change: NewChange) -> Self {
        let NewChange { parent, depth, model, record, identifiers, action, withheld, changes } = change;
        Self {
            seq: position,
            parent_seq: parent.map_or(ROOT, |parent| i64::try_from(parent).unwrap_or(i64::MAX)),
            depth: depth.into(),
            model: clean(model).into(),
            record: clean(record),
            identifiers: identifiers.map(|identifiers| identifiers.to_string()),
            action: action.map(action_name),
            withheld: withheld.map(|withheld| clean(withheld).into()),
            changes: changes.map(|changes| changes.to_string()),
        }
    }

    /// How long its texts are.
    pub(crate) fn bytes(&self) -> usize {
        self.record.len() + self.changes.as_ref().map_or(0, String::len)
    }
}

/// The text of a record's identifier, and its value if that is something else.
pub(crate) fn named(plan: &dyn PlanView, record: RecordRef) -> (String, Option<String>) {
    let text = plan.record(record);
    let value = plan.identifier(record).ok().filter(|value| value.as_str() != Some(&text));
    (clean(text), value.map(|value| value.to_string()))
}

/// The name of an operation.
pub(crate) fn action_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
    }
}

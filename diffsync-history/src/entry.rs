//! Log entries: what happened to each record of a sync.

use std::borrow::Cow;

use diffsync_core::model::Operation;
use diffsync_core::plan::OutcomeKind;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;
use url::Url;

use crate::change::{action, identifiers};
use crate::database::ColumnType::{Integer, Text};
use crate::database::{BulkRow, Column, Row, Value};
use crate::error::HistoryError;
use crate::page::{Page, PageRequest, Query};
use crate::store::History;
use crate::sync::SyncId;
use crate::time::from_micros;

/// The statuses of records that were not written as planned, which an index finds among many others.
const UNWRITTEN: [&str; 5] = ["failed", "blocked", "held", "unknown", "unsupported"];

/// The status of a record that is the same on both sides.
pub(crate) const UNCHANGED: &str = "unchanged";

/// The status of a record that could not be used, and took no part in the diff.
pub(crate) const REJECTED: &str = "rejected";

/// What happened to one record in one sync.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// When. Records that were written together share a time.
    pub at: Timestamp,
    /// What was to be done with it; nothing if it is the same on both sides.
    pub action: Option<Operation>,
    /// How that ended: one of [`LogEntry::STATUSES`].
    pub status: String,
    /// The model's name.
    pub model: String,
    /// The record as text: its identifier.
    pub record: String,
    /// The record's identifier as a value.
    pub identifiers: Json,
    /// The URL of the record's page.
    pub url: Option<Url>,
    /// The attributes after the sync under `+`, and before it under `-`.
    pub changes: Option<Json>,
    /// Why it was not written, if it was not.
    pub message: Option<String>,
}

/// What happened to one record of a run that another program carries out.
///
/// Nothing in it may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// When.
    pub at: Timestamp,
    /// The position of the record's row in the diff, if it has one.
    pub change: Option<u64>,
    /// What was to be done with it; nothing if it is the same on both sides.
    pub action: Option<Operation>,
    /// How that ended: an outcome such as `created` or `failed`, or `unchanged`.
    pub status: String,
    /// The model's name.
    pub model: String,
    /// The record as text: its identifier.
    pub record: String,
    /// The URL of the record's page.
    pub url: Option<Url>,
    /// Why it was not written, if it was not.
    pub message: Option<String>,
}

/// Which log entries are wanted; all without a condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogEntryFilter {
    /// Entries with one of these statuses.
    pub status: Vec<String>,
    /// Entries of this model.
    pub model: Option<String>,
    /// Entries with this action.
    pub action: Option<Operation>,
    /// Entries of this time or later.
    pub from: Option<Timestamp>,
    /// Entries before this time.
    pub to: Option<Timestamp>,
    /// Entries whose record or message contains this text, ignoring case.
    pub text: Option<String>,
}

/// The rows of the diff that a row of entries refers to. What they share is kept there alone. A row that stands for several
/// entries refers to as many changes, of which `change_seq` is the last.
const CHANGES: &str = "c.sync_no = e.sync_no AND c.seq > e.change_seq - e.count AND c.seq <= e.change_seq";
/// The position of an entry: that of its row is the position of the last one.
const SEQ: &str = "(e.seq - coalesce(e.change_seq - c.seq, 0))";
const ACTION: &str = "coalesce(e.action, c.action)";
const MODEL: &str = "coalesce(e.model, c.model)";
const RECORD: &str = "coalesce(e.record, c.record)";

impl LogEntry {
    /// The statuses of records: the outcomes of operations; `unchanged` for a record that is the same on both sides, if it was
    /// to be recorded; and `rejected` for one that could not be used.
    pub const STATUSES: [&str; 12] = [
        OutcomeKind::Created.as_str(),
        OutcomeKind::Updated.as_str(),
        OutcomeKind::Deleted.as_str(),
        OutcomeKind::Cascaded.as_str(),
        OutcomeKind::Failed.as_str(),
        OutcomeKind::Unknown.as_str(),
        OutcomeKind::Blocked.as_str(),
        OutcomeKind::Held.as_str(),
        OutcomeKind::Unsupported.as_str(),
        OutcomeKind::NotAttempted.as_str(),
        UNCHANGED,
        REJECTED,
    ];

    fn read(row: &Row) -> Result<(i64, Self), sqlx::Error> {
        let entry = Self {
            at: from_micros(row.integer("at")?),
            action: row.optional_text("action")?.as_deref().and_then(action),
            status: row.text("status")?,
            model: row.text("model")?,
            record: row.text("record")?,
            identifiers: identifiers(row)?,
            url: row.optional_text("url")?.and_then(|url| url.parse().ok()),
            changes: row.json("changes")?,
            message: row.optional_text("message")?,
        };
        Ok((row.integer("seq")?, entry))
    }
}

impl History {
    /// The log entries of a sync, the oldest first.
    ///
    /// # Errors
    ///
    /// If there is no such sync, or the history cannot be read.
    pub async fn entries(
        &self,
        sync: SyncId,
        filter: &LogEntryFilter,
        request: PageRequest,
    ) -> Result<Page<LogEntry>, HistoryError> {
        let is_unwritten = |status: &String| UNWRITTEN.contains(&status.as_str());
        let (by_index, condition, order) = if !filter.status.is_empty() && filter.status.iter().all(is_unwritten) {
            // A partial index is used only where the query contains its condition.
            let condition = format!("e.status IN ('{}') AND", UNWRITTEN.join("', '"));
            // Each of them has a row of its own.
            ((self.dialect().use_index)("history_entry_unwritten"), condition, "e.seq")
        } else {
            (String::new(), String::new(), "e.seq, c.seq")
        };
        let after = request.after.map_or(-1, |cursor| cursor.0);

        let mut query = Query::new(
            &format!("SELECT e.* FROM history_entry AS e{by_index} WHERE {condition} e.sync_no = ?"),
            self.number(sync).await?,
        );
        query.and("e.seq > ?", after);
        query.and_any("e.status", filter.status.iter().cloned());
        query.and_if("e.at >= ?", filter.from.map(Timestamp::as_microsecond));
        query.and_if("e.at < ?", filter.to.map(Timestamp::as_microsecond));

        let depends_on_changes = filter.model.is_some() || filter.action.is_some() || filter.text.is_some();
        if !depends_on_changes {
            query.page("e.seq", request);
            query.sql = first_rows(&query.sql, after, request.limit());
        }

        let join = (self.dialect().join_range)("history_change AS c", CHANGES);
        query.sql = format!(
            "SELECT {SEQ} AS seq, e.at, e.status, e.url, e.message, {ACTION} AS action, {MODEL} AS model, \
             {RECORD} AS record, coalesce(e.identifiers, c.identifiers) AS identifiers, c.changes \
             FROM ({}) AS e {join} WHERE true",
            query.sql
        );
        // Without the entries of the first row that were on the page before.
        query.and(&format!("{SEQ} > ?"), after);
        query.and_if(&format!("{MODEL} = ?"), filter.model.clone());
        query.and_if(&format!("{ACTION} = ?"), filter.action.map(|action| action.to_string()));
        query.and_contains(&[RECORD, "coalesce(e.message, '')"], filter.text.as_deref());
        query.page(order, request);
        let rows = self.fetch("read log entries", &query.sql, query.values, LogEntry::read).await?;
        Ok(Page::of(rows, request))
    }
}

/// The first of these rows, as many as have this number of entries after a position: a database without statistics would join
/// all rows with their changes before it takes a page of them.
fn first_rows(rows: &str, after: i64, entries: i64) -> String {
    let unread = format!("CASE WHEN count < seq - {after} THEN count ELSE seq - {after} END");
    format!(
        "SELECT * FROM (SELECT r.*, sum({unread}) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - {unread} AS earlier \
         FROM ({rows}) AS r) AS r WHERE earlier < {entries}"
    )
}

/// How many log entries a row stands for at most: a page begins within a row, whose other entries are read as well.
const MOST: i64 = 1_000;

/// Within which time log entries share the time of the first, in microseconds.
const MOMENT: i64 = 1_000;

/// A row of log entries on its way into the history: one entry, or several that differ in nothing but their record, with
/// the changes that they refer to next to each other.
pub(crate) struct EntryRow {
    /// The position of the last.
    pub(crate) seq: i64,
    /// How many there are.
    pub(crate) count: i64,
    pub(crate) at: i64,
    pub(crate) status: Cow<'static, str>,
    pub(crate) about: About,
    pub(crate) url: Option<String>,
    pub(crate) message: Option<String>,
}

/// What a log entry is about.
pub(crate) enum About {
    /// A row of the diff, by its position; the last one's, if there are several entries.
    Change(i64),
    /// A record that is not in the recorded diff.
    Record { action: Option<&'static str>, model: Cow<'static, str>, record: String, identifiers: Option<String> },
}

impl BulkRow for EntryRow {
    const TABLE: &'static str = "history_entry";
    const COLUMNS: &'static [Column] = &[
        ("seq", Integer),
        ("count", Integer),
        ("at", Integer),
        ("status", Text),
        ("url", Text),
        ("message", Text),
        ("change_seq", Integer),
        ("action", Text),
        ("model", Text),
        ("record", Text),
        ("identifiers", Text),
    ];

    fn add_values(self, values: &mut Vec<Value>) {
        let Self { seq, count, at, status, about, url, message } = self;
        values.extend([seq.into(), count.into(), at.into(), status.into(), url.into(), message.into()]);
        values.extend(match about {
            About::Change(change) => [change.into(), NO_TEXT, NO_TEXT, NO_TEXT, NO_TEXT],
            About::Record { action, model, record, identifiers } => {
                [Value::Integer(None), Value::name(action), model.into(), record.into(), identifiers.into()]
            }
        });
    }
}

const NO_TEXT: Value = Value::Text(None);

impl EntryRow {
    /// Adds the entries of the next row, or returns it if they need a row of their own.
    pub(crate) fn join(&mut self, next: Self) -> Option<Self> {
        if self.can_join(&next) {
            (self.seq, self.count, self.about) = (next.seq, self.count + next.count, next.about);
            return None;
        }
        Some(next)
    }

    fn can_join(&self, next: &Self) -> bool {
        let (About::Change(last), About::Change(change)) = (&self.about, &next.about) else { return false };
        // Those that were not written are found by an index, one by one.
        let is_plain = |entry: &Self| {
            entry.url.is_none() && entry.message.is_none() && !UNWRITTEN.contains(&entry.status.as_ref())
        };
        last + next.count == *change
            && self.seq + next.count == next.seq
            && self.status == next.status
            && (0..MOMENT).contains(&(next.at - self.at))
            && self.count + next.count <= MOST
            && is_plain(self)
            && is_plain(next)
    }

    /// How long its texts are.
    pub(crate) fn bytes(&self) -> usize {
        self.message.as_ref().map_or(0, String::len)
    }
}

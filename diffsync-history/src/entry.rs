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
use crate::database::{BulkRow, Column, Dialect, Row, Value};
use crate::error::HistoryError;
use crate::page::{Cursor, Page, PageRequest, Query};
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
    /// Its position among the entries of its sync.
    pub position: u64,
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

/// A log entry, with the sync that it is of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SyncEntry {
    /// The sync's id.
    pub sync: SyncId,
    /// The sync's job.
    pub job: String,
    /// The entry.
    #[serde(flatten)]
    pub entry: LogEntry,
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

/// A place among the entries of all syncs is the number of the sync, and in its last bits that of the entry: no sync has two
/// thousand million of them.
const SEQ_BITS: u32 = 31;
const SEQ_MASK: i64 = (1 << SEQ_BITS) - 1;

impl LogEntryFilter {
    /// Whether all entries that are wanted have a row of their own, which an index finds.
    fn is_unwritten(&self) -> bool {
        !self.status.is_empty() && self.status.iter().all(|status| UNWRITTEN.contains(&status.as_str()))
    }

    /// Whether a row does not tell by itself which of its entries are wanted.
    fn depends_on_changes(&self) -> bool {
        self.model.is_some() || self.action.is_some() || self.text.is_some()
    }

    /// The rows of the entries that may be wanted, with one more condition.
    fn rows(&self, dialect: &Dialect, condition: &str, value: i64) -> Query {
        let (by_index, indexed) = if self.is_unwritten() {
            // A partial index is used only where the query contains its condition.
            let condition = format!("e.status IN ('{}') AND ", UNWRITTEN.join("', '"));
            ((dialect.use_index)("history_entry_unwritten"), condition)
        } else {
            (String::new(), String::new())
        };
        let mut query =
            Query::new(&format!("SELECT e.* FROM history_entry AS e{by_index} WHERE {indexed}{condition}"), value);
        query.and_any("e.status", self.status.iter().cloned());
        query.and_if("e.at >= ?", self.from.map(Timestamp::as_microsecond));
        query.and_if("e.at < ?", self.to.map(Timestamp::as_microsecond));
        query
    }

    /// Makes a query of rows one of their entries, with the conditions that depend on changes.
    fn entries(&self, dialect: &Dialect, query: &mut Query) {
        let join = (dialect.join_range)("history_change AS c", CHANGES);
        query.sql = format!(
            "SELECT e.sync_no, {SEQ} AS seq, e.at, e.status, e.url, e.message, {ACTION} AS action, {MODEL} AS model, \
             {RECORD} AS record, coalesce(e.identifiers, c.identifiers) AS identifiers, c.changes \
             FROM ({}) AS e {join} WHERE true",
            query.sql
        );
        query.and_if(&format!("{MODEL} = ?"), self.model.clone());
        query.and_if(&format!("{ACTION} = ?"), self.action.map(|action| action.to_string()));
        query.and_contains(&[RECORD, "coalesce(e.message, '')"], self.text.as_deref());
    }
}

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
        let seq = row.integer("seq")?;
        let entry = Self {
            position: seq.unsigned_abs(),
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
        Ok((seq, entry))
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
        let after = request.after.map_or(-1, |cursor| cursor.0);
        let mut query = filter.rows(self.dialect(), "e.sync_no = ?", self.number(sync).await?);
        query.and("e.seq > ?", after);
        if !filter.depends_on_changes() {
            query.page("e.seq", request);
            let unread = format!("CASE WHEN count < seq - {after} THEN count ELSE seq - {after} END");
            query.sql = first_rows(&query.sql, &unread, "seq", request.limit());
        }

        filter.entries(self.dialect(), &mut query);
        // Without the entries of the first row that were on the page before.
        query.and(&format!("{SEQ} > ?"), after);
        query.page(if filter.is_unwritten() { "e.seq" } else { "e.seq, c.seq" }, request);
        let rows = self.fetch("read log entries", &query.sql, query.values, LogEntry::read).await?;
        Ok(Page::of(rows, request))
    }

    /// The log entry at this position among the entries of a sync, if there is one.
    ///
    /// # Errors
    ///
    /// If there is no such sync, or the history cannot be read.
    pub async fn entry(&self, sync: SyncId, position: u64) -> Result<Option<LogEntry>, HistoryError> {
        let (all, position) = (LogEntryFilter::default(), i64::try_from(position).unwrap_or(i64::MAX));
        let mut query = all.rows(self.dialect(), "e.sync_no = ?", self.number(sync).await?);
        query.and("e.seq >= ?", position);
        query.sql += " ORDER BY e.seq LIMIT 1";
        all.entries(self.dialect(), &mut query);
        query.and(&format!("{SEQ} = ?"), position);
        let found = self.fetch("read log entries", &query.sql, query.values, LogEntry::read).await?;
        Ok(found.into_iter().next().map(|(_, entry)| entry))
    }

    /// The log entries of all syncs: those of the newest sync first, and the last one of each first.
    ///
    /// # Errors
    ///
    /// If the history cannot be read.
    pub async fn all_entries(
        &self,
        filter: &LogEntryFilter,
        request: PageRequest,
    ) -> Result<Page<SyncEntry>, HistoryError> {
        let (sync, seq) =
            request.after.map_or((i64::MAX, i64::MAX), |Cursor(place)| (place >> SEQ_BITS, place & SEQ_MASK));
        // A range of the key, up to the last row that may hold an entry before this place. Another condition that is a range of
        // the sync's number would be taken instead, and all rows of that sync be read.
        let last = seq.saturating_add(MOST);
        let mut query = filter.rows(self.dialect(), &format!("(e.sync_no, e.seq) < (?, {last})"), sync);
        let is_before = |position: &str| format!("(e.sync_no < {sync} OR {position} < ?)");
        query.and(&is_before("e.seq - e.count + 1"), seq);
        if !filter.depends_on_changes() {
            query.page("e.sync_no DESC, e.seq DESC", request);
            let unread =
                format!("CASE WHEN sync_no < {sync} OR seq < {seq} THEN count ELSE {seq} - (seq - count + 1) END");
            query.sql = first_rows(&query.sql, &unread, "sync_no DESC, seq DESC", request.limit());
        }

        filter.entries(self.dialect(), &mut query);
        // Without the entries of the first row that were on the page before.
        query.and(&is_before(SEQ), seq);
        let order = if filter.is_unwritten() { "" } else { ", c.seq DESC" };
        query.page(&format!("e.sync_no DESC, e.seq DESC{order}"), request);

        let sql = format!(
            "SELECT e.*, s.id AS sync_id, s.job FROM ({}) AS e JOIN history_sync AS s ON s.no = e.sync_no \
             ORDER BY e.sync_no DESC, e.seq DESC",
            query.sql
        );
        let read = |row: &Row| {
            let (seq, entry) = LogEntry::read(row)?;
            let sync = row.parsed("sync_id", |text| text.parse().ok())?;
            Ok((row.integer("sync_no")? << SEQ_BITS | seq, SyncEntry { sync, job: row.text("job")?, entry }))
        };
        let rows = self.fetch("read log entries", &sql, query.values, read).await?;
        Ok(Page::of(rows, request))
    }
}

/// The first of these rows, as many as have this number of unread entries: a database without statistics would join all rows
/// with their changes before it takes a page of them.
fn first_rows(rows: &str, unread: &str, order: &str, entries: i64) -> String {
    format!(
        "SELECT * FROM (SELECT r.*, sum({unread}) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) - {unread} AS earlier \
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

//! Log entries: what happened to each record of a sync.

use diffsync_core::model::Operation;
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

/// What happened to one record in one sync.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// Its position among the entries of its sync.
    pub position: u64,
    /// When.
    pub at: Timestamp,
    /// What was to be done with it; nothing if it is the same on both sides.
    pub action: Option<Operation>,
    /// How that ended: an outcome such as `created` or `failed`, or `unchanged`.
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

/// What an entry shares with the row of the diff that it refers to is kept there alone.
const JOINED: &str = " LEFT JOIN history_change AS c ON c.sync_no = e.sync_no AND c.seq = e.change_seq";
const ACTION: &str = "coalesce(e.action, c.action)";
const MODEL: &str = "coalesce(e.model, c.model)";
const RECORD: &str = "coalesce(e.record, c.record)";

/// All that an entry is read from.
const COLUMNS: &str = "e.seq, e.at, e.status, e.url, e.message, coalesce(e.action, c.action) AS action, \
     coalesce(e.model, c.model) AS model, coalesce(e.record, c.record) AS record, \
     coalesce(e.identifiers, c.identifiers) AS identifiers, c.changes";

/// A place among the entries of all syncs is the number of the sync, and in its last bits that of the entry: no sync has two
/// thousand million of them.
const SEQ_BITS: u32 = 31;
const SEQ_MASK: i64 = (1 << SEQ_BITS) - 1;

impl LogEntryFilter {
    /// The query of these entries, with one more condition.
    fn query(&self, dialect: &Dialect, condition: &str, value: i64) -> Query {
        let is_unwritten = |status: &String| UNWRITTEN.contains(&status.as_str());
        let (by_index, indexed) = if !self.status.is_empty() && self.status.iter().all(is_unwritten) {
            // A partial index is used only where the query contains its condition.
            let condition = format!("e.status IN ('{}') AND", UNWRITTEN.join("', '"));
            ((dialect.use_index)("history_entry_unwritten"), condition)
        } else {
            (String::new(), String::new())
        };
        let is_joined = self.model.is_some() || self.action.is_some() || self.text.is_some();
        let joined = if is_joined { JOINED } else { "" };

        let mut query = Query::new(
            &format!("SELECT e.* FROM history_entry AS e{by_index}{joined} WHERE {indexed} {condition}"),
            value,
        );
        query.and_any("e.status", self.status.iter().cloned());
        query.and_if(&format!("{MODEL} = ?"), self.model.clone());
        query.and_if(&format!("{ACTION} = ?"), self.action.map(|action| action.to_string()));
        query.and_if("e.at >= ?", self.from.map(Timestamp::as_microsecond));
        query.and_if("e.at < ?", self.to.map(Timestamp::as_microsecond));
        query.and_contains(&[RECORD, "coalesce(e.message, '')"], self.text.as_deref());
        query
    }
}

impl LogEntry {
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
        let mut query = filter.query(self.dialect(), "e.sync_no = ?", self.number(sync).await?);
        query.and("e.seq > ?", request.after.map_or(-1, |cursor| cursor.0));
        query.page("e.seq", request);

        // The page comes first: a database without statistics would join all rows before it takes a hundred of them.
        let page = query.sql;
        let sql = format!("SELECT {COLUMNS} FROM ({page}) AS e{JOINED} ORDER BY e.seq");
        let rows = self.fetch("read log entries", &sql, query.values, LogEntry::read).await?;
        Ok(Page::of(rows, request))
    }

    /// The log entry at this position among the entries of a sync, if there is one.
    ///
    /// # Errors
    ///
    /// If there is no such sync, or the history cannot be read.
    pub async fn entry(&self, sync: SyncId, position: u64) -> Result<Option<LogEntry>, HistoryError> {
        let sql = format!("SELECT {COLUMNS} FROM history_entry AS e{JOINED} WHERE e.sync_no = $1 AND e.seq = $2");
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        let values = vec![self.number(sync).await?.into(), position.into()];
        let found = self.fetch("read log entries", &sql, values, LogEntry::read).await?;
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
        let mut query = filter.query(self.dialect(), "e.sync_no <= ?", sync);
        // A range of the key, as a database knows it.
        query.and("(e.sync_no, e.seq) < (?", sync);
        query.sql.push_str(", ");
        query.push("?)", seq.into());
        query.page("e.sync_no DESC, e.seq DESC", request);

        let page = query.sql;
        let sql = format!(
            "SELECT e.sync_no, s.id AS sync_id, s.job, {COLUMNS} FROM ({page}) AS e \
             JOIN history_sync AS s ON s.no = e.sync_no{JOINED} ORDER BY e.sync_no DESC, e.seq DESC"
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

/// A log entry on its way into the history.
pub(crate) struct EntryRow {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) status: &'static str,
    pub(crate) about: About,
    pub(crate) url: Option<String>,
    pub(crate) message: Option<String>,
}

/// What a log entry is about.
pub(crate) enum About {
    /// A row of the diff, by its position.
    Change(i64),
    /// A record that is not in the recorded diff.
    Record { action: Option<&'static str>, model: &'static str, record: String, identifiers: Option<String> },
}

impl BulkRow for EntryRow {
    const TABLE: &'static str = "history_entry";
    const COLUMNS: &'static [Column] = &[
        ("seq", Integer),
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
        let Self { seq, at, status, about, url, message } = self;
        values.extend([seq.into(), at.into(), status.into(), url.into(), message.into()]);
        values.extend(match about {
            About::Change(change) => [change.into(), NO_TEXT, NO_TEXT, NO_TEXT, NO_TEXT],
            About::Record { action, model, record, identifiers } => {
                [Value::Integer(None), action.into(), model.into(), record.into(), identifiers.into()]
            }
        });
    }
}

const NO_TEXT: Value = Value::Text(None);

impl EntryRow {
    /// How long its texts are.
    pub(crate) fn bytes(&self) -> usize {
        self.message.as_ref().map_or(0, String::len)
    }
}

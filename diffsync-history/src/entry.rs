//! Log entries: what happened to each record of a sync.

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
    /// When.
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
        let (by_index, condition) = if !filter.status.is_empty() && filter.status.iter().all(is_unwritten) {
            // A partial index is used only where the query contains its condition.
            let condition = format!("e.status IN ('{}') AND", UNWRITTEN.join("', '"));
            ((self.dialect().use_index)("history_entry_unwritten"), condition)
        } else {
            (String::new(), String::new())
        };
        let is_joined = filter.model.is_some() || filter.action.is_some() || filter.text.is_some();
        let joined = if is_joined { JOINED } else { "" };

        let mut query = Query::new(
            &format!("SELECT e.* FROM history_entry AS e{by_index}{joined} WHERE {condition} e.sync_no = ?"),
            self.number(sync).await?,
        );
        query.and("e.seq > ?", request.after.map_or(-1, |cursor| cursor.0));
        query.and_any("e.status", filter.status.iter().cloned());
        query.and_if(&format!("{MODEL} = ?"), filter.model.clone());
        query.and_if(&format!("{ACTION} = ?"), filter.action.map(|action| action.to_string()));
        query.and_if("e.at >= ?", filter.from.map(Timestamp::as_microsecond));
        query.and_if("e.at < ?", filter.to.map(Timestamp::as_microsecond));
        query.and_contains(&[RECORD, "coalesce(e.message, '')"], filter.text.as_deref());
        query.page("e.seq", request);

        // The page comes first: a database without statistics would join all rows before it takes a hundred of them.
        let page = query.sql;
        let sql = format!(
            "SELECT e.seq, e.at, e.status, e.url, e.message, {ACTION} AS action, {MODEL} AS model, {RECORD} AS record, \
             coalesce(e.identifiers, c.identifiers) AS identifiers, c.changes FROM ({page}) AS e{JOINED} ORDER BY e.seq"
        );
        let rows = self.fetch("read log entries", &sql, query.values, LogEntry::read).await?;
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

//! Log lines: what the program logged during a sync.

use std::fmt;

use diffsync_core::report::Step;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::database::ColumnType::{Integer, Text};
use crate::database::{BulkRow, Column, Row, Value, clean};
use crate::error::HistoryError;
use crate::page::{Page, PageRequest, Query};
use crate::step::named;
use crate::store::History;
use crate::sync::SyncId;
use crate::time::from_micros;

/// How important a log line is, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something may be wrong.
    Warn,
    /// Something that a user wants to know.
    Info,
    /// Something that a developer wants to know.
    Debug,
    /// Every detail.
    Trace,
}

impl LogLevel {
    /// All levels, the most important first.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The level as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A line that the program logged during a sync.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// Its level.
    pub level: LogLevel,
    /// The module that logged it.
    pub target: String,
    /// The step during which it was logged.
    pub step: Option<Step>,
    /// The message.
    pub message: String,
    /// The other fields, as an object.
    pub fields: Option<Json>,
}

/// Which log lines are wanted; all without a condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogLineFilter {
    /// Lines of this level and of more important ones.
    pub level: Option<LogLevel>,
    /// Lines of this step.
    pub step: Option<Step>,
    /// Lines whose message contains this text, ignoring case.
    pub text: Option<String>,
}

impl LogLine {
    fn read(row: &Row) -> Result<(i64, Self), sqlx::Error> {
        let level = |text: &str| LogLevel::ALL.into_iter().find(|level| level.as_str() == text);
        let line = Self {
            at: from_micros(row.integer("at")?),
            level: row.parsed("level", level)?,
            target: row.text("target")?,
            step: row.optional_text("step")?.as_deref().and_then(named),
            message: row.text("message")?,
            fields: row.json("fields")?,
        };
        Ok((row.integer("seq")?, line))
    }
}

impl History {
    /// The log lines of a sync, the oldest first.
    ///
    /// # Errors
    ///
    /// If there is no such sync, or the history cannot be read.
    pub async fn lines(
        &self,
        sync: SyncId,
        filter: &LogLineFilter,
        request: PageRequest,
    ) -> Result<Page<LogLine>, HistoryError> {
        let mut query = Query::new("SELECT * FROM history_line WHERE sync_no = ?", self.number(sync).await?);
        query.and("seq > ?", request.after.map_or(-1, |cursor| cursor.0));
        if let Some(least) = filter.level {
            let levels = LogLevel::ALL.into_iter().filter(|level| *level <= least);
            query.and_any("level", levels.map(|level| level.to_string()));
        }
        query.and_if("step = ?", filter.step.map(|step| step.to_string()));
        query.and_contains(&["message"], filter.text.as_deref());
        query.page("seq", request);
        let rows = self.fetch("read log lines", &query.sql, query.values, LogLine::read).await?;
        Ok(Page::of(rows, request))
    }
}

/// A log line on its way into the history.
pub(crate) struct LineRow {
    seq: i64,
    at: i64,
    level: &'static str,
    target: String,
    step: Option<String>,
    message: String,
    fields: Option<String>,
}

impl BulkRow for LineRow {
    const TABLE: &'static str = "history_line";
    const COLUMNS: &'static [Column] = &[
        ("seq", Integer),
        ("at", Integer),
        ("level", Text),
        ("target", Text),
        ("step", Text),
        ("message", Text),
        ("fields", Text),
    ];

    fn add_values(self, values: &mut Vec<Value>) {
        let Self { seq, at, level, target, step, message, fields } = self;
        values.extend([seq.into(), at.into(), level.into(), target.into(), step.into(), message.into(), fields.into()]);
    }
}

impl LineRow {
    pub(crate) fn new(seq: i64, line: LogLine) -> Self {
        let LogLine { at, level, target, step, message, fields } = line;
        Self {
            seq,
            at: at.as_microsecond(),
            level: level.as_str(),
            target: clean(target),
            step: step.map(|step| step.to_string()),
            message: clean(message),
            fields: fields.map(|fields| fields.to_string()),
        }
    }

    /// How long its texts are.
    pub(crate) fn bytes(&self) -> usize {
        self.message.len() + self.fields.as_ref().map_or(0, String::len)
    }
}

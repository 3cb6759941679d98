//! Syncs: one row for each run.

use std::fmt;
use std::str::FromStr;

use diffsync_core::plan::{Counts, OutcomeCounts};
use diffsync_core::report::{Status, StepReport};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::database::{Row, Value};
use crate::error::HistoryError;
use crate::page::{Page, PageRequest, Query};
use crate::store::History;
use crate::time::{from_micros, now};

/// The id of a sync. Ids are in the order of their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SyncId(Uuid);

impl SyncId {
    /// A new id.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SyncId {
    type Err = HistoryError;

    fn from_str(text: &str) -> Result<Self, HistoryError> {
        text.parse().map(Self).map_err(|_| HistoryError::UnknownSync(text.to_owned()))
    }
}

/// How a sync ended, if it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SyncStatus {
    /// It has not ended.
    Running,
    /// Everything was done.
    Completed,
    /// The rest was done, but a record failed or was left in an unclear state.
    Partial,
    /// It did not reach its end.
    Failed,
    /// It was not allowed to write, and wrote nothing.
    Refused,
    /// It was cancelled.
    Cancelled,
    /// Its process ended before it did.
    Interrupted,
}

impl SyncStatus {
    const ALL: [Self; 7] = [
        Self::Running,
        Self::Completed,
        Self::Partial,
        Self::Failed,
        Self::Refused,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// The status as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for SyncStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Status> for SyncStatus {
    fn from(status: Status) -> Self {
        Self::of(&status.to_string()).unwrap_or(Self::Failed)
    }
}

/// What is known of a sync when it starts.
///
/// Nothing in it may be secret: `variables` are those of [`VariableValues::to_save`](diffsync_core::job::VariableValues::to_save).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSync {
    /// The job's id.
    pub job: String,
    /// The profile's name; a job without profiles has one of its own name.
    pub profile: String,
    /// The source's name.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// The direction of the job's records, such as `data_source`.
    pub kind: String,
    /// Whether it writes nothing.
    pub dry_run: bool,
    /// The job's variables with their values, without secrets.
    pub variables: Vec<(String, Vec<String>)>,
    /// The plan file that it applies, if it does.
    pub plan: Option<String>,
    /// Who or what started it.
    pub started_by: String,
    /// The host on which it runs.
    pub host: String,
    /// The version of the program.
    pub program: String,
}

/// The planned operations of a sync.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCounts {
    /// The sums over all models.
    pub total: Counts,
    /// The counts of each model.
    pub models: Vec<PlannedModel>,
}

/// The planned operations of one model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedModel {
    /// The model's name.
    pub model: String,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Counts,
}

/// A sync of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SavedSync {
    /// Its id.
    pub id: SyncId,
    /// The job's id.
    pub job: String,
    /// The profile's name.
    pub profile: String,
    /// The source's name.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// The direction of the job's records, such as `data_source`.
    pub kind: String,
    /// Whether it wrote nothing.
    pub dry_run: bool,
    /// The job's variables with their values, without secrets.
    pub variables: Vec<(String, Vec<String>)>,
    /// The plan file that it applied.
    pub plan: Option<String>,
    /// Who or what started it.
    pub started_by: String,
    /// The host on which it ran.
    pub host: String,
    /// The number of its process there.
    pub pid: u32,
    /// The version of the program.
    pub program: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub status: SyncStatus,
    /// Why it did not reach its end.
    pub error: Option<String>,
    /// The limits that it would have exceeded, or for which operations were held.
    pub breaches: Option<Json>,
    /// The planned operations, once the diff is calculated.
    pub planned: Option<PlannedCounts>,
    /// How the records ended, once it has.
    pub counts: Option<OutcomeCounts>,
    /// How many calls were retried.
    pub retries: u64,
    /// The steps with their durations and memory.
    pub steps: Vec<StepReport>,
    /// How many changes of its diff were recorded.
    pub changes: u64,
    /// How many log entries were recorded.
    pub entries: u64,
    /// How many log lines were recorded.
    pub lines: u64,
    /// How many changes, entries and lines could not be recorded.
    pub dropped: u64,
    /// The last record known to be done, if it was interrupted.
    pub last_record: Option<String>,
    /// When its changes, entries and lines were removed.
    pub pruned_at: Option<Timestamp>,
    /// Its position in the history.
    #[serde(skip)]
    pub(crate) no: i64,
}

impl SavedSync {
    /// How long it took, or has taken so far.
    #[must_use]
    pub fn duration(&self) -> jiff::SignedDuration {
        self.started_at.duration_until(self.ended_at.unwrap_or_else(now))
    }

    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let count = |column| Ok::<_, sqlx::Error>(row.integer(column)?.unsigned_abs());
        Ok(Self {
            id: row.parsed("id", |text| text.parse().ok())?,
            job: row.text("job")?,
            profile: row.text("profile")?,
            source: row.text("source")?,
            target: row.text("target")?,
            kind: row.text("kind")?,
            dry_run: row.flag("dry_run")?,
            variables: row.json("variables")?.unwrap_or_default(),
            plan: row.optional_text("plan")?,
            started_by: row.text("started_by")?,
            host: row.text("host")?,
            pid: u32::try_from(row.integer("pid")?).unwrap_or_default(),
            program: row.text("program")?,
            started_at: from_micros(row.integer("started_at")?),
            ended_at: row.optional_integer("ended_at")?.map(from_micros),
            status: row.parsed("status", SyncStatus::of)?,
            error: row.optional_text("error")?,
            breaches: row.json("breaches")?,
            planned: row.json("planned")?,
            counts: row.json("counts")?,
            retries: count("retries")?,
            steps: Vec::new(),
            changes: count("changes")?,
            entries: count("entries")?,
            lines: count("lines")?,
            dropped: count("dropped")?,
            last_record: row.optional_text("last_record")?,
            pruned_at: row.optional_integer("pruned_at")?.map(from_micros),
            no: row.integer("no")?,
        })
    }
}

/// Which syncs are wanted; all without a condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncFilter {
    /// Syncs of this job.
    pub job: Option<String>,
    /// Syncs of this profile.
    pub profile: Option<String>,
    /// Syncs with this source.
    pub source: Option<String>,
    /// Syncs with this target.
    pub target: Option<String>,
    /// Syncs with one of these statuses.
    pub status: Vec<SyncStatus>,
    /// Only dry runs, or only real ones.
    pub dry_run: Option<bool>,
    /// Syncs that this user or schedule started.
    pub started_by: Option<String>,
    /// Syncs that began at this time or later.
    pub from: Option<Timestamp>,
    /// Syncs that began before this time.
    pub to: Option<Timestamp>,
    /// Syncs whose job, profile, source, target or error contains this text.
    pub text: Option<String>,
}

impl History {
    /// Records that a sync has begun, and returns its position.
    pub(crate) async fn begin(&self, id: SyncId, sync: &NewSync) -> Result<i64, HistoryError> {
        let NewSync { job, profile, source, target, kind, dry_run, variables, plan, started_by, host, program } = sync;
        let text = |text: &str| Value::from(clean(text.to_owned()));
        let sql = format!(
            "INSERT INTO history_sync (id, job, profile, source, target, kind, dry_run, variables, plan, started_by, host, \
             program, pid, started_at, heartbeat_at, status) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, {}, 'running') RETURNING no",
            self.dialect().now,
        );
        let values = vec![
            id.to_string().into(),
            text(job),
            text(profile),
            text(source),
            text(target),
            text(kind),
            (*dry_run).into(),
            serde_json::to_string(variables).unwrap_or_default().into(),
            plan.clone().map(clean).into(),
            text(started_by),
            text(host),
            text(program),
            i64::from(std::process::id()).into(),
            now().as_microsecond().into(),
        ];
        let numbers = self.fetch("record the start of a sync", &sql, values, |row| row.integer("no")).await?;
        numbers.first().copied().ok_or_else(|| self.error("record the start of a sync", sqlx::Error::RowNotFound))
    }

    /// Syncs, the newest first.
    ///
    /// # Errors
    ///
    /// If the history cannot be read.
    pub async fn syncs(&self, filter: &SyncFilter, request: PageRequest) -> Result<Page<SavedSync>, HistoryError> {
        let after = request.after.map_or(i64::MAX, |cursor| cursor.0);
        let mut query = Query::new("SELECT * FROM history_sync WHERE no < ?", after);
        query.and_if("job = ?", filter.job.clone());
        query.and_if("profile = ?", filter.profile.clone());
        query.and_if("source = ?", filter.source.clone());
        query.and_if("target = ?", filter.target.clone());
        query.and_any("status", filter.status.iter().map(ToString::to_string));
        query.and_if("dry_run = ?", filter.dry_run);
        query.and_if("started_by = ?", filter.started_by.clone());
        query.and_if("started_at >= ?", filter.from.map(Timestamp::as_microsecond));
        query.and_if("started_at < ?", filter.to.map(Timestamp::as_microsecond));
        query.and_contains(&["job", "profile", "source", "target", "coalesce(error, '')"], filter.text.as_deref());
        query.page("no DESC", request);

        let mut syncs = self.fetch("list the syncs", &query.sql, query.values, SavedSync::read).await?;
        if let (Some(first), Some(last)) = (syncs.last(), syncs.first()) {
            for (no, step) in self.steps(first.no, last.no).await? {
                if let Some(sync) = syncs.iter_mut().find(|sync| sync.no == no) {
                    sync.steps.push(step);
                }
            }
        }
        Ok(Page::of(syncs.into_iter().map(|sync| (sync.no, sync)).collect(), request))
    }

    /// A sync by its id, or by the beginning of its id if no other sync's begins so; `last` is the newest.
    ///
    /// # Errors
    ///
    /// If there is no such sync or more than one, or the history cannot be read.
    pub async fn sync(&self, name: &str) -> Result<SavedSync, HistoryError> {
        let (condition, value) = match name {
            "" => return Err(HistoryError::UnknownSync(String::new())),
            "last" => ("no > ?", Value::from(0)),
            _ => ("substr(id, 1, length(?)) = ?", Value::from(name.to_lowercase())),
        };
        let sql = format!("SELECT * FROM history_sync WHERE {} ORDER BY no DESC LIMIT 2", condition.replace('?', "$1"));
        let mut found = self.fetch("find a sync", &sql, vec![value], SavedSync::read).await?;

        let is_ambiguous = found.len() > 1 && name != "last";
        match found.drain(..).next() {
            Some(sync) if is_ambiguous && sync.id.to_string() != name => {
                Err(HistoryError::AmbiguousSync(name.to_owned()))
            }
            Some(mut sync) => {
                sync.steps = self.steps(sync.no, sync.no).await?.into_iter().map(|(_, step)| step).collect();
                Ok(sync)
            }
            None => Err(HistoryError::UnknownSync(name.to_owned())),
        }
    }

    /// The position of a sync.
    pub(crate) async fn number(&self, id: SyncId) -> Result<i64, HistoryError> {
        let sql = "SELECT no FROM history_sync WHERE id = $1";
        let found = self.fetch("find a sync", sql, vec![id.to_string().into()], |row| row.integer("no")).await?;
        found.first().copied().ok_or_else(|| HistoryError::UnknownSync(id.to_string()))
    }
}

/// A text without NUL, which no database holds.
pub(crate) fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

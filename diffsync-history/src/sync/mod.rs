//! Syncs: one row for each run.

mod id;
mod list;
mod status;

pub use self::id::SyncId;
pub use self::list::SyncFilter;
pub use self::status::SyncStatus;

use diffsync_core::plan::{Counts, OutcomeCounts};
use diffsync_core::report::StepReport;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::database::Row;
use crate::time::{from_micros, now};

/// What is known of a sync when it starts.
///
/// Nothing in it may be secret: `variables` are those of [`VariableValues::to_save`](diffsync_core::job::VariableValues::to_save).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSync {
    /// The job's id.
    pub job: String,
    /// The profile's name; nothing for the job by itself, which the database holds as a profile of the job's name.
    pub profile: Option<String>,
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
    /// The profile's name; nothing for the job by itself.
    pub profile: Option<String>,
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
        let (job, profile) = (row.text("job")?, row.text("profile")?);
        Ok(Self {
            id: row.parsed("id", |text| text.parse().ok())?,
            profile: Some(profile).filter(|profile| *profile != job),
            job,
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
            status: row.parsed("status", SyncStatus::named)?,
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

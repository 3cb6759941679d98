//! Lists of syncs, and their beginning.

use jiff::Timestamp;

use super::{NewSync, SavedSync, SyncId, SyncStatus};
use crate::database::{Value, clean};
use crate::error::HistoryError;
use crate::page::{Page, PageRequest, Query};
use crate::store::History;
use crate::time::now;

/// Which syncs are wanted; all without a condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncFilter {
    /// Syncs of this job.
    pub job: Option<String>,
    /// Syncs of this profile; those of jobs by themselves have the name of their job.
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
    /// The oldest first, instead of the newest. A cursor is of the order in which its page was read.
    pub oldest_first: bool,
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
            text(profile.as_ref().unwrap_or(job)),
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

    /// Syncs, the newest first unless the filter says otherwise.
    ///
    /// # Errors
    ///
    /// If the history cannot be read.
    pub async fn syncs(&self, filter: &SyncFilter, request: PageRequest) -> Result<Page<SavedSync>, HistoryError> {
        let (by_index, condition) = if filter.status == [SyncStatus::Running] {
            // A partial index is used only where the query contains its condition.
            ((self.dialect().use_index)("history_sync_running"), "status = 'running' AND ")
        } else {
            (String::new(), "")
        };
        let (comparison, order, first) =
            if filter.oldest_first { (">", "no", i64::MIN) } else { ("<", "no DESC", i64::MAX) };

        let mut query = Query::new(
            &format!("SELECT * FROM history_sync{by_index} WHERE {condition}no {comparison} ?"),
            request.after.map_or(first, |cursor| cursor.0),
        );
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
        query.page(order, request);

        let mut syncs = self.fetch("list the syncs", &query.sql, query.values, SavedSync::read).await?;
        if let (Some(first), Some(last)) = (syncs.first(), syncs.last()) {
            for (no, step) in self.steps(first.no.min(last.no), first.no.max(last.no)).await? {
                if let Some(sync) = syncs.iter_mut().find(|sync| sync.no == no) {
                    sync.steps.push(step);
                }
            }
        }
        Ok(Page::of(syncs.into_iter().map(|sync| (sync.no, sync)).collect(), request))
    }

    /// The jobs that have syncs, each with the profiles of its syncs; a job by itself has a profile of its own name.
    ///
    /// # Errors
    ///
    /// If the history cannot be read.
    pub async fn jobs(&self) -> Result<Vec<(String, String)>, HistoryError> {
        let sql = "SELECT DISTINCT job, profile FROM history_sync ORDER BY job, profile";
        self.fetch("list the jobs", sql, Vec::new(), |row| Ok((row.text("job")?, row.text("profile")?))).await
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

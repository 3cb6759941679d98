//! Pruning: removing the details of old syncs. Their rows, with all counts and steps, stay.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

#[cfg(feature = "sqlite")]
use crate::database::Connection;
use crate::database::{Row, Vacuum, Value};
use crate::error::{HistoryError, PRUNE};
use crate::page::Query;
use crate::store::History;
use crate::sync::SyncId;
use crate::time::{micros, now};

/// How many rows are removed at a time, so that other programs wait only a moment.
const CHUNK: i64 = 5_000;

/// A pause between two chunks, in which another program that waits gets its turn.
const PAUSE: Duration = Duration::from_millis(5);

/// How often a history is pruned without being asked.
const INTERVAL: Duration = Duration::from_hours(24);

/// For how long no other program does so meanwhile.
const ATTEMPT: Duration = Duration::from_mins(1);

/// The tables of details, entries before the changes that they refer to.
const TABLES: [&str; 3] = [ENTRIES, "history_change", "history_line"];

const ENTRIES: &str = "history_entry";

/// Which syncs keep their changes, log entries and log lines.
///
/// A sync keeps them if it is one of the newest of its job, or newer than a time. By default, these are the last 100 syncs
/// of a job, and those of the last 90 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// How many of the newest syncs of each job keep them.
    pub keep_last: u32,
    /// Syncs that began after this time keep them.
    pub keep_after: Timestamp,
    /// Only syncs of this job lose theirs.
    pub job: Option<String>,
}

impl Default for Retention {
    fn default() -> Self {
        Self::new(100, Duration::from_hours(90 * 24))
    }
}

impl Retention {
    /// Keeps the details of this many syncs of each job, and of all that are not older than this.
    #[must_use]
    pub fn new(keep_last: u32, older_than: Duration) -> Self {
        let keep_after = now().checked_sub(older_than).unwrap_or(Timestamp::MIN);
        Self { keep_last, keep_after, job: None }
    }

    /// Only for the syncs of one job.
    #[must_use]
    pub fn of_job(mut self, job: impl Into<String>) -> Self {
        self.job = Some(job.into());
        self
    }
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// The syncs that lost their details.
    pub syncs: Vec<SyncId>,
    /// How many changes, log entries and log lines were removed.
    pub rows: u64,
}

impl History {
    /// Removes the details of old syncs, and gives their space back.
    ///
    /// This is done in many short steps, so other programs can read and write meanwhile. If it is cut short, the next call
    /// continues.
    ///
    /// # Errors
    ///
    /// If the history cannot be written.
    pub async fn prune(&self, retention: &Retention) -> Result<Pruned, HistoryError> {
        let (pruned, _) = self.prune_until(retention, None).await?;
        if pruned.rows > 0 {
            self.vacuum(None).await?;
        }
        Ok(pruned)
    }

    /// Does the same as [`prune`](Self::prune), but at most once a day for each history, and for no longer than this. What is left
    /// then is done by the next call. Programs call it after a run.
    ///
    /// # Errors
    ///
    /// If the history cannot be written.
    pub async fn prune_if_due(&self, retention: &Retention, limit: Duration) -> Result<Pruned, HistoryError> {
        // Each step is short, unless another program has locked the history; then it is dropped, and the next call is in a minute.
        let deadline = Instant::now() + limit / 2;
        match tokio::time::timeout(limit, self.prune_when_due(retention, deadline)).await {
            Ok(pruned) => pruned,
            Err(_) => Ok(Pruned::default()),
        }
    }

    async fn prune_when_due(&self, retention: &Retention, deadline: Instant) -> Result<Pruned, HistoryError> {
        if !self.is_pruning_due().await? {
            return Ok(Pruned::default());
        }

        let (pruned, is_whole) = self.prune_until(retention, Some(deadline)).await?;
        let next = if is_whole { micros(INTERVAL) } else { 0 };
        let put_off = format!("UPDATE history_lease SET expires_at = {} + $2 WHERE name = $1", self.dialect().now);
        self.execute(PRUNE, &put_off, vec![PRUNE.into(), next.into()]).await?;
        if pruned.rows > 0 {
            self.vacuum(Some(deadline)).await?;
        }
        Ok(pruned)
    }

    /// Whether the last pruning is a day ago. If it is, this program has a minute for the next one. Both are the end of a lease, so
    /// that of many programs one prunes.
    async fn is_pruning_due(&self) -> Result<bool, HistoryError> {
        let now = self.dialect().now;
        let due = format!("SELECT name FROM history_lease WHERE name = $1 AND expires_at > {now}");
        let found = self.fetch(PRUNE, &due, vec![PRUNE.into()], |row| row.text("name")).await?;
        // Usually it is not, and then nothing is written.
        if !found.is_empty() {
            return Ok(false);
        }

        let take = format!(
            "INSERT INTO history_lease (name, sync_id, host, pid, place, taken_at, expires_at) \
             VALUES ($1, $2, '', $3, '', {now}, {now} + $4) ON CONFLICT (name) DO UPDATE SET sync_id = excluded.sync_id, \
             pid = excluded.pid, taken_at = excluded.taken_at, expires_at = excluded.expires_at \
             WHERE history_lease.expires_at <= {now}"
        );
        let (sync, pid) = (SyncId::new().to_string(), i64::from(std::process::id()));
        let values = vec![PRUNE.into(), sync.into(), pid.into(), micros(ATTEMPT).into()];
        Ok(self.execute(PRUNE, &take, values).await? > 0)
    }

    /// Removes details until a time, and returns whether that is all.
    async fn prune_until(
        &self,
        retention: &Retention,
        deadline: Option<Instant>,
    ) -> Result<(Pruned, bool), HistoryError> {
        let mut pruned = Pruned::default();
        for (no, id) in self.outdated(retention).await? {
            for table in TABLES {
                let (rows, is_whole) = self.remove_details(table, no, deadline).await?;
                pruned.rows += rows;
                if !is_whole {
                    return Ok((pruned, false));
                }
            }
            let mark = "UPDATE history_sync SET pruned_at = $1 WHERE no = $2";
            self.execute(PRUNE, mark, vec![now().as_microsecond().into(), no.into()]).await?;
            pruned.syncs.push(id);
        }
        Ok((pruned, true))
    }

    /// The syncs that lose their details, the oldest first.
    async fn outdated(&self, retention: &Retention) -> Result<Vec<(i64, SyncId)>, HistoryError> {
        let mut query = Query::new(
            "SELECT no, id FROM (SELECT no, id, job, status, started_at, pruned_at, \
             row_number() OVER (PARTITION BY job ORDER BY no DESC) AS place FROM history_sync) AS ranked \
             WHERE pruned_at IS NULL AND status <> 'running' AND place > ?",
            i64::from(retention.keep_last),
        );
        query.and("started_at < ?", retention.keep_after.as_microsecond());
        query.and_if("job = ?", retention.job.clone());
        query.sql += " ORDER BY no";
        let read = |row: &Row| Ok((row.integer("no")?, row.parsed("id", |text| text.parse().ok())?));
        self.fetch(PRUNE, &query.sql, query.values, read).await
    }

    /// Removes the rows of a sync from a table until a time, and returns how many it removed, and whether these are all.
    async fn remove_details(
        &self,
        table: &str,
        no: i64,
        deadline: Option<Instant>,
    ) -> Result<(u64, bool), HistoryError> {
        let bounds = format!("SELECT min(seq) AS first, max(seq) AS last FROM {table} WHERE sync_no = $1");
        let read = |row: &Row| Ok(row.optional_integer("first")?.zip(row.optional_integer("last")?));
        let bounds = self.fetch(PRUNE, &bounds, vec![no.into()], read).await?;
        let Some((first, last)) = bounds.first().copied().flatten() else { return Ok((0, true)) };

        // With a lower bound, PostgreSQL does not look again at the rows that are removed already.
        let chunk = format!("FROM {table} WHERE sync_no = $1 AND seq >= $2 AND seq < $3");
        // A row may stand for several entries.
        let counted = if table == ENTRIES { "coalesce(sum(count), 0)" } else { "count(*)" };
        let (count, remove) = (format!("SELECT CAST({counted} AS BIGINT) AS count {chunk}"), format!("DELETE {chunk}"));
        let mut removed = 0;
        let mut next = first;
        while next <= last {
            let chunk = vec![no.into(), Value::from(next), Value::from(next + CHUNK)];
            let count = self.fetch(PRUNE, &count, chunk.clone(), |row| row.integer("count")).await?;
            self.execute(PRUNE, &remove, chunk).await?;
            removed += count.into_iter().sum::<i64>().unsigned_abs();
            next += CHUNK;
            // Not before the first, so that there is progress on any machine.
            if is_over(deadline) && next <= last {
                return Ok((removed, false));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok((removed, true))
    }

    /// Reclaims the space of removed rows. With a deadline, only as far as that takes no long statement: new rows use the rest.
    async fn vacuum(&self, deadline: Option<Instant>) -> Result<(), HistoryError> {
        let failed = |error| self.error("give space back", error);
        let mut connection = self.connection("give space back").await?;
        match self.dialect().vacuum {
            // The server does it by itself, a little later.
            #[cfg(feature = "postgres")]
            Vacuum::Once(_) if deadline.is_some() => Ok(()),
            #[cfg(feature = "postgres")]
            Vacuum::Once(statement) => connection.run(statement).await.map_err(failed),
            #[cfg(feature = "sqlite")]
            Vacuum::Steps { step, free, end } => {
                let mut before = i64::MAX;
                loop {
                    let pages = free_pages(&mut connection, free).await.map_err(failed)?;
                    // A file that was made by another program may keep its free pages.
                    if pages == 0 || pages >= before {
                        break;
                    }
                    before = pages;
                    if is_over(deadline) {
                        break;
                    }
                    connection.run(step).await.map_err(failed)?;
                    tokio::time::sleep(PAUSE).await;
                }
                // With a reader the file shrinks later.
                if deadline.is_none() { connection.run(end).await.map_err(failed) } else { Ok(()) }
            }
        }
    }
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

#[cfg(feature = "sqlite")]
async fn free_pages(connection: &mut Connection, sql: &str) -> Result<i64, sqlx::Error> {
    let rows = connection.fetch(sql, Vec::new()).await?;
    rows.first().map_or(Ok(0), |row| row.integer("pages"))
}

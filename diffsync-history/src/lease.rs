//! Leases: what keeps two runs from doing the same at the same time, on one host or several.
//!
//! A lease is a row with a time at which it ends unless it is renewed, so the lease of a run that was killed ends by itself.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use crate::database::{Row, Statement, Value};
use crate::error::HistoryError;
use crate::process;
use crate::store::History;
use crate::sync::SyncId;
use crate::time::{from_micros, micros};

/// How long a lease is valid without being renewed.
pub(crate) const VALIDITY: Duration = Duration::from_secs(30);

/// How often it is renewed.
pub(crate) const RENEWAL: Duration = Duration::from_secs(10);

/// Marks syncs as interrupted, with the last record known to be done.
const INTERRUPT: &str = "UPDATE history_sync SET status = 'interrupted', ended_at = heartbeat_at, last_record = ( \
     SELECT coalesce(e.model, c.model) || ' ' || coalesce(e.record, c.record) FROM history_entry AS e \
     LEFT JOIN history_change AS c ON c.sync_no = e.sync_no AND c.seq = e.change_seq \
     WHERE e.sync_no = history_sync.no AND e.status IN ('created', 'updated', 'deleted', 'cascaded') ORDER BY e.seq DESC LIMIT 1)";

/// What a lease is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseName(String);

impl LeaseName {
    /// The runs of a job with a profile. A run without a profile has that of its job's name.
    #[must_use]
    pub fn job(job: &str, profile: &str) -> Self {
        // A job is not named twice in an error.
        if job == profile { Self(format!("job:{job}")) } else { Self(format!("job:{job}@{profile}")) }
    }

    /// The runs that write to a target, such as a database or a file. Its name must not contain a secret.
    #[must_use]
    pub fn target(resource: &str) -> Self {
        Self(format!("target:{resource}"))
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A lease was not granted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Another run has it.
    #[error(
        "`{name}` is in use by sync {by}, which is process {pid} on {host} and began at {since}; wait until it ends, or cancel \
         it there. If it was killed on another host, its lease ends within 30 seconds"
    )]
    Held {
        /// What the lease is for.
        name: LeaseName,
        /// The sync that has it.
        by: SyncId,
        /// Its host.
        host: String,
        /// Its process there.
        pid: u32,
        /// When it took the lease.
        since: Timestamp,
    },
    /// The history cannot be written.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// The leases of one run. They end when they are released, or 30 seconds after they were last renewed.
#[derive(Debug, Clone)]
pub struct Lease {
    sync: SyncId,
    /// What they are for. A run takes that of its target once it knows the target.
    names: Arc<Mutex<HashSet<LeaseName>>>,
    /// The process that does the work of the run, if it is a child.
    child: Arc<OnceLock<u32>>,
}

impl Lease {
    fn names(&self) -> MutexGuard<'_, HashSet<LeaseName>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sync that has them.
    #[must_use]
    pub fn sync(&self) -> SyncId {
        self.sync
    }

    /// The statement that releases them.
    pub(crate) fn release(&self) -> Statement {
        Statement::new("DELETE FROM history_lease WHERE sync_id = $1", vec![self.sync.to_string().into()])
    }
}

impl History {
    /// Takes leases for a run, all of them or none. [`Recorder::start`](crate::Recorder::start) does so, and renews them; without
    /// it they end after 30 seconds.
    ///
    /// # Errors
    ///
    /// If another run has one of them, or the history cannot be written.
    pub async fn take_leases(&self, sync: SyncId, host: &str, names: &[LeaseName]) -> Result<Lease, LeaseError> {
        let lease = Lease { sync, names: Arc::default(), child: Arc::default() };
        for name in names {
            if let Err(error) = self.take_also(&lease, host, name).await {
                // What is left of them ends by itself, and must not hide who has the lease.
                let _ = self.release(&lease).await;
                return Err(error);
            }
        }
        Ok(lease)
    }

    /// Takes one more lease for a run.
    pub(crate) async fn take_also(&self, lease: &Lease, host: &str, name: &LeaseName) -> Result<(), LeaseError> {
        self.take(lease, host, name).await?;
        lease.names().insert(name.clone());
        Ok(())
    }

    /// Keeps the leases of a run for as long as its child works, should the process of the run be killed.
    pub(crate) async fn keep_for(&self, lease: &Lease, child: u32) -> Result<(), HistoryError> {
        let child = *lease.child.get_or_init(|| child);
        let sql = "UPDATE history_lease SET place = $2 WHERE sync_id = $1";
        let values = vec![lease.sync.to_string().into(), process::place_with(Some(child)).into()];
        self.execute("note the child of a run in its leases", sql, values).await.map(drop)
    }

    async fn take(&self, lease: &Lease, host: &str, name: &LeaseName) -> Result<(), LeaseError> {
        let doing = "take a lease";
        let now = self.dialect().now;
        let take = format!(
            "INSERT INTO history_lease (name, sync_id, host, pid, place, taken_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, {now}, {now} + $6) ON CONFLICT (name) DO UPDATE SET sync_id = excluded.sync_id, \
             host = excluded.host, pid = excluded.pid, place = excluded.place, taken_at = excluded.taken_at, expires_at = excluded.expires_at \
             WHERE history_lease.expires_at <= {now} OR history_lease.sync_id = excluded.sync_id"
        );
        let values: Vec<Value> = vec![
            name.to_string().into(),
            lease.sync.to_string().into(),
            host.into(),
            i64::from(std::process::id()).into(),
            process::place_with(lease.child.get().copied()).into(),
            micros(VALIDITY).into(),
        ];
        let held = |row: &Row| {
            let holder = LeaseError::Held {
                name: name.clone(),
                by: row.parsed("sync_id", |text| text.parse().ok())?,
                host: row.text("host")?,
                pid: u32::try_from(row.integer("pid")?).unwrap_or_default(),
                since: from_micros(row.integer("taken_at")?),
            };
            Ok((holder, row.text("place")?))
        };

        loop {
            if self.execute(doing, &take, values.clone()).await? > 0 {
                return Ok(());
            }
            let sql = "SELECT * FROM history_lease WHERE name = $1";
            let Some((holder, place)) = self.fetch(doing, sql, vec![name.to_string().into()], held).await?.pop() else {
                // It was released between the two statements.
                continue;
            };

            match holder {
                // A process that was killed need not be waited for.
                LeaseError::Held { by, pid, .. } if process::has_ended(&place, pid) => {
                    let end = "DELETE FROM history_lease WHERE sync_id = $1";
                    self.execute(doing, end, vec![by.to_string().into()]).await?;
                    self.mark_ended(by).await?;
                }
                _ => return Err(holder),
            }
        }
    }

    /// Renews the leases of a run, and shows that it is alive.
    ///
    /// # Errors
    ///
    /// If one of them was lost, or the history cannot be written.
    pub(crate) async fn renew(&self, lease: &Lease) -> Result<(), HistoryError> {
        // Counted before the renewal, since one that is taken meanwhile is not renewed yet.
        let names = lease.names().len() as u64;
        let (doing, now) = ("renew a lease", self.dialect().now);
        let sync = || Value::from(lease.sync.to_string());

        let renew = format!("UPDATE history_lease SET expires_at = {now} + $2 WHERE sync_id = $1");
        let renewed = self.execute(doing, &renew, vec![sync(), micros(VALIDITY).into()]).await?;

        // A run stays interrupted once another program has marked it, even if its lease was not taken.
        let beat = format!("UPDATE history_sync SET heartbeat_at = {now} WHERE id = $1 AND status = 'running'");
        let is_alive = self.execute(doing, &beat, vec![sync()]).await? > 0;

        if renewed < names || !is_alive {
            return Err(HistoryError::LeaseLost(self.url().clone()));
        }
        Ok(())
    }

    /// Releases the leases of a run.
    ///
    /// # Errors
    ///
    /// If the history cannot be written.
    pub async fn release(&self, lease: &Lease) -> Result<(), HistoryError> {
        let Statement { sql, values } = lease.release();
        self.execute("release a lease", &sql, values).await.map(drop)
    }

    /// Marks the syncs as interrupted whose process has not shown for 30 seconds that it is alive, with the last record known
    /// to be done, and returns them. Call it before reading the history, and before a run.
    ///
    /// # Errors
    ///
    /// If the history cannot be written.
    pub async fn mark_interrupted(&self) -> Result<Vec<SyncId>, HistoryError> {
        let (doing, now) = ("mark interrupted syncs", self.dialect().now);
        let overdue = format!("status = 'running' AND heartbeat_at < {now} - $1");

        // Usually no sync is overdue, and then nothing is written.
        let any = format!("SELECT id FROM history_sync WHERE {overdue} LIMIT 1");
        let id = |row: &Row| row.parsed("id", |text| text.parse().ok());
        if self.fetch(doing, &any, vec![micros(VALIDITY).into()], id).await?.is_empty() {
            return Ok(Vec::new());
        }

        let mark = format!("{INTERRUPT} WHERE {overdue} RETURNING id");
        let marked = self.fetch(doing, &mark, vec![micros(VALIDITY).into()], id).await?;
        self.execute(doing, &format!("DELETE FROM history_lease WHERE expires_at < {now}"), Vec::new()).await?;
        Ok(marked)
    }

    /// Marks a sync as interrupted whose process has ended.
    async fn mark_ended(&self, sync: SyncId) -> Result<(), HistoryError> {
        let mark = format!("{INTERRUPT} WHERE status = 'running' AND id = $1");
        self.execute("mark interrupted syncs", &mark, vec![sync.to_string().into()]).await.map(drop)
    }
}

//! Removing the details of old syncs.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use diffsync_history::{
    ChangeFilter, History, HistoryUrl, LogEntryFilter, PageRequest, Retention, SavedSync, SyncFilter,
};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;

use crate::databases::{Kind, block_on, on_each};
use crate::world::{Records, job, options};

async fn syncs(history: &History, count: usize) -> Vec<SavedSync> {
    for _ in 0..count {
        job(Records::new(2, 2), Records::default()).recorded(history, options()).await;
    }
    history.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap().items
}

/// Keeps the newest, however old they are.
fn keep_last(count: u32) -> Retention {
    Retention::new(count, Duration::ZERO)
}

#[test]
fn a_pruned_sync_loses_its_details_and_keeps_its_counts() {
    on_each(|database| async move {
        let history = database.open().await;
        let before = syncs(&history, 3).await;
        let pruned = history.prune(&keep_last(1)).await.unwrap();
        assert_eq!(pruned.syncs, [before[2].id, before[1].id]);
        assert_eq!(pruned.rows, 2 * 12);

        let after = history.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap().items;
        assert_eq!(after[0], before[0]);
        for (after, before) in after.into_iter().zip(&before).skip(1) {
            assert!(after.pruned_at.is_some());
            let mut unpruned = after.clone();
            unpruned.pruned_at = None;
            assert_eq!(unpruned, *before);
            let changes = history.changes(after.id, &ChangeFilter::default(), PageRequest::default()).await.unwrap();
            let entries = history.entries(after.id, &LogEntryFilter::default(), PageRequest::default()).await.unwrap();
            assert_eq!((changes.items.len(), entries.items.len()), (0, 0));
        }
        assert_eq!(history.prune(&keep_last(1)).await.unwrap(), diffsync_history::Pruned::default());
    });
}

#[test]
fn a_sync_is_kept_if_it_is_one_of_the_newest_or_not_old() {
    on_each(|database| async move {
        let history = database.open().await;
        let syncs = syncs(&history, 3).await;
        assert_eq!(history.prune(&Retention::default()).await.unwrap().syncs, []);
        assert_eq!(history.prune(&Retention::new(0, Duration::from_hours(1))).await.unwrap().syncs, []);
        assert_eq!(history.prune(&keep_last(0).of_job("other")).await.unwrap().syncs, []);
        assert_eq!(history.prune(&keep_last(2).of_job("sync-sites")).await.unwrap().syncs, [syncs[2].id]);
    });
}

#[test]
fn the_space_of_pruned_syncs_is_given_back() {
    on_each(|database| async move {
        let history = database.open().await;
        job(Records::new(20, 1_000), Records::default()).recorded(&history, options()).await;
        let size = || async {
            match database.kind {
                Kind::Sqlite => {
                    let files = std::fs::read_dir(database.folder.as_ref().unwrap().path()).unwrap();
                    let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
                    i64::try_from(sizes.sum::<u64>()).unwrap()
                }
                Kind::Postgres => {
                    database
                        .numbers("SELECT pg_relation_size('history_change') + pg_relation_size('history_entry')")
                        .await[0]
                }
            }
        };
        let before = size().await;
        history.prune(&keep_last(0)).await.unwrap();
        let after = size().await;
        assert!(after < before / 4, "{after} of {before} bytes are left");
    });
}

#[test]
fn others_read_and_write_while_a_history_is_pruned() {
    on_each(|database| async move {
        let history = database.open().await;
        let (_, large) = job(Records::new(20, 2_000), Records::default()).recorded(&history, options()).await;
        let pruning = tokio::spawn({
            let history = history.clone();
            async move { history.prune(&keep_last(0)).await }
        });
        let mut slowest = Duration::ZERO;
        while !pruning.is_finished() {
            let begun = std::time::Instant::now();
            history.changes(large.id, &ChangeFilter::default(), PageRequest::default()).await.unwrap();
            history.take_leases(diffsync_history::SyncId::new(), "host-1", &[]).await.unwrap();
            database.run("UPDATE history_sync SET retries = 7").await;
            slowest = slowest.max(begun.elapsed());
        }
        assert_eq!(pruning.await.unwrap().unwrap().rows, 2 * 40_020);
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        assert_eq!(history.sync("last").await.unwrap().retries, 7);
    });
}

/// For longer than a test takes.
const LONG: Duration = Duration::from_mins(1);

#[test]
fn a_history_prunes_itself_once_a_day() {
    on_each(|database| async move {
        let history = database.open().await;
        let before = syncs(&history, 2).await;
        let pruned = history.prune_if_due(&keep_last(1), LONG).await.unwrap();
        assert_eq!((pruned.syncs, pruned.rows), (vec![before[1].id], 12));

        syncs(&history, 1).await;
        assert_eq!(history.prune_if_due(&keep_last(1), LONG).await.unwrap(), diffsync_history::Pruned::default());
        // That others mark what was killed changes nothing.
        history.mark_interrupted().await.unwrap();
        assert_eq!(history.prune_if_due(&keep_last(1), LONG).await.unwrap().rows, 0);

        database.run("UPDATE history_lease SET expires_at = expires_at - 86400000000").await;
        assert_eq!(history.prune_if_due(&keep_last(1), LONG).await.unwrap().syncs, [before[0].id]);
    });
}

#[test]
fn a_history_that_prunes_itself_stops_in_time_and_goes_on_later() {
    on_each(|database| async move {
        let history = database.open().await;
        let (_, large) = job(Records::new(20, 2_000), Records::default()).recorded(&history, options()).await;
        let begun = std::time::Instant::now();
        let first = history.prune_if_due(&keep_last(0), Duration::from_millis(200)).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!((first.syncs, large.changes), (vec![], 40_020));
        while history.sync("last").await.unwrap().pruned_at.is_none() {
            // On a slow machine, an attempt that was dropped counts for a minute.
            database.run("UPDATE history_lease SET expires_at = expires_at - 60000000").await;
            history.prune_if_due(&keep_last(0), Duration::from_millis(200)).await.unwrap();
            assert!(begun.elapsed() < LONG);
        }
        let left = "SELECT count(*) FROM history_change UNION ALL SELECT count(*) FROM history_entry";
        assert_eq!(database.numbers(left).await, [0, 0]);
    });
}

#[test]
fn a_history_that_another_program_has_locked_does_not_delay_the_end_of_a_run() {
    on_each(|database| async move {
        if database.kind == Kind::Postgres {
            return;
        }
        let history = database.open().await;
        syncs(&history, 2).await;
        let mut other = SqliteConnection::connect(&database.text).await.unwrap();
        other.execute(sqlx::raw_sql("BEGIN IMMEDIATE")).await.unwrap();
        let begun = std::time::Instant::now();
        let pruned = history.prune_if_due(&keep_last(0), Duration::from_millis(500)).await.unwrap();
        assert_eq!(pruned.rows, 0);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    });
}

/// A small disk, or none where it cannot be mounted.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        let is_mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !is_mounted {
            // Straight to the terminal: what a test that passes prints is not shown.
            let notice =
                "\n*** SKIPPED: what needs a full disk, since no tmpfs can be mounted here (it needs root).\n\n";
            std::io::stderr().write_all(notice.as_bytes()).ok();
        }
        is_mounted.then_some(Self(folder))
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.path().join("filler")).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

#[test]
fn a_full_disk_cannot_be_pruned_and_the_error_says_what_to_do() {
    let Some(disk) = SmallDisk::new("64m") else { return };
    block_on(async {
        let url = HistoryUrl::file(disk.0.path().join("history.db"));
        let history = History::open(&url).await.unwrap();
        job(Records::new(20, 500), Records::default()).recorded(&history, options()).await;
        history.close().await;
        disk.fill();

        let error = match History::open(&url).await {
            Ok(history) => history.prune(&keep_last(0)).await.unwrap_err(),
            Err(error) => error,
        };
        let error = error.to_string();
        assert!(error.contains("the disk of the history") && error.contains("is full; "), "{error}");
        assert!(error.contains("room"), "{error}");

        // It says what helps.
        std::fs::remove_file(disk.0.path().join("filler")).unwrap();
        let history = History::open(&url).await.unwrap();
        assert_eq!(history.prune(&keep_last(0)).await.unwrap().rows, 2 * 10_020);
        history.close().await;
    });
}

//! What happens to a run whose history cannot be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diffsync_core::report::Status;
use diffsync_history::{HistoryPolicy, Recorder, RecorderOptions, SyncStatus};

use crate::databases::{Database, Kind, on_each};
use crate::world::{Records, job, new_sync, options};

/// Changes cannot be recorded any more, and everything else can.
const BREAK: &str = "ALTER TABLE history_change RENAME TO history_change_away";

/// Runs with a history that breaks before the diff is recorded; the report, what was written, and the error.
async fn broken(database: &Database, policy: HistoryPolicy) -> (Status, usize, Option<String>) {
    let history = database.open().await;
    let options = options();
    let cancellation = options.cancellation.clone();
    let recording = RecorderOptions { policy, cancellation, ..RecorderOptions::default() };
    let recorder = Arc::new(Recorder::start(&history, &new_sync(), recording).await.unwrap());
    database.run(BREAK).await;

    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let job = job(Records::new(3, 10), Records::default()).on_write(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let report = job.run(options, vec![recorder.clone()]).await;
    let error = recorder.finish().await.err().map(|error| error.to_string());
    (report.status, written.load(Ordering::Relaxed), error)
}

#[test]
fn a_run_that_requires_a_history_writes_nothing_without_it() {
    on_each(|database| async move {
        let (status, written, error) = broken(&database, HistoryPolicy::Required).await;
        assert_eq!((status, written), (Status::Cancelled, 0));
        let error = error.unwrap();
        assert!(error.starts_with("cannot record a run: the history"), "{error}");
        let sync = database.open().await.sync("last").await.unwrap();
        assert_eq!((sync.status, sync.changes, sync.dropped), (SyncStatus::Cancelled, 0, 33));
    });
}

#[test]
fn a_run_that_does_not_goes_on_and_says_what_is_missing() {
    on_each(|database| async move {
        let (status, written, error) = broken(&database, HistoryPolicy::BestEffort).await;
        assert_eq!((status, written), (Status::Completed, 33));
        assert!(error.is_some());
        let sync = database.open().await.sync("last").await.unwrap();
        assert_eq!((sync.status, sync.changes), (SyncStatus::Completed, 0));
        assert!(sync.dropped >= 33, "{}", sync.dropped);
    });
}

#[test]
fn a_lost_connection_is_made_again_and_no_record_is_counted_twice() {
    on_each(|database| async move {
        if database.kind == Kind::Sqlite {
            return;
        }
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
                    AND datname = current_database()";
        let history = database.open().await;
        let recorder = Arc::new(Recorder::start(&history, &new_sync(), RecorderOptions::default()).await.unwrap());
        let kills = Arc::new(AtomicUsize::new(0));
        let killed = Arc::clone(&kills);
        let killing = tokio::spawn({
            let database = database.clone();
            async move {
                for _ in 0..20 {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    database.run(kill).await;
                    killed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let job = job(Records::new(10, 40), Records::default()).on_write(|_| {
            std::thread::sleep(std::time::Duration::from_millis(3));
            Ok(())
        });
        let report = job.run(options(), vec![recorder.clone()]).await;
        recorder.finish().await.unwrap();
        assert!(kills.load(Ordering::Relaxed) > 5);
        killing.await.unwrap();
        let sync = database.open().await.sync("last").await.unwrap();
        assert_eq!((report.status, sync.status), (Status::Completed, SyncStatus::Completed));
        assert_eq!((sync.entries, sync.changes, sync.dropped), (410, 410, 0));
        let numbers = "SELECT CAST(sum(count) AS BIGINT) FROM history_entry UNION ALL \
                       SELECT count(DISTINCT c.seq) FROM history_entry AS e JOIN history_change AS c \
                       ON c.sync_no = e.sync_no AND c.seq > e.change_seq - e.count AND c.seq <= e.change_seq";
        assert_eq!(database.numbers(numbers).await, [410, 410]);
    });
}

#[test]
fn a_secret_is_nowhere_in_the_history() {
    on_each(|database| async move {
        let secrets = ["it's \"quoted\"", r"back\slash", "a=b;c&d%20e", "plainhunter2"];
        let (mut source, mut target) = (Records::new(8, 1), Records::new(8, 1));
        for (at, secret) in secrets.iter().enumerate() {
            source.sites[at].password = (*secret).to_owned().into();
            target.sites[at + 4].password = (*secret).to_owned().into();
        }
        target.sites.remove(0);
        let history = database.open().await;
        job(source, target).recorded(&history, options()).await;

        let rows = database.everything().await;
        assert!(rows.contains("site-0003") && rows.contains("[secret]"));
        for secret in secrets {
            let json = serde_json::to_string(secret).unwrap();
            assert!(!rows.contains(secret) && !rows.contains(json.trim_matches('"')), "{secret}");
        }
    });
}

//! What happens to a run whose history cannot be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_history::{
    HistoryPolicy, LeaseName, LogEntryFilter, PageRequest, Recorder, RecorderOptions, SavedSync, SyncId, SyncStatus,
};
use sqlx::{Connection as _, Executor as _, SqliteConnection};

use crate::databases::{Database, Kind, on_each};
use crate::world::{Records, job, new_sync, options, recording};

/// Changes cannot be recorded any more, and everything else can.
const BREAK: &str = "ALTER TABLE history_change RENAME TO history_change_away";

/// Runs with a history that breaks before the diff is recorded; the report, what was written, and the error.
async fn broken(database: &Database, policy: HistoryPolicy) -> (RunReport, usize, Option<String>) {
    let history = database.open().await;
    let options = options();
    let recorder = Recorder::start(&history, &new_sync(), recording(&options, policy)).await.unwrap();
    database.run(BREAK).await;
    counted(recorder, options, Records::new(3, 10)).await
}

/// Runs with a recorder; the report, what was written, and the error.
async fn counted(recorder: Recorder, options: RunOptions, source: Records) -> (RunReport, usize, Option<String>) {
    let recorder = Arc::new(recorder);
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let job = job(source, Records::default()).on_write(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let report = job.run(options, vec![recorder.clone()]).await;
    let error = recorder.finish().await.err().map(|error| error.to_string());
    (report, written.load(Ordering::Relaxed), error)
}

#[test]
fn a_run_that_requires_a_history_writes_nothing_without_it() {
    on_each(|database| async move {
        let (report, written, error) = broken(&database, HistoryPolicy::Required).await;
        assert_eq!((report.status, written), (Status::Failed, 0));
        let error = error.unwrap();
        assert!(error.starts_with("cannot record a run: the history"), "{error}");
        // It has not been cancelled: nobody asked for that.
        let ended = format!(
            "the run was ended, since its history cannot be written: {error}; nothing was written, 33 not attempted"
        );
        assert_eq!(report.error_text().unwrap(), ended);
        let sync = database.open().await.sync("last").await.unwrap();
        assert_eq!((sync.status, sync.changes, sync.dropped), (SyncStatus::Failed, 0, 33));
        assert_eq!(sync.error.unwrap(), ended);
    });
}

#[test]
fn a_run_that_does_not_goes_on_and_says_what_is_missing() {
    on_each(|database| async move {
        let (report, written, error) = broken(&database, HistoryPolicy::BestEffort).await;
        assert_eq!((report.status, written), (Status::Completed, 33));
        assert!(error.is_some());
        let sync = database.open().await.sync("last").await.unwrap();
        assert_eq!((sync.status, sync.changes), (SyncStatus::Completed, 0));
        assert!(sync.dropped >= 33, "{}", sync.dropped);
    });
}

/// Runs with a job whose code panics while the diff is recorded; the report, what was written, the error, and the sync.
async fn panicking(database: &Database, policy: HistoryPolicy) -> (RunReport, usize, String, SavedSync) {
    let history = database.open().await;
    let lease = LeaseName::job("sync-sites", "emea");
    let options = options();
    let recording = RecorderOptions { leases: vec![lease.clone()], ..recording(&options, policy) };
    let recorder = Recorder::start(&history, &new_sync(), recording).await.unwrap();

    let mut source = Records::new(3, 10);
    source.devices[7].role = Some("faulty".into());
    let (report, written, error) = counted(recorder, options, source).await;
    // It was released, as at the end of every run.
    history.take_leases(SyncId::new(), "host-2", &[lease]).await.unwrap();
    (report, written, error.unwrap(), history.sync("last").await.unwrap())
}

#[test]
fn a_panic_of_the_jobs_code_while_it_is_recorded_ends_a_run_that_requires_a_history() {
    on_each(|database| async move {
        let (report, written, error, sync) = panicking(&database, HistoryPolicy::Required).await;
        assert!(
            error.ends_with("since the job's code panicked while it was recorded: a mistake in the job"),
            "{error}"
        );
        assert_eq!((report.status, written), (Status::Failed, 0));
        assert!(report.error_text().unwrap().contains(&error), "{report:?}");
        assert_eq!(sync.status, SyncStatus::Failed);
    });
}

#[test]
fn a_panic_of_the_jobs_code_while_it_is_recorded_is_a_gap_in_any_other_history() {
    on_each(|database| async move {
        let (report, written, error, sync) = panicking(&database, HistoryPolicy::BestEffort).await;
        assert!(error.contains("a mistake in the job"), "{error}");
        assert_eq!((report.status, written), (Status::Completed, 33));
        // The records after the mistake are there, each with itself, since the diff is not whole.
        assert_eq!((sync.status, sync.entries, sync.dropped), (SyncStatus::Completed, 33, 1));
        let history = database.open().await;
        let entries = history.entries(sync.id, &LogEntryFilter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(entries.items.len(), 33);
    });
}

#[test]
fn a_time_limit_ends_the_wait_for_the_history_too() {
    on_each(|database| async move {
        if database.kind == Kind::Postgres {
            return;
        }
        let history = database.open().await;
        let mut options = options();
        options.time_limit = Some(Duration::from_millis(500));
        let recorder =
            Recorder::start(&history, &new_sync(), recording(&options, HistoryPolicy::Required)).await.unwrap();

        // Another program keeps the history for itself for a while.
        let mut other = SqliteConnection::connect(&database.text).await.unwrap();
        other.execute(sqlx::raw_sql("BEGIN IMMEDIATE")).await.unwrap();
        let freed = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            other.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
        });
        let (report, written, error) = counted(recorder, options, Records::new(3, 10)).await;
        freed.await.unwrap();
        assert!(report.duration < Duration::from_millis(1_500), "{:?}", report.duration);
        assert!(report.error_text().unwrap().starts_with("the run did not end within 500ms"), "{report:?}");
        assert_eq!((report.status, written, error), (Status::Failed, 0, None));
        // What was planned is recorded all the same, once that is possible.
        let sync = history.sync("last").await.unwrap();
        assert_eq!((sync.status, sync.changes, sync.dropped), (SyncStatus::Failed, 33, 0));
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

//! Leases: one run at a time.

use diffsync_history::{
    History, HistoryError, LeaseError, LeaseName, NewSync, Recorder, RecorderOptions, SyncId, SyncStatus,
};
use futures_util::future::join_all;

use crate::databases::on_each;
use crate::world::new_sync;

pub(crate) fn name() -> LeaseName {
    LeaseName::job("sync-sites", "emea")
}

async fn take(history: &History, names: &[LeaseName]) -> Result<diffsync_history::Lease, LeaseError> {
    history.take_leases(SyncId::new(), "host-1", names).await
}

#[test]
fn one_of_many_gets_a_lease() {
    on_each(|database| async move {
        // Each with connections of its own, as programs have.
        let taken = join_all((0..8).map(|_| {
            let database = database.clone();
            tokio::spawn(async move { take(&database.open().await, &[name()]).await })
        }));
        let taken: Vec<_> = taken.await.into_iter().map(Result::unwrap).collect();
        assert_eq!(taken.iter().filter(|lease| lease.is_ok()).count(), 1);
        let winner = taken.iter().find_map(|lease| lease.as_ref().ok()).unwrap();
        for error in taken.iter().filter_map(|lease| lease.as_ref().err()) {
            let LeaseError::Held { by, host, pid, .. } = error else { panic!("{error}") };
            assert_eq!((*by, &**host, *pid), (winner.sync(), "host-1", std::process::id()));
            assert!(error.to_string().starts_with("`job:sync-sites@emea` is in use by sync"), "{error}");
        }
    });
}

#[test]
fn leases_of_other_jobs_profiles_and_targets_are_free() {
    on_each(|database| async move {
        let history = database.open().await;
        take(&history, &[name(), LeaseName::target("db-1")]).await.unwrap();
        take(&history, &[LeaseName::job("sync-sites", "apac"), LeaseName::target("db-2")]).await.unwrap();
        let error = take(&history, &[LeaseName::job("other", "other"), LeaseName::target("db-1")]).await.unwrap_err();
        assert!(error.to_string().starts_with("`target:db-1` is in use"), "{error}");
        // The refused run keeps none of them.
        take(&history, &[LeaseName::job("other", "other")]).await.unwrap();
        // A job by itself is not named twice.
        let error = take(&history, &[LeaseName::job("other", "other")]).await.unwrap_err();
        assert!(error.to_string().starts_with("`job:other` is in use"), "{error}");
    });
}

#[test]
fn a_lease_is_free_once_it_is_released_or_ran_out() {
    on_each(|database| async move {
        let history = database.open().await;
        let lease = take(&history, &[name()]).await.unwrap();
        history.release(&lease).await.unwrap();
        take(&history, &[name()]).await.unwrap();
        database.let_a_minute_pass().await;
        take(&history, &[name()]).await.unwrap();
        assert!(take(&history, &[name()]).await.is_err());
    });
}

#[test]
fn a_lease_that_ran_out_and_was_taken_is_lost() {
    on_each(|database| async move {
        let history = database.open().await;
        let options = RecorderOptions { leases: vec![name()], ..RecorderOptions::default() };
        let recorder = Recorder::start(&history, &new_sync(), options.clone()).await.unwrap();
        assert!(matches!(Recorder::start(&history, &new_sync(), options.clone()).await, Err(LeaseError::Held { .. })));

        database.let_a_minute_pass().await;
        assert_eq!(history.mark_interrupted().await.unwrap(), [recorder.sync()]);
        assert_eq!(history.mark_interrupted().await.unwrap(), []);
        let sync = history.sync("last").await.unwrap();
        assert_eq!((sync.status, sync.last_record), (SyncStatus::Interrupted, None));
        assert!(sync.ended_at.is_some());
        Recorder::start(&history, &new_sync(), options).await.unwrap();
    });
}

#[test]
fn a_run_that_loses_its_lease_is_cancelled() {
    on_each(|database| async move {
        let history = database.open().await;
        let options = RecorderOptions { leases: vec![name()], ..RecorderOptions::default() };
        let recorder = Recorder::start(&history, &new_sync(), options.clone()).await.unwrap();
        database.run("DELETE FROM history_lease").await;
        tokio::time::timeout(std::time::Duration::from_secs(20), options.cancellation.cancelled()).await.unwrap();
        let error = recorder.finish().await.unwrap_err();
        assert!(matches!(error, HistoryError::LeaseLost(_)), "{error}");
    });
}

#[test]
fn a_running_sync_that_renews_its_lease_is_not_interrupted() {
    on_each(|database| async move {
        let history = database.open().await;
        let options = RecorderOptions { leases: vec![name()], ..RecorderOptions::default() };
        let recorder = Recorder::start(&history, &new_sync(), options).await.unwrap();
        assert_eq!(history.mark_interrupted().await.unwrap(), []);
        recorder.finish().await.unwrap();
        assert_eq!(database.numbers("SELECT count(*) FROM history_lease").await, [0]);
    });
}

#[test]
fn a_lease_that_a_run_takes_twice_is_one() {
    on_each(|database| async move {
        let history = database.open().await;
        let recorder = Recorder::start(
            &history,
            &new_sync(),
            RecorderOptions {
                leases: vec![LeaseName::target("db-1"), LeaseName::target("db-1")],
                ..RecorderOptions::default()
            },
        )
        .await
        .unwrap();
        recorder.target_lock().lock(Some("db-1")).await.unwrap();
        recorder.finish().await.unwrap();
        take(&history, &[LeaseName::target("db-1")]).await.unwrap();
    });
}

#[test]
fn a_target_of_one_host_is_another_one_on_the_next() {
    on_each(|database| async move {
        let history = database.open().await;
        let mut locks = Vec::new();
        for (host, resource, is_free) in [
            ("host-1", "file:///var/lib/inventory.db", true),
            ("host-2", "file:///var/lib/inventory.db", true),
            ("host-1", "file:///var/lib/inventory.db", false),
            ("host-1", "postgres://localhost:5432/inventory", true),
            ("host-2", "postgres://localhost:5432/inventory", true),
            ("host-1", "postgres://db.example.org:5432/inventory", true),
            ("host-2", "postgres://db.example.org:5432/inventory", false),
        ] {
            let sync = NewSync { host: host.to_owned(), ..new_sync() };
            let recorder = Recorder::start(&history, &sync, RecorderOptions::default()).await.unwrap();
            let locked = recorder.target_lock().lock(Some(resource)).await;
            assert_eq!(locked.is_ok(), is_free, "{host} {resource}: {locked:?}");
            locks.push(recorder);
        }
    });
}

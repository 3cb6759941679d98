//! Removing the details of old syncs.

use std::time::Duration;

use diffsync_history::{ChangeFilter, History, LogEntryFilter, PageRequest, Retention, SavedSync, SyncFilter};

use crate::databases::{Kind, on_each};
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

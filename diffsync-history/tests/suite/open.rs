//! Opening a history: the first time, the next time, and where it is not possible.

use std::fs;
use std::time::Duration;

use diffsync_history::{History, HistoryError, HistoryUrl, LogEntryFilter, PageRequest, Retention, SyncFilter, SyncId};
use futures_util::future::join_all;
use sqlx::Connection as _;
use tempfile::TempDir;

use crate::databases::{Database, Kind, block_on, on_each};
use crate::world::{Records, job, options};

async fn error(url: &HistoryUrl) -> String {
    History::open(url).await.unwrap_err().to_string()
}

#[test]
fn a_history_is_created_once_however_many_open_it() {
    on_each(|database| async move {
        let opened = join_all((0..8).map(|_| {
            let url = database.url.clone();
            tokio::spawn(async move { History::open(&url).await })
        }));
        for history in opened.await {
            history.unwrap().unwrap();
        }
        assert_eq!(database.numbers("SELECT version FROM history_schema ORDER BY version").await, [1, 2]);
    });
}

#[test]
fn what_was_recorded_is_there_the_next_time() {
    on_each(|database| async move {
        let history = database.open().await;
        let (_, sync) = job(Records::new(1, 1), Records::default()).recorded(&history, options()).await;
        history.close().await;
        let syncs = database.open().await.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(syncs.items, [sync]);
    });
}

#[test]
fn a_history_of_an_older_program_is_brought_up_to_date_with_what_it_holds() {
    on_each(|database| async move {
        if database.kind == Kind::Sqlite {
            fs::File::create(database.folder.as_ref().unwrap().path().join("history.db")).unwrap();
        }
        database
            .run("CREATE TABLE history_schema (version BIGINT PRIMARY KEY, program TEXT NOT NULL, at BIGINT NOT NULL)")
            .await;
        database.run("INSERT INTO history_schema (version, program, at) VALUES (1, '0.1.0', 0)").await;
        database
            .run(match database.kind {
                Kind::Sqlite => include_str!("../../src/schema/sqlite-1.sql"),
                Kind::Postgres => include_str!("../../src/schema/postgres-1.sql"),
            })
            .await;
        let id = SyncId::new();
        database
            .run(&format!(
                "INSERT INTO history_sync (id, job, profile, source, target, kind, dry_run, variables, started_by, host, \
                 pid, program, started_at, ended_at, heartbeat_at, status, changes, entries) VALUES ('{id}', 'sync-sites', \
                 'emea', 'List', 'Inventory', 'data_target', false, '[]', 'anna', 'host-1', 7, '0.1.0', 1, 3, 3, \
                 'completed', 2, 3); \
                 INSERT INTO history_change (sync_no, seq, parent_seq, depth, model, record, action, changes) VALUES \
                 (1, 0, -1, 0, 'site', 'a', 'create', '{{\"+\": {{\"name\": \"A\"}}}}'), \
                 (1, 1, -1, 0, 'site', 'b', 'create', NULL); \
                 INSERT INTO history_entry (sync_no, seq, at, status, change_seq, model, record) VALUES \
                 (1, 0, 1, 'created', 1, NULL, NULL), (1, 1, 2, 'created', 0, NULL, NULL), \
                 (1, 2, 3, 'unchanged', NULL, 'site', 'c')"
            ))
            .await;

        let history = database.open().await;
        let entries = history.entries(id, &LogEntryFilter::default(), PageRequest::default()).await.unwrap().items;
        let rows: Vec<_> =
            entries.iter().map(|entry| (&*entry.status, &*entry.record, entry.changes.is_some())).collect();
        assert_eq!(rows, [("created", "b", false), ("created", "a", true), ("unchanged", "c", false)]);

        let (_, sync) = job(Records::new(2, 2), Records::default()).recorded(&history, options()).await;
        assert_eq!((sync.entries, sync.dropped), (6, 0));
        let pruned = history.prune(&Retention::new(0, Duration::ZERO)).await.unwrap();
        assert_eq!((pruned.syncs, pruned.rows), (vec![id, sync.id], 5 + 12));
    });
}

#[test]
fn a_newer_history_is_refused_in_words() {
    on_each(|database| async move {
        database.open().await.close().await;
        database.run("INSERT INTO history_schema (version, program, at) VALUES (9, '4.5.6', 0)").await;
        let error = error(&database.url).await;
        assert!(
            error.contains("is of version 9, written by diffsync 4.5.6; this program knows versions up to 2"),
            "{error}"
        );
        assert!(error.contains(&database.url.to_string()), "{error}");
    });
}

#[cfg(unix)]
#[test]
fn the_folder_and_the_file_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    block_on(async {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("data/diffsync/history.db");
        let history = History::open(&HistoryUrl::file(&path)).await.unwrap();
        job(Records::new(1, 1), Records::default()).recorded(&history, options()).await;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        for file in fs::read_dir(path.parent().unwrap()).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
    });
}

#[test]
fn a_file_that_is_something_else_is_left_alone() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("notes.txt");
        let text = "something else\n".repeat(1_000);
        fs::write(&path, &text).unwrap();
        let error = error(&HistoryUrl::file(&path)).await;
        assert!(error.contains("is not a history"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    });
}

#[test]
fn a_folder_that_cannot_be_created_is_named() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = error(&HistoryUrl::file(folder.path().join("file/below/history.db"))).await;
        assert!(error.starts_with("cannot open or create the history"), "{error}");
    });
}

#[test]
fn a_locked_file_is_waited_for_and_then_named() {
    block_on(async {
        let database = Database::new(Kind::Sqlite).await;
        let history = database.open().await;
        let other = database.open().await;
        let lock = sqlx::SqliteConnection::connect(&database.text).await.unwrap();
        let lock = locked(lock).await;
        let error = history.take_leases(diffsync_history::SyncId::new(), "host-1", &[crate::leases::name()]).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("another program has locked the history"), "{error}");
        // Readers do not wait.
        other.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap();
        drop(lock);
    });
}

async fn locked(mut connection: sqlx::SqliteConnection) -> sqlx::SqliteConnection {
    sqlx::Executor::execute(&mut connection, sqlx::raw_sql("BEGIN IMMEDIATE")).await.unwrap();
    connection
}

#[test]
fn a_history_that_may_only_be_read_is_read_and_says_so_on_a_write() {
    block_on(async {
        if diffsync_test_servers::postgres().is_none() {
            return;
        }
        let database = Database::new(Kind::Postgres).await;
        let history = database.open().await;
        job(Records::new(1, 1), Records::default()).recorded(&history, options()).await;
        let read_only = format!("{}?options=-cdefault_transaction_read_only%3Don", database.text);
        let history = History::open(&read_only.parse().unwrap()).await.unwrap();
        assert_eq!(history.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap().items.len(), 1);
        let error = history.take_leases(diffsync_history::SyncId::new(), "host-1", &[crate::leases::name()]).await;
        assert!(error.unwrap_err().to_string().contains("is read-only for this user"));
    });
}

#[test]
fn a_server_that_does_not_answer_is_named_without_the_password() {
    block_on(async {
        let url: HistoryUrl = "postgres://anna:hunter2@127.0.0.1:1/history".parse().unwrap();
        let error = History::open(&url).await.unwrap_err();
        assert!(matches!(error, HistoryError::Unreachable { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert!(error.to_string().contains("postgres://***@127.0.0.1:1/history"), "{error}");
    });
}

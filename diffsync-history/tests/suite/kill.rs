//! Runs whose process is killed at a random moment.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diffsync_core::report::Status;
use diffsync_history::{
    History, HistoryPolicy, LeaseName, LogEntryFilter, PageRequest, Recorder, RecorderOptions, SyncFilter, SyncStatus,
};
use tempfile::TempDir;

use crate::databases::{Database, block_on, on_each};
use crate::world::{Device, Records, Site, job, new_sync, options};

/// The history and the target's file of a run in a process of its own.
const URL: &str = "DIFFSYNC_HISTORY_TEST_URL";
const TARGET: &str = "DIFFSYNC_HISTORY_TEST_TARGET";

/// How many runs are killed on each kind of database.
const KILLS: &str = "DIFFSYNC_HISTORY_KILLS";

fn source() -> Records {
    Records::new(10, 60)
}

/// The records of a target that writes a line into a file for each.
fn written(target: &Path) -> Vec<String> {
    fs::read_to_string(target).unwrap_or_default().lines().map(ToOwned::to_owned).collect()
}

/// The child's part: a run that writes into a file, and waits a moment with each record.
#[test]
fn a_run_in_a_process_of_its_own() {
    let (Ok(url), Some(target)) = (std::env::var(URL), std::env::var_os(TARGET)) else { return };
    let loaded: HashSet<_> = written(Path::new(&target)).into_iter().collect();
    let Records { sites, devices } = source();
    let there = Records {
        sites: sites.into_iter().filter(|Site { slug, .. }| loaded.contains(slug)).collect(),
        devices: devices.into_iter().filter(|Device { name, .. }| loaded.contains(name)).collect(),
    };

    let file = Mutex::new(OpenOptions::new().create(true).append(true).open(target).unwrap());
    let job = job(source(), there).on_write(move |record| {
        file.lock().unwrap().write_all(format!("{record}\n").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_micros(700));
        Ok(())
    });

    block_on(async {
        let history = History::open(&url.parse().unwrap()).await.unwrap();
        let options = options();
        let recording = RecorderOptions {
            policy: HistoryPolicy::Required,
            leases: vec![LeaseName::job("sync-sites", "emea")],
            cancellation: options.cancellation.clone(),
            ..RecorderOptions::default()
        };
        let recorder = Arc::new(Recorder::start(&history, &new_sync(), recording).await.unwrap());
        let report = job.run(options, vec![recorder.clone()]).await;
        recorder.finish().await.unwrap();
        assert_eq!(report.status, Status::Completed);
    });
}

fn spawn(database: &Database, target: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::a_run_in_a_process_of_its_own"]).env(URL, &database.text).env(TARGET, target);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// How many log entries a reader sees.
async fn seen(database: &Database) -> i64 {
    database.numbers("SELECT CAST(coalesce(sum(entries), 0) AS BIGINT) FROM history_sync").await[0]
}

#[test]
fn a_killed_run_leaves_a_readable_history_and_the_next_one_converges() {
    let kills = std::env::var(KILLS).map_or(6, |kills| kills.parse().unwrap());
    on_each(|database| async move {
        let history = database.open().await;
        let folder = TempDir::new().unwrap();
        let mut seed = 7_u64;
        let mut interrupted = 0;
        for run in 0..kills {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let target = folder.path().join(format!("target-{run}"));
            let before = seen(&database).await;

            let mut child = spawn(&database, &target);
            tokio::time::sleep(Duration::from_millis(seed >> 33 & 0x3ff)).await;
            let acknowledged = seen(&database).await;
            child.kill().unwrap();
            child.wait().unwrap();
            interrupted += usize::from(check(&database, &history, &target, acknowledged - before).await);

            // The lease of the killed run must run out first.
            database.let_a_minute_pass().await;
            history.mark_interrupted().await.unwrap();
            assert!(spawn(&database, &target).wait().unwrap().success());
            let (written, all) = (written(&target), source());
            assert_eq!(written.len(), all.sites.len() + all.devices.len());
            assert_eq!(written.iter().collect::<HashSet<_>>().len(), written.len());
            assert_eq!(history.sync("last").await.unwrap().status, SyncStatus::Completed);
        }
        assert!(interrupted * 3 > kills, "only {interrupted} of {kills} runs were killed while they wrote");
    });
}

/// Checks what a killed run left behind; whether it was killed while it wrote.
async fn check(database: &Database, history: &History, target: &Path, acknowledged: i64) -> bool {
    database.let_a_minute_pass().await;
    let marked = history.mark_interrupted().await.unwrap();
    let Some(id) = marked.first() else { return false };
    assert_eq!(marked.len(), 1);

    let sync = history.sync(&id.to_string()).await.unwrap();
    let request = PageRequest::first(10_000);
    let entries = history.entries(*id, &LogEntryFilter::default(), request).await.unwrap().items;
    assert_eq!(sync.status, SyncStatus::Interrupted);
    assert_eq!(sync.entries, entries.len() as u64);
    assert!(i64::try_from(entries.len()).unwrap() >= acknowledged, "{} of {acknowledged} are left", entries.len());

    // Each record that is recorded as created was written, once, and in this order.
    let written = written(target);
    let recorded: Vec<_> = entries.iter().map(|entry| &entry.record).collect();
    assert_eq!(recorded, written.iter().take(entries.len()).collect::<Vec<_>>());
    let last = entries.last().map(|entry| format!("{} {}", entry.model, entry.record));
    assert_eq!(sync.last_record, last);

    // A history was required, so nothing was written before the diff was recorded.
    assert!(written.is_empty() || sync.changes == 610, "{} of 610 changes", sync.changes);
    !written.is_empty()
}

#[test]
fn of_several_processes_one_runs_at_a_time() {
    on_each(|database| async move {
        let history = database.open().await;
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("target");
        let children: Vec<_> = (0..5).map(|_| spawn(&database, &target)).collect();
        let ended = children.into_iter().map(|mut child| child.wait().unwrap().success());
        let successes = ended.filter(|success| *success).count();

        let mut syncs = history.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap().items;
        syncs.reverse();
        assert!(successes > 0);
        assert_eq!(syncs.len(), successes);
        for pair in syncs.windows(2) {
            assert!(pair[0].ended_at.unwrap() <= pair[1].started_at);
        }
        assert_eq!(written(&target).len(), 610);
    });
}

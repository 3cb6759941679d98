//! A run of another program, of which only rows are known.

use std::sync::Arc;

use diffsync_core::model::Operation;
use diffsync_core::plan::{Counts, OutcomeCounts};
use diffsync_core::report::{Event, Observer, Status, Step, StepReport};
use diffsync_core::run::CancellationToken;
use diffsync_history::{
    ChangeFilter, History, HistoryPolicy, LogEntryFilter, NewChange, NewEntry, PageRequest, PlannedCounts,
    PlannedModel, Recorder, RecorderOptions, SyncEnd, SyncStatus,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::databases::on_each;
use crate::world::new_sync;

fn change(parent: Option<u64>, record: &str, action: Option<Operation>, changes: Option<Value>) -> NewChange {
    NewChange {
        parent,
        depth: u32::from(parent.is_some()),
        model: if parent.is_some() { "device" } else { "site" }.into(),
        record: record.into(),
        identifiers: None,
        action,
        withheld: None,
        changes,
    }
}

fn entry(change: Option<u64>, record: &str, status: &str, message: Option<&str>) -> NewEntry {
    NewEntry {
        at: Timestamp::UNIX_EPOCH,
        change,
        action: Some(Operation::Create),
        status: status.into(),
        model: "device".into(),
        record: record.into(),
        url: "https://inventory.example.com/device".parse().ok(),
        message: message.map(str::to_owned),
    }
}

fn planned() -> PlannedCounts {
    let mut counts = Counts::default();
    (counts.create, counts.no_change) = (2, 7);
    PlannedCounts { total: counts, models: vec![PlannedModel { model: "device".into(), counts }] }
}

async fn recorder(history: &History, policy: HistoryPolicy) -> (Arc<Recorder>, CancellationToken) {
    let cancellation = CancellationToken::new();
    let options = RecorderOptions { policy, cancellation: cancellation.clone(), ..RecorderOptions::default() };
    (Arc::new(Recorder::start(history, &new_sync(), options).await.unwrap()), cancellation)
}

/// Reports a site that stays as it is, with two new devices.
async fn report(recorder: &Recorder) {
    recorder.planned_change(change(None, "ams", None, None));
    recorder.planned_change(change(Some(0), "sw\0-1", Some(Operation::Create), Some(json!({"+": {"role": "leaf"}}))));
    recorder.planned_change(NewChange {
        identifiers: Some(json!(["sw", 2])),
        withheld: Some("held".into()),
        ..change(Some(0), "sw-2", Some(Operation::Create), None)
    });
    recorder.planned(planned()).await;
}

#[test]
fn the_rows_of_another_programs_run_are_kept_as_those_of_any_run() {
    on_each(|database| async move {
        let history = database.open().await;
        let (recorder, _) = recorder(&history, HistoryPolicy::BestEffort).await;
        let step = StepReport { step: Step::LoadSource, duration: std::time::Duration::from_millis(5), memory: None };
        recorder.observe(&Event::StepStarted(Step::LoadSource));
        recorder.observe(&Event::StepFinished(&step));
        report(&recorder).await;
        recorder.entry(entry(Some(1), "sw-1", "created", None));
        recorder.entry(entry(Some(2), "sw-2", "held", Some("a guard\0 holds it")));
        recorder.entry(entry(None, "sw-3", "failed", Some("no such role")));
        let counts = {
            let mut counts = OutcomeCounts::default();
            (counts.created, counts.held, counts.failed, counts.unchanged) = (1, 1, 1, 7);
            counts
        };
        recorder.end(SyncEnd {
            status: Status::Partial,
            error: Some("one\0 failed".into()),
            breaches: Some(json!([{"model": "device"}])),
            counts: Some(counts),
            retries: 3,
        });
        recorder.finish().await.unwrap();

        let sync = history.sync(&recorder.sync().to_string()).await.unwrap();
        assert_eq!((sync.status, sync.retries), (SyncStatus::Partial, 3));
        assert_eq!((sync.changes, sync.entries, sync.dropped), (3, 3, 0));
        assert_eq!((sync.planned, sync.counts), (Some(planned()), Some(counts)));
        assert_eq!((sync.steps, sync.breaches), (vec![step], Some(json!([{"model": "device"}]))));
        assert_eq!(sync.error.as_deref(), Some("one\u{fffd} failed"));

        let changes = history.changes(sync.id, &ChangeFilter::default(), PageRequest::default()).await.unwrap().items;
        let rows: Vec<_> =
            changes.iter().map(|row| (row.position, row.parent, row.depth, &*row.record, row.action)).collect();
        assert_eq!(
            rows,
            [
                (0, None, 0, "ams", None),
                (1, Some(0), 1, "sw\u{fffd}-1", Some(Operation::Create)),
                (2, Some(0), 1, "sw-2", Some(Operation::Create)),
            ]
        );
        assert_eq!((&changes[0].identifiers, &changes[2].identifiers), (&json!("ams"), &json!(["sw", 2])));
        assert_eq!(changes[1].changes, Some(json!({"+": {"role": "leaf"}})));
        assert_eq!(changes[2].withheld.as_deref(), Some("held"));

        let entries = history.entries(sync.id, &LogEntryFilter::default(), PageRequest::default()).await.unwrap().items;
        let rows: Vec<_> = entries.iter().map(|row| (&*row.record, &*row.status, row.message.as_deref())).collect();
        assert_eq!(
            rows,
            [
                ("sw\u{fffd}-1", "created", None),
                ("sw-2", "held", Some("a guard\u{fffd} holds it")),
                ("sw-3", "failed", Some("no such role")),
            ]
        );
        assert_eq!(entries[0].changes, changes[1].changes, "an entry shows what its row of the diff says");
    });
}

#[test]
fn a_required_history_is_a_barrier_for_another_programs_diff_too() {
    on_each(|database| async move {
        for (policy, is_cancelled) in [(HistoryPolicy::Required, true), (HistoryPolicy::BestEffort, false)] {
            let history = database.open().await;
            let (recorder, cancellation) = recorder(&history, policy).await;
            database.run("ALTER TABLE history_change RENAME TO history_change_away").await;
            report(&recorder).await;
            recorder.finish().await.unwrap_err();
            assert_eq!(cancellation.is_cancelled(), is_cancelled);
            database.run("ALTER TABLE history_change_away RENAME TO history_change").await;
        }
    });
}

#[test]
fn an_entry_whose_change_is_missing_names_the_record_itself() {
    on_each(|database| async move {
        let history = database.open().await;
        let (recorder, _) = recorder(&history, HistoryPolicy::BestEffort).await;
        database.run("ALTER TABLE history_change RENAME TO history_change_away").await;
        report(&recorder).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        database.run("ALTER TABLE history_change_away RENAME TO history_change").await;
        // A history that could not be written is left alone for a while.
        tokio::time::sleep(std::time::Duration::from_millis(5_500)).await;
        recorder.entry(entry(Some(1), "sw-1", "created", None));
        recorder.entry(entry(Some(99), "sw-99", "created", None));
        recorder.finish().await.unwrap_err();

        let sync = recorder.sync();
        let entries = history.entries(sync, &LogEntryFilter::default(), PageRequest::default()).await.unwrap().items;
        let rows: Vec<_> = entries.iter().map(|row| (&*row.model, &*row.record, &*row.status)).collect();
        assert_eq!(rows, [("device", "sw-1", "created"), ("device", "sw-99", "created")]);
    });
}

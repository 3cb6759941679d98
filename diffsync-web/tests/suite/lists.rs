//! The history, the log entries and the log lines, with their filters.

use diffsync_history::{LogLevel, LogLine, NewSync, Recorder, RecorderOptions};
use jiff::Timestamp;

use crate::world::{JOB, World, has, lacks};

#[tokio::test]
async fn syncs_are_filtered_and_their_order_can_be_reversed() {
    let world = World::new().await;
    let sync = world.run("plain", &[]).await.id.to_string();
    let dry_run = world.run("plain", &[("dry_run", "on")]).await.id.to_string();
    let failed = world.run("broken", &[]).await.id.to_string();
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    for (query, found, not_found) in [
        (String::new(), vec![&sync, &dry_run, &failed], vec![]),
        (format!("job={JOB}&source=Published+list&target=Inventory&by=ada"), vec![&sync, &failed], vec![]),
        ("job=other".to_owned(), vec![], vec![&sync]),
        ("type=dry_run".to_owned(), vec![&dry_run], vec![&sync, &failed]),
        ("type=sync&status=failed".to_owned(), vec![&failed], vec![&sync, &dry_run]),
        ("status=partial&status=completed".to_owned(), vec![&sync, &dry_run], vec![&failed]),
        ("text=cannot+be+read".to_owned(), vec![&failed], vec![&sync]),
        ("by=eve".to_owned(), vec![], vec![&sync]),
        (format!("from={today}&to={today}"), vec![&sync, &failed], vec![]),
        ("to=2020-01-01".to_owned(), vec![], vec![&sync]),
    ] {
        let page = world.page(&format!("/history?{query}")).await;
        for id in found {
            assert!(page.contains(&format!("/syncs/{id}")), "{query}: no {id}");
        }
        for id in not_found {
            assert!(!page.contains(&format!("/syncs/{id}")), "{query}: {id}");
        }
    }

    let page = world.page("/history?order=oldest&type=").await;
    assert!(page.find(&sync).unwrap() < page.find(&failed).unwrap());
    has(&page, &["Newest first"]);
}

#[tokio::test]
async fn the_log_entries_of_a_sync_are_filtered_and_lead_to_the_record() {
    let world = World::new().await;
    let id = world.run("plain", &[]).await.id;
    let page = world.page(&format!("/syncs/{id}/logs")).await;
    has(
        &page,
        &[
            "edge-1",
            "href=\"https://inventory.example.com/device/edge-1\" rel=\"noopener noreferrer\"",
            "leaf",
            "spine",
        ],
    );
    for (query, found, not_found) in [
        ("status=failed", vec!["bad", "400: no such role"], vec!["edge-1"]),
        ("status=created&status=deleted", vec!["edge-2", "edge-9"], vec!["no such role", "edge-1"]),
        ("model=site", vec!["lon"], vec!["edge-2"]),
        ("action=update", vec!["edge-1"], vec!["edge-2"]),
        ("text=SUCH+role", vec!["bad"], vec!["edge-1"]),
        ("text=nothing", vec!["No log entry is like this"], vec!["edge-1"]),
    ] {
        let page = world.page(&format!("/syncs/{id}/logs?{query}")).await;
        has(&page, &found);
        lacks(&page, &not_found);
    }

    let failed = world.page(&format!("/syncs/{id}/logs?status=failed")).await;
    let link = failed.split("num-left\"><a href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    has(&world.page(&link).await, &["device bad", "400: no such role", "a log entry of"]);
    assert_eq!(world.get(&format!("/syncs/{id}/logs/9999")).await.status.as_u16(), 404);
}

#[tokio::test]
async fn the_log_entries_of_all_syncs_are_listed_with_the_latest_first() {
    let world = World::new().await;
    let first = world.run("plain", &[]).await.id.to_string();
    let second = world.run("plain", &[]).await.id.to_string();
    let page = world.page("/logs").await;
    assert!(page.find(&second).unwrap() < page.find(&first).unwrap());
    let failed = world.page("/logs?status=failed&status=blocked").await;
    has(&failed, &["400: no such role", &first, &second]);
    lacks(&failed, &["edge-1"]);
}

#[tokio::test]
async fn log_lines_are_filtered_by_level_step_and_text() {
    let world = World::new().await;
    let new = NewSync { job: JOB.into(), ..NewSync::default() };
    let recorder = Recorder::start(&world.history, &new, RecorderOptions::default()).await.unwrap();
    for (level, step, message) in [
        (LogLevel::Info, diffsync_core::report::Step::LoadSource, "page 1 was read"),
        (LogLevel::Warn, diffsync_core::report::Step::ExecuteSync, "the server is slow"),
    ] {
        recorder.line(LogLine {
            at: Timestamp::now(),
            level,
            target: "rest::http".into(),
            step: Some(step),
            message: message.into(),
            fields: Some(serde_json::json!({"page": 1})),
        });
    }
    recorder.finish().await.unwrap();
    let id = recorder.sync();

    for (query, found, not_found) in [
        ("", vec!["page 1 was read", "the server is slow", "rest::http"], vec![]),
        ("level=warn", vec!["the server is slow"], vec!["page 1 was read"]),
        ("step=load+source", vec!["page 1 was read"], vec!["the server is slow"]),
        ("text=SLOW", vec!["the server is slow"], vec!["page 1 was read"]),
    ] {
        let page = world.page(&format!("/syncs/{id}/lines?{query}")).await;
        has(&page, &found);
        lacks(&page, &not_found);
    }
    assert_eq!(world.get(&format!("/syncs/{id}/lines?level=odd")).await.status.as_u16(), 400);
    has(&world.page(&format!("/syncs/{id}/lines.jsonl?level=warn")).await, &["\"the server is slow\""]);
}

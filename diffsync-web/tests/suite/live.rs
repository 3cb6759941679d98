//! The progress of a run, as a browser that listens is sent it.

use crate::world::{World, has};

#[tokio::test]
async fn a_browser_that_listens_sees_the_steps_and_the_end() {
    let world = World::new().await;
    let id = world.begin("waits", &[]).await;
    let path = format!("/syncs/{id}/events");
    let events = world.get(&path);
    let end = async {
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        world.post(&format!("/syncs/{id}/cancel"), &[]).await;
    };
    let (events, ()) = tokio::join!(events, end);
    assert_eq!(events.headers["content-type"], "text/event-stream");
    has(&events.text, &["event: progress", "load source", "event: end"]);
    // The end is sent once the run is recorded.
    assert!(world.history.sync(&id).await.unwrap().ended_at.is_some());

    let late = world.get(&format!("/syncs/{id}/events")).await;
    assert_eq!(late.text.trim(), "event: end\ndata: ended");
}

#[tokio::test]
async fn a_sync_of_another_program_is_shown_as_such() {
    use diffsync_history::{NewSync, Recorder, RecorderOptions};
    let world = World::new().await;
    let new = NewSync { job: "elsewhere".into(), host: "host-2".into(), ..NewSync::default() };
    let recorder = Recorder::start(&world.history, &new, RecorderOptions::default()).await.unwrap();
    let page = world.page(&format!("/syncs/{}", recorder.sync())).await;
    has(&page, &["on host-2", "hx-trigger=\"every 3s\"", "running"]);
    has(&world.page(&format!("/syncs/{}/live", recorder.sync())).await, &["It is run by process"]);
    let reply = world.post(&format!("/syncs/{}/cancel", recorder.sync()), &[]).await;
    assert_eq!(reply.status.as_u16(), 409);
    has(&reply.text, &["only that can cancel it"]);
    recorder.finish().await.unwrap();
}

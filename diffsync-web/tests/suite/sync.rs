//! The page of a sync.

use crate::world::{World, has, lacks};

#[tokio::test]
async fn a_sync_shows_what_it_did_and_what_failed() {
    let world = World::new().await;
    let id = world.run("plain", &[]).await.id;
    let page = world.page(&format!("/syncs/{id}")).await;
    has(&page, &["Published list → Inventory", "partial", "ada", "host-1", "<time datetime=", "version 1.2.3"]);
    for (status, number) in [("created", 2), ("updated", 1), ("deleted", 2), ("failed", 1)] {
        let link = format!("/syncs/{id}/logs?status={status}\"");
        assert!(page.contains(&link), "{link}");
        let shown = page.split(&link).nth(1).unwrap().split("</b>").next().unwrap().to_owned();
        assert!(shown.ends_with(&format!(" {number}")), "{status}: {shown}");
    }
    has(&page, &["Not every record was written", "400: no such role", "device bad", "load source", "execute sync"]);
    has(&page, &["It was not measured", "Run again…", "the slowest"]);
    lacks(&page, &["Cancel</button>", "Progress"]);
}

#[tokio::test]
async fn the_memory_of_each_step_is_shown_if_it_was_measured() {
    let world = World::new().await;
    let id = world.run("plain", &[("memory_profiling", "on"), ("dry_run", "on")]).await.id;
    let page = world.page(&format!("/syncs/{id}")).await;
    has(&page, &["Resident", "At the end", "Peak", "dry run: nothing is written", "to create"]);
    lacks(&page, &["It was not measured"]);
}

#[tokio::test]
async fn a_guard_that_stopped_a_run_is_explained_with_what_to_do() {
    let world = World::new().await;
    let id = world.run("empties", &[]).await.id;
    let page = world.page(&format!("/syncs/{id}")).await;
    has(
        &page,
        &["refused", "A limit stopped it", "it would delete 18 records where the target holds 20, and 30% are allowed"],
    );
    has(&page, &[&format!("/syncs/{id}/diff?action=delete&amp;model=site"), "allow_deletes=site%3D18"]);

    // The form takes it over, and the run may then do it.
    let form = world.page(&format!("/jobs/list-to-inventory/run?again={id}&allow_deletes=site%3D18")).await;
    has(&form, &["value=\"site=18\"", "value=\"empties\""]);
    let allowed = world.run("empties", &[("allow_deletes", "site=18")]).await;
    assert_eq!(allowed.counts.unwrap().deleted, 18);
}

#[tokio::test]
async fn an_error_is_shown_line_by_line() {
    let world = World::new().await;
    let id = world.run("broken", &[]).await.id;
    let page = world.page(&format!("/syncs/{id}")).await;
    has(&page, &["failed", "It did not reach its end", "the list cannot be read", "ask its owner</p>"]);
}

#[tokio::test]
async fn the_details_of_a_pruned_sync_are_said_to_be_gone() {
    let world = World::new().await;
    let id = world.run("plain", &[]).await.id;
    let none = diffsync_history::Retention::new(0, std::time::Duration::ZERO);
    world.history.prune(&none).await.unwrap();
    has(&world.page(&format!("/syncs/{id}")).await, &["were removed on", "its figures are kept"]);
    has(&world.page(&format!("/syncs/{id}/diff")).await, &["The diff of this sync was removed"]);
    has(&world.page(&format!("/syncs/{id}/logs")).await, &["The logs of this sync were removed"]);
    let record = world.get(&format!("/syncs/{id}/diff/0")).await;
    assert_eq!(record.status.as_u16(), 404);
    has(&record.text, &["its diff was removed"]);
}

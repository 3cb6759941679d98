//! The dashboard, the page of a job, and pages that do not exist.

use axum::http::StatusCode;

use crate::world::{JOB, World, has, lacks};

#[tokio::test]
async fn the_dashboard_shows_each_job_with_its_latest_syncs() {
    let world = World::new().await;
    let page = world.page("/").await;
    has(&page, &["List to inventory", "Data sources", "Copies a list of places.", "never run", "There is no sync yet"]);
    lacks(&page, &["Data targets"]);

    let first = world.run("plain", &[]).await.id;
    let second = world.run("plain", &[("dry_run", "on")]).await.id;
    let page = world.page("/").await;
    has(
        &page,
        &[
            "@emea <span class=\"mono\">0 2 * * *</span>",
            "partial",
            "dry run",
            &format!("/syncs/{first}"),
            &format!("/syncs/{second}"),
        ],
    );
    lacks(&page, &["never run", "Running now"]);
}

#[tokio::test]
async fn a_running_sync_is_on_the_dashboard() {
    let world = World::new().await;
    let id = world.begin("waits", &[]).await;
    has(&world.page("/").await, &["Running now", &id]);
    has(&world.page("/running").await, &["Running now", &id]);
    assert_eq!(world.post(&format!("/syncs/{id}/cancel"), &[]).await.status, StatusCode::SEE_OTHER);
    world.ended(&id).await;
    assert_eq!(world.page("/running").await.trim(), "");
}

#[tokio::test]
async fn a_job_shows_what_it_compares_and_how_it_has_run() {
    let world = World::new().await;
    let page = world.page(&format!("/jobs/{JOB}")).await;
    has(
        &page,
        &["Copies a list of places.", "Published list", "Inventory", "identified by", "slug", "It has not run yet"],
    );
    // The device is drawn under the site, and the configuration is told without secrets.
    let (site, device) = (page.find("id=\"model-site\"").unwrap(), page.find("id=\"model-device\"").unwrap());
    assert!(site < device);
    has(&page, &["Configuration", "scene", "plain", "30% deletes", "whole number, required", "secret"]);

    let id = world.run("plain", &[("memory_profiling", "on")]).await.id;
    let page = world.page(&format!("/jobs/{JOB}")).await;
    has(&page, &["Over time", "Duration", "Changes", &format!("<a href=\"/syncs/{id}\" aria-label")]);
    let profile = world.page(&format!("/jobs/{JOB}?profile=emea")).await;
    has(&profile, &["The places of EMEA", "0 2 * * *", "/run?profile=emea"]);
}

#[tokio::test]
async fn what_does_not_exist_is_a_page_that_says_so() {
    let world = World::new().await;
    for (path, status, said) in [
        ("/nothing", 404, "there is no page /nothing"),
        ("/jobs/list-to-inventry", 404, "did you mean &quot;list-to-inventory&quot;"),
        ("/jobs/list-to-inventory?profile=apac", 404, "no profile"),
        ("/syncs/0000", 404, "the history has no sync"),
        ("/syncs/0000/diff", 404, "the history has no sync"),
        ("/history?status=odd", 400, "a status such as completed"),
        ("/history?from=yesterday", 400, "a day such as"),
        ("/history?after=x", 400, "a place that a page has returned"),
        ("/logs?status=odd", 400, "one of created"),
        ("/logs?action=odd", 400, "create, update or delete"),
        ("/jobs/list-to-inventory/source-icon", 404, "has no icon"),
    ] {
        let reply = world.get(path).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        has(&reply.text, &[said, "<!doctype html>", "Go to the dashboard"]);
    }
    assert_eq!(world.get("/assets/nothing.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn assets_are_part_of_the_program() {
    let world = World::new().await;
    let page = world.page("/").await;
    let version = page.split("style.css?v=").nth(1).unwrap().split('"').next().unwrap();
    for (name, kind) in [("style.css", "text/css"), ("htmx.js", "text/javascript"), ("icon.svg", "image/svg+xml")] {
        let reply = world.get(&format!("/assets/{name}?v={version}")).await;
        assert!(reply.headers["content-type"].to_str().unwrap().starts_with(kind), "{name}");
        assert!(reply.headers["cache-control"].to_str().unwrap().contains("immutable"), "{name}");
    }
}

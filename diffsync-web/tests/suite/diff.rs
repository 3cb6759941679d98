//! The diff: its tree, its filters, and single records.

use axum::body::Body;
use axum::http::Request;

use crate::world::{World, has, lacks};

#[tokio::test]
async fn the_tree_is_shown_level_by_level_with_counts_of_each_branch() {
    let world = World::new().await;
    let id = world.run("plain", &[]).await.id;
    let page = world.page(&format!("/syncs/{id}/diff")).await;
    has(&page, &["site <b>ams</b>", "site <b>lon</b>", "site <b>old</b>", "records below</a>"]);
    lacks(&page, &["edge-1", "<b>fra</b>"]);
    // Below Amsterdam one device is new and one has changed.
    let ams = page.split("<b>ams</b>").nth(1).unwrap().split("</summary>").next().unwrap();
    has(ams, &["create</span> 1", "update</span> 1"]);

    let before = page.split("<b>ams</b>").next().unwrap();
    let under = before.rsplit("/diff?under=").next().unwrap().split('"').next().unwrap().to_owned();
    let branch = world.page(&format!("/syncs/{id}/diff?under={under}")).await;
    has(&branch, &["edge-1", "leaf", "spine", "aria-label=\"Above\""]);
    lacks(&branch, &["<b>lon</b>"]);

    // In place, only the branch is sent.
    let request = Request::get(format!("/syncs/{id}/diff?under={under}")).header("host", "localhost");
    let part = world.send(request.header("hx-request", "true").body(Body::empty()).unwrap()).await.text;
    has(&part, &["edge-1", "<span class=\"unseen\">before </span>"]);
    lacks(&part, &["<html", "aria-label=\"Above\""]);
}

#[tokio::test]
async fn records_are_found_by_model_action_attribute_and_text() {
    let world = World::new().await;
    let id = world.run("plain", &[]).await.id;
    for (query, found, not_found) in [
        ("model=device&action=update", vec!["edge-1"], vec!["edge-2", "<b>lon</b>"]),
        ("action=delete", vec!["edge-9", "<b>old</b>"], vec!["edge-1"]),
        ("attribute=role&action=update", vec!["edge-1"], vec!["<b>old</b>"]),
        ("text=EDGE", vec!["edge-1", "edge-2", "edge-9"], vec!["<b>lon</b>"]),
        ("text=nothing", vec!["No record is like this"], vec!["edge-1"]),
    ] {
        let page = world.page(&format!("/syncs/{id}/diff?{query}")).await;
        has(&page, &found);
        lacks(&page, &not_found);
    }
}

#[tokio::test]
async fn a_long_branch_is_shown_page_by_page_and_counted_when_it_is_seen() {
    let world = World::new().await;
    let id = world.run("many", &[("dry_run", "on")]).await.id;
    let page = world.page(&format!("/syncs/{id}/diff")).await;
    has(&page, &["create</span> 100"]);

    let first = world.page(&format!("/syncs/{id}/diff?model=device")).await;
    let next = first.split('?').find(|part| part.contains("after=")).unwrap().split('"').next().unwrap();
    let second = world.page(&format!("/syncs/{id}/diff?{}", next.replace("&amp;", "&"))).await;
    has(&first, &["site-00-000", "site-00-099", "Show more"]);
    has(&second, &["site-01-000"]);
    lacks(&second, &["site-00-099"]);

    has(&world.page(&format!("/syncs/{id}/diff/0/counts")).await, &["create</span> 100"]);
}

#[tokio::test]
async fn a_record_has_a_page_with_all_of_its_values() {
    let world = World::new().await;
    let id = world.run("plain", &[]).await.id;
    let found = world.page(&format!("/syncs/{id}/diff?text=edge-1")).await;
    let link = found.split("class=\"record mono\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = world.page(&link).await;
    has(&page, &["device edge-1", "update", "role", "leaf", "spine", "site ams", "Identifier"]);
    assert_eq!(world.get(&format!("/syncs/{id}/diff/9999")).await.status.as_u16(), 404);
    assert_eq!(world.get(&format!("/syncs/{id}/diff/x")).await.status.as_u16(), 400);
}

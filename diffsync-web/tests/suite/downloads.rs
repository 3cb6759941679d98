//! Lists as files.

use serde_json::Value;

use crate::world::{World, has, lacks};

#[tokio::test]
async fn a_diff_is_downloaded_whole_or_as_it_is_filtered() {
    let world = World::new().await;
    let id = world.run("many", &[("dry_run", "on")]).await.id;
    let reply = world.get(&format!("/syncs/{id}/diff.jsonl")).await;
    assert!(reply.headers["content-disposition"].to_str().unwrap().contains(&format!("diff-{id}.jsonl")));
    let rows: Vec<Value> = reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // More than are read at a time.
    assert_eq!(rows.len(), 3_030);
    assert_eq!((&rows[0]["record"], &rows[1]["action"]), (&"site-00".into(), &"create".into()));

    let csv = world.get(&format!("/syncs/{id}/diff.csv?model=site")).await;
    assert!(csv.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert_eq!(csv.text.lines().count(), 31);
    assert_eq!(csv.text.lines().filter(|line| line.starts_with("position,")).count(), 1);
    assert_eq!(world.get(&format!("/syncs/{id}/diff.csv?action=odd")).await.status.as_u16(), 400);
}

#[tokio::test]
async fn log_entries_and_the_history_are_downloaded() {
    let world = World::new().await;
    let id = world.run("plain", &[]).await.id.to_string();
    world.run("broken", &[]).await;
    let csv = world.page(&format!("/syncs/{id}/logs.csv?status=failed")).await;
    has(&csv, &["at,action,status,model,record,url,before,after,message", "400: no such role"]);
    assert_eq!(csv.lines().count(), 2);
    assert_eq!(world.page(&format!("/syncs/{id}/logs.jsonl")).await.lines().count(), 6);

    let all = world.page("/history.jsonl").await;
    assert_eq!(all.lines().count(), 2);
    let failed = world.page("/history.csv?status=failed").await;
    assert_eq!(failed.matches("list-to-inventory").count(), 1);
    lacks(&failed, &[&id]);
}

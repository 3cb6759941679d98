//! Values that contain markup, control characters, marks of direction, or a megabyte of text.

use crate::world::{HOSTILE, JOB, World, has, lacks};

#[tokio::test]
async fn a_hostile_value_is_inert_on_every_page() {
    let world = World::new().await;
    let id = world.run("hostile", &[("v.site", HOSTILE)]).await.id;
    let of_sync =
        ["", "/diff", "/diff?text=script", "/diff/0", "/diff/1", "/logs", "/logs/0", "/logs/1", "/logs/2", "/lines"];
    let mut paths: Vec<_> = of_sync.iter().map(|path| format!("/syncs/{id}{path}")).collect();
    let encoded: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    paths.extend([
        "/".to_owned(),
        "/history".to_owned(),
        "/logs".to_owned(),
        format!("/jobs/{JOB}"),
        format!("/jobs/{JOB}/run?again={id}"),
        format!("/history?text={encoded}&job={encoded}&from={encoded}"),
        format!("/history?text={encoded}&job={encoded}"),
        format!("/syncs/{id}/diff?text={encoded}&model={encoded}"),
        format!("/syncs/{encoded}"),
        format!("/jobs/{encoded}"),
        format!("/{}", encoded.replace('+', "%20")),
    ]);

    let mut is_shown = false;
    for path in paths {
        let page = world.get(&path).await.text;
        lacks(&page, &["<script>alert", "\u{202e}", "\u{7}", "\u{1b}", "alert(1)\"'"]);
        is_shown |= page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\u{202e}evil");
        assert!(
            page.len() < 300_000 || path.contains("/diff/") || path.contains("/logs/"),
            "{path} has {} bytes",
            page.len()
        );
    }
    assert!(is_shown);
}

#[tokio::test]
async fn a_long_value_is_cut_with_a_way_to_all_of_it() {
    let world = World::new().await;
    let id = world.run("hostile", &[("dry_run", "on")]).await.id;
    let found = world.page(&format!("/syncs/{id}/diff?text=long")).await;
    let link = found.split("class=\"record mono\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    has(&world.page(&link).await, &[&"x".repeat(1 << 20)]);
}

#[tokio::test]
async fn a_hostile_value_is_itself_in_a_download() {
    let world = World::new().await;
    let id = world.run("hostile", &[]).await.id;
    let lines = world.page(&format!("/syncs/{id}/diff.jsonl")).await;
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let names: Vec<_> = lines.lines().filter(|line| line.contains("alert(1)")).collect();
    assert!(!names.is_empty() && first["record"].is_string());
    // Escaped as JSON, a control character does nothing where the file is shown.
    lacks(&lines, &["\u{1b}", "\u{7}"]);
}

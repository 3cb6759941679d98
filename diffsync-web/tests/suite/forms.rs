//! The form of a run.

use axum::http::StatusCode;
use diffsync_history::{PageRequest, SyncFilter, SyncStatus};

use crate::world::{JOB, World, has, lacks};

fn run() -> String {
    format!("/jobs/{JOB}/run")
}

#[tokio::test]
async fn the_form_has_a_field_of_the_right_kind_for_each_variable() {
    let world = World::new().await;
    let page = world.page(&run()).await;
    let control = |name: &str| {
        let at = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name}"));
        let begin = page[..at].rfind('<').unwrap();
        page[begin..].split('>').next().unwrap().to_owned()
    };
    has(&control("v.floor"), &["<input", "type=\"number\"", "required"]);
    has(&control("v.token"), &["type=\"password\"", "autocomplete=\"new-password\""]);
    has(&control("v.twice"), &["<select"]);
    has(&control("v.levels"), &["<textarea"]);
    has(&control("v.site"), &["list=\"v-site-choices\""]);
    has(&control("v.file"), &["list=\"v-file-choices\""]);
    has(&control("dry_run"), &["checkbox", "checked"]);
    has(&control("continue_on_failure"), &["checked"]);
    lacks(&control("memory_profiling"), &["checked"]);
    has(&page, &["What the list holds.", "Empty: plain", "<option value=\"ams\">", "<option value=\"list.json\">"]);
}

#[tokio::test]
async fn a_run_is_started_as_the_form_says_and_goes_on_by_itself() {
    let world = World::new().await;
    let sync = world.run("plain", &[("dry_run", "on"), ("v.levels", "1\r\n2\r\n"), ("v.token", "hunter2")]).await;
    assert!(sync.dry_run);
    assert_eq!((sync.job.as_str(), sync.started_by.as_str()), (JOB, "ada"));
    let asked = world.runs.asked.lock().unwrap().pop().unwrap();
    assert_eq!(asked.values.get("levels"), ["1", "2"]);
    assert_eq!(asked.values.get("token"), ["hunter2"]);
    assert!(asked.dry_run && !asked.memory_profiling && !asked.parallel_loading && asked.continue_on_failure);
    assert!(asked.values.get("site").is_empty());
}

#[tokio::test]
async fn an_error_is_next_to_its_field_and_a_secret_is_not_shown_again() {
    let world = World::new().await;
    let form = [("v.scene", "kept"), ("v.floor", "two"), ("v.token", "hunter2"), ("parallel_loading", "on")];
    let form = [&form[..], &[("v.inventory", "postgres://u:hunter3@db/x"), ("allow_deletes", "site")]].concat();
    let reply = world.post(&run(), &form).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    has(&reply.text, &["It was not started", "expected a model and the new limit", "value=\"kept\"", "1 field below"]);
    lacks(&reply.text, &["hunter2", "hunter3"]);

    let form: Vec<_> = form.into_iter().filter(|(name, _)| *name != "allow_deletes").collect();
    let reply = world.post(&run(), &form).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let field = reply.text.split("id=\"v-floor-error\"").nth(1).unwrap().split("</p>").next().unwrap();
    has(field, &["variable `floor` = &quot;two&quot;"]);
    has(&reply.text, &["aria-invalid=\"true\"", "aria-describedby=\"v-floor-error v-floor-help\""]);
    // What was chosen stays chosen, and what was not, not.
    has(&reply.text, &["name=\"parallel_loading\" checked"]);
    lacks(&reply.text, &["hunter2", "hunter3", "name=\"dry_run\" checked"]);
    assert!(world.history.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn only_files_that_the_owner_allows_can_be_given() {
    let world = World::new().await;
    let files = world.folder.path().join("files").canonicalize().unwrap();
    let secret = world.folder.path().join("history.db");
    for (name, text) in [
        ("v.file", "../history.db"),
        ("v.file", "/etc/passwd"),
        ("v.file", secret.to_str().unwrap()),
        ("v.inventory", "sqlite:///etc/passwd"),
        ("v.inventory", "file:///etc/passwd"),
        ("v.inventory", "sqlite:/etc/passwd"),
        ("v.inventory", "SQLite:///etc/passwd"),
    ] {
        let reply = world.post(&run(), &[("v.floor", "1"), ("dry_run", "on"), (name, text)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
        has(&reply.text, &[&format!("id=\"{}-error\"", name.replace('.', "-"))]);
    }
    assert!(world.runs.asked.lock().unwrap().is_empty());

    world.run("plain", &[("dry_run", "on"), ("v.file", "list.json"), ("v.inventory", "sqlite://new.db")]).await;
    let asked = world.runs.asked.lock().unwrap().pop().unwrap();
    assert_eq!(asked.values.get("file"), [files.join("list.json").to_str().unwrap()]);
    assert_eq!(asked.values.get("inventory"), [format!("sqlite://{}", files.join("new.db").display())]);
}

#[tokio::test]
async fn a_profile_gives_what_the_form_leaves_empty() {
    let world = World::new().await;
    let page = world.page(&format!("{}?profile=emea", run())).await;
    has(
        &page,
        &[
            "name=\"profile\" value=\"emea\"",
            "Empty: the profile&#39;s value, 3",
            "Empty: the profile&#39;s value, [secret]",
        ],
    );
    // The profile says that a run writes, so the box is not checked.
    lacks(&page, &["name=\"dry_run\" checked"]);
    let reply = world.post(&run(), &[("profile", "apac"), ("v.floor", "1")]).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_second_run_that_writes_is_refused_with_the_reason() {
    let world = World::new().await;
    let first = world.begin("waits", &[]).await;
    let reply = world.post(&run(), &[("v.floor", "1")]).await;
    assert_eq!(reply.status, StatusCode::CONFLICT);
    has(&reply.text, &["is in use by sync", &first]);
    world.post(&format!("/syncs/{first}/cancel"), &[]).await;
    world.ended(&first).await;
}

#[tokio::test]
async fn a_run_is_cancelled_and_one_that_has_ended_is_not() {
    let world = World::new().await;
    let id = world.begin("waits", &[]).await;
    has(&world.page(&format!("/syncs/{id}")).await, &["Cancel</button>", "Progress", "load source"]);
    let reply = world.post(&format!("/syncs/{id}/cancel"), &[]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let sync = world.ended(&id).await;
    assert_eq!(sync.status, SyncStatus::Cancelled);
    has(&world.page(&format!("/syncs/{id}")).await, &["It was cancelled"]);

    let again = world.post(&format!("/syncs/{id}/cancel"), &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    has(&again.text, &["has ended"]);
}

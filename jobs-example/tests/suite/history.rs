//! The history of runs: recorded, shown, and what keeps two runs apart.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::program::{Place, Said};

const RUN: [&str; 4] = ["run", "countries-to-inventory", "--file", "countries.json"];

fn run(place: &Place, more: &[&str]) -> Said {
    place.expect(0, &[&RUN[..], more].concat())
}

fn countries() -> Place {
    Place::new().with_data("countries.json")
}

/// Waits until something is so.
fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing happened for a minute");
        sleep(Duration::from_millis(20));
    }
}

fn syncs(place: &Place) -> Vec<Value> {
    place.json(&["history", "list"])["items"].as_array().unwrap().clone()
}

#[test]
fn a_run_is_recorded_and_can_be_looked_at_later() {
    let place = countries();
    run(&place, &[]);
    let report = place.json(&[&RUN[..], &["--apply", "--memory-profiling"]].concat());

    let listed = place.expect(0, &["history", "list"]).out;
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(lines[0].contains("sync     completed    created 237"), "{listed}");
    assert!(lines[1].contains("dry run  completed    create 237"), "{listed}");

    let id = report["sync"].as_str().unwrap();
    let shown = place.expect(0, &["history", "show", "last"]).out;
    for part in
        [id, "by ada", "Published list of countries -> Inventory", "outcomes: created 237", "execute sync", "heap"]
    {
        assert!(shown.contains(part), "no {part}: {shown}");
    }
    assert_eq!(place.expect(0, &["history", "show", &id[..13]]).out, shown);

    let sync = &place.json(&["history", "show", "last"])["sync"];
    assert_eq!(sync["counts"]["created"], report["outcomes"]["created"]);
    assert_eq!(sync["steps"].as_array().unwrap().len(), 4);
    assert!(sync["steps"][0]["memory"]["heap"]["peak"].as_u64().unwrap() > 0, "{sync}");
}

#[test]
fn the_diff_and_what_became_of_the_records_are_shown_page_by_page() {
    let place = countries();
    run(&place, &["--apply"]);
    place.edit("countries.json", "\"France\"", "\"Frankreich\"");

    let all = place.expect(0, &["history", "diff", "last", "--limit", "1000"]).out;
    assert_eq!(all.lines().count(), 237);
    let (mut paged, mut after) = (String::new(), None::<String>);
    loop {
        let mut command = vec!["history", "diff", "last", "--limit", "50"];
        command.extend(after.iter().flat_map(|cursor| ["--after", cursor]));
        let page = place.expect(0, &command).out;
        let (rows, next) = page.split_once("more: --after ").unwrap_or((&page, ""));
        paged.push_str(rows);
        if next.is_empty() {
            break;
        }
        after = Some(next.trim().to_owned());
    }
    assert_eq!(paged, all);

    let found = place.expect(0, &["history", "diff", "last", "--model", "country", "--text", "franc"]).out;
    assert_eq!(found.trim(), "+ country france");
    let logs = place.expect(0, &["history", "logs", "last", "--text", "france"]).out;
    assert!(logs.trim().ends_with("created        country france"), "{logs}");
    assert_eq!(place.expect(0, &["history", "logs", "last", "--status", "failed"]).out, "nothing\n");
    let lines = place.expect(0, &["history", "logs", "last", "--lines"]).out;
    assert!(lines.contains("run started") && lines.contains("run finished"), "{lines}");
}

#[test]
fn an_export_is_json_lines_of_everything_that_is_kept() {
    let place = countries();
    run(&place, &["--apply"]);
    let export = place.expect(0, &["history", "export", "last"]).out;
    let rows: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |kind: &str| rows.iter().filter(|row| row["row"] == kind).count();
    assert_eq!((rows[0]["row"].as_str(), rows[0]["version"].as_u64()), (Some("export"), Some(1)));
    assert_eq!((count("sync"), count("change"), count("entry")), (1, 237, 237));
    assert!(count("line") > 4);
}

#[test]
fn pruning_removes_the_details_and_keeps_the_counts() {
    let place = countries();
    run(&place, &["--apply"]);
    run(&place, &[]);
    let pruned = place.expect(0, &["history", "prune", "--keep-last", "1", "--older-than", "0s"]).out;
    assert!(pruned.ends_with("of 1 syncs\n"), "{pruned}");
    let first = &syncs(&place)[1];
    assert_eq!(first["counts"]["created"], 237);
    let id = first["id"].as_str().unwrap();
    let removed = "nothing is left: the diff and the logs of this sync were removed at ";
    for command in [&["history", "diff", id][..], &["history", "logs", id], &["history", "logs", id, "--lines"]] {
        assert!(place.expect(0, command).out.starts_with(removed), "{command:?}");
    }
    assert_eq!(place.json(&["history", "diff", id])["pruned_at"], first["pruned_at"]);
    // One that is kept has none.
    assert_eq!(place.json(&["history", "diff", "last"])["pruned_at"], Value::Null);
    assert!(place.expect(0, &["history", "show", id]).out.contains("its diff and logs were removed at"));
}

#[test]
fn what_is_not_there_is_named() {
    let place = countries();
    assert_eq!(place.expect(0, &["history", "list"]).out, "no syncs\n");
    place.expect(1, &["history", "show", "last"]).says("sync");
    place.expect(1, &["history", "list", "--database-url", "typo.db"]).says("there is no history `typo.db`");
    assert!(!place.path("typo.db").exists());
    place.expect(1, &["history", "show", "0123"]).says("the history has no sync `0123`");
    place.expect(1, &["history", "list", "--after", "soon"]).says("soon");
    place
        .expect(1, &["history", "list", "--database-url", "oracle://db"])
        .says("it must begin with `sqlite://` or `postgres://`");
}

#[test]
fn a_name_that_nobody_knows_is_a_mistake_and_one_that_selects_nothing_is_not() {
    let place = countries();
    run(&place, &["--apply"]);
    for (command, said) in [
        ("list --job countries-to-inventry", "no job `countries-to-inventry`; did you mean `countries-to-inventory`?"),
        ("prune --job zz", "there is no job `zz`; there is `countries-to-inventory`, `csv-to-postgres`, "),
        ("list --profile zz", "there is no profile `zz`; there is `countries-to-inventory`, "),
        ("list --status complete", "'completed'"),
        ("diff last --model contry", "`countries-to-inventory` has no model `contry`; did you mean `country`?"),
        ("diff last --attribute nmae", "`countries-to-inventory` has no attribute `nmae`; did you mean `name`?"),
        ("diff last --action remove", "[possible values: create, update, delete]"),
        ("logs last --model contry", "did you mean `country`?"),
        ("logs last --status faild", "'failed'"),
        ("logs last --action creat", "'create'"),
    ] {
        let command: Vec<_> = ["history"].into_iter().chain(command.split(' ')).collect();
        place.expect(1, &command).says(said);
    }
    for (command, said) in [
        ("list --job ipam-a-to-ipam-b", "no syncs\n"),
        ("list --status failed", "no syncs\n"),
        ("diff last --action delete", "nothing\n"),
        ("diff last --model region --attribute population", "nothing\n"),
        ("logs last --status rejected", "nothing\n"),
    ] {
        let command: Vec<_> = ["history"].into_iter().chain(command.split(' ')).collect();
        assert_eq!(place.expect(0, &command).out, said, "{command:?}");
    }
    let removed = place.expect(0, &["history", "prune", "--job", "ipam-a-to-ipam-b"]).out;
    assert_eq!(removed, "removed 0 rows of 0 syncs\n");
}

#[test]
fn a_job_by_itself_has_no_profile_anywhere() {
    let place = countries();
    let report = place.json(&RUN);
    fs::write(place.path("profiles.toml"), "[countries-to-inventory.emea.variables]\nfile = \"countries.json\"\n")
        .unwrap();
    let with_profile = place.json(&["run", "countries-to-inventory@emea"]);
    let listed = syncs(&place);
    assert_eq!((&report["profile"], &listed[1]["profile"]), (&Value::Null, &Value::Null));
    assert_eq!((&with_profile["profile"], &listed[0]["profile"]), (&json!("emea"), &json!("emea")));
    let shown = place.expect(0, &["history", "list", "--profile", "countries-to-inventory"]).out;
    assert!(shown.lines().count() == 1 && shown.contains("  countries-to-inventory  "), "{shown}");
}

#[test]
fn a_run_that_did_nothing_is_listed_with_the_reason() {
    let place = countries();
    place.expect(1, &["run", "countries-to-inventory", "--file", "none.json"]);
    place.expect(1, &["run", "countries-to-inventory", "--apply", "--file", "none.json"]);
    let listed = place.expect(0, &["history", "list"]).out;
    for (line, kind) in listed.lines().zip(["sync   ", "dry run"]) {
        assert!(line.contains(&format!("{kind}  failed       the source could not be loaded: ")), "{listed}");
    }
}

#[test]
fn a_history_that_breaks_during_a_run_that_requires_it_is_a_failure() {
    let place = countries();
    let child = waiting(&place, &["--history", "required", "--output", "json"]);
    until(|| syncs(&place).iter().any(|sync| sync["status"] == "running"));
    change_history(&place, "ALTER TABLE history_change RENAME TO history_change_away");
    fs::write(place.path("pipe"), place.read("countries.json")).unwrap();

    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, 1, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["status"], "failed");
    let error = report["error"].as_str().unwrap();
    assert!(
        error.starts_with("the run was ended, since its history cannot be written: cannot record a run: "),
        "{error}"
    );
    assert!(error.ends_with("; nothing was written, 237 not attempted"), "{error}");
    assert_eq!(said.err.matches("error: ").count(), 1, "{}", said.err);
    assert_eq!(syncs(&place)[0]["status"], "failed");
}

#[test]
fn old_details_are_removed_after_a_run_as_the_profiles_say() {
    let place = countries();
    run(&place, &[]);
    run(&place, &[]);
    let pruned = || -> Vec<_> { syncs(&place).iter().map(|sync| !sync["pruned_at"].is_null()).collect() };
    let a_day_passes = || change_history(&place, "DELETE FROM history_lease");
    let set = |more: &str| {
        let text = format!("[history]\nkeep_last = 1\nolder_than = \"0s\"\n{more}");
        fs::write(place.path("profiles.toml"), text).unwrap();
    };

    // By default they are kept for longer, and removed at most once a day.
    a_day_passes();
    run(&place, &[]);
    set("");
    run(&place, &[]);
    assert_eq!(pruned(), [false; 4]);

    a_day_passes();
    set("automatic = false\n");
    run(&place, &[]);
    assert_eq!(pruned(), [false; 5]);

    a_day_passes();
    set("");
    run(&place, &[]);
    assert_eq!(pruned(), [false, true, true, true, true, true]);

    // The command has the same defaults.
    run(&place, &[]);
    place.expect(0, &["history", "prune", "--help"]).says("[default: 1]").says("[default: 0s]");
    assert!(place.expect(0, &["history", "prune"]).out.ends_with("of 1 syncs\n"));
    place.expect(1, &["history", "prune", "--older-than", "5"]).says("a unit is missing, as in 5d");
    place.expect(1, &["history", "prune", "--older-than", "soon"]).says("expected an age such as 90d, 12h or 30m");
}

#[test]
fn without_a_data_folder_the_error_says_how_to_name_a_file() {
    let place = countries();
    let mut command = place.command(&["history", "list"]);
    let said = Said::of(command.env_remove("HOME").output().unwrap());
    said.says("name a file for it with `--database-url FILE` or DIFFSYNC_DATABASE_URL");
    let mut command = place.command(&RUN);
    let said = Said::of(command.env_remove("HOME").output().unwrap());
    assert_eq!(said.code, 0);
    said.says("this run is not recorded").says("`--database-url FILE`");
}

#[test]
fn a_run_without_a_history_is_as_the_policy_says() {
    let place = countries();
    fs::write(place.path("notes.txt"), "this is not a database, but some notes of ours\n").unwrap();
    let url = ["--database-url", "notes.txt"];
    let required = place.expect(1, &[&RUN[..], &["--apply", "--history", "required"], &url].concat());
    required.says("nothing was run, since it cannot be recorded");
    assert!(!place.path("inventory.db").exists());

    let best_effort = place.expect(0, &[&RUN[..], &["--apply"], &url].concat());
    best_effort.says("this run is not recorded");
    assert!(best_effort.out.contains("created 237"));
    assert_eq!(place.read("notes.txt"), "this is not a database, but some notes of ours\n");

    run(&place, &["--history", "off"]);
    assert_eq!(place.expect(0, &["history", "list"]).out, "no syncs\n");
}

/// Changes the history as anybody could.
fn change_history(place: &Place, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(place.path("home/.local/share/diffsync/history.db"));
        let mut history = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut history).await.unwrap();
        history.close().await.unwrap();
    });
}

/// A run that waits for ever, because its source is a pipe without a writer.
fn waiting(place: &Place, more: &[&str]) -> Child {
    if !place.path("pipe").exists() {
        assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    }
    let job = ["run", "countries-to-inventory", "--apply", "--file", "pipe"];
    let mut command = place.command(&[&job[..], more].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_second_run_of_a_job_is_refused_and_a_dry_run_is_not() {
    let place = countries();
    let mut first = waiting(&place, &[]);
    until(|| syncs(&place).iter().any(|sync| sync["status"] == "running"));

    let second = place.expect(4, &[&RUN[..], &["--apply"]].concat());
    let in_use = "`job:countries-to-inventory` is in use by sync";
    second.says(&format!("error: {in_use}")).says("countries-to-inventory: refused\n");
    // It is recorded, and reported as any other run.
    let report = place.json(&[&RUN[..], &["--apply"]].concat());
    assert_eq!(
        (&report["status"], &report["steps"], &report["dry_run"]),
        (&json!("refused"), &json!([]), &json!(false))
    );
    assert!(report["error"].as_str().unwrap().starts_with(in_use), "{report}");
    assert_eq!(report["sync"], syncs(&place)[0]["id"]);
    let lines = place.expect(0, &["history", "list", "--status", "refused"]).out;
    assert_eq!(lines.matches(&format!("sync     refused      {in_use}")).count(), 2, "{lines}");
    run(&place, &[]);

    first.kill().unwrap();
    first.wait().unwrap();
    // The process is gone, so that its lease need not be waited for.
    run(&place, &["--apply"]);
    let statuses: Vec<_> = syncs(&place).iter().map(|sync| sync["status"].clone()).collect();
    assert_eq!(statuses, ["completed", "completed", "refused", "refused", "interrupted"]);
}

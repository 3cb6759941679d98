//! The history of runs: recorded, shown, and what keeps two runs apart.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

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
    assert_eq!(place.expect(0, &["history", "diff", id]).out, "nothing\n");
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
    second.says("`job:countries-to-inventory@countries-to-inventory` is in use by sync");
    run(&place, &[]);

    first.kill().unwrap();
    first.wait().unwrap();
    // The process is gone, so that its lease need not be waited for.
    run(&place, &["--apply"]);
    let statuses: Vec<_> = syncs(&place).iter().map(|sync| sync["status"].clone()).collect();
    assert_eq!(statuses, ["completed", "completed", "interrupted"]);
}

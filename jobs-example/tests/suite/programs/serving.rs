//! A program that is built on diffsync, run by a host: what it leaves behind is what it leaves behind by itself.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::JOBS;
use crate::program::{Place, Said};

const RUN: [&str; 4] = ["run", "countries-to-inventory", "--file", "countries.json"];

fn place() -> Place {
    Place::new().with_data("countries.json").with_jobs()
}

/// A document without what differs from run to run.
fn timeless(mut document: Value) -> Value {
    match &mut document {
        Value::Object(entries) => {
            for key in ["at", "sync", "duration_seconds", "seconds", "id", "started_at", "ended_at", "pid", "memory"] {
                entries.remove(key);
            }
            entries.values_mut().for_each(|value| *value = timeless(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| *value = timeless(value.take())),
        _ => {}
    }
    document
}

#[test]
fn its_jobs_are_listed_and_shown_as_those_of_the_host() {
    let place = place();
    let said = place.host(0, &["list"]);
    assert!(said.out.contains("countries-to-inventory"), "{}", said.out);
    assert_eq!(said.err, "");
    let ids = |listed: &Value| listed.as_array().unwrap().iter().map(|job| job["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&place.host_json(&["list"])), ids(&place.json(&["list"])));

    let show = ["show", "countries-to-inventory"];
    let shown = place.host(0, &show).out;
    for part in [
        "country: identified by slug, under region",
        "--inventory [default: sqlite://inventory.db]",
        "in the job program `",
    ] {
        assert!(shown.contains(part), "no {part}: {shown}");
    }
    let (linked, hosted) = (place.json(&show), place.host_json(&show));
    for key in ["id", "name", "description", "source_label", "kind", "data_mappings", "variables", "on_guard", "limits"]
    {
        assert_eq!(hosted[key], linked[key], "{key}");
    }
    let help = place.host(0, &["run", "countries-to-inventory", "--help"]).out;
    assert!(help.contains("--file") && help.contains("--allow-deletes") && !help.contains("--undo-file"), "{help}");
}

#[test]
fn a_run_is_reported_and_recorded_as_one_of_the_program_itself() {
    let (alone, hosted) = (place(), place());
    for more in [&[][..], &["--apply"], &["--apply", "--log-unchanged-records"]] {
        let run = [&RUN[..], more].concat();
        let (mut of_itself, mut of_host) = (timeless(alone.json(&run)), timeless(hosted.host_json(&run)));
        // The host knows the variables that were given.
        of_itself["config"].take();
        of_host["config"].take();
        assert_eq!(of_host, of_itself, "{more:?}");

        let show = |mut document: Value| {
            let mut sync = timeless(document["sync"].take());
            assert!(sync["status"].is_string(), "{sync}");
            sync["lines"].take();
            sync
        };
        let of_itself = show(alone.json(&["history", "show", "last"]));
        assert_eq!(show(hosted.host_json(&["history", "show", "last"])), of_itself, "{more:?}");
        for rows in [&["history", "diff", "last", "--limit", "1000"], &["history", "logs", "last", "--limit", "1000"]] {
            let sorted = |document: Value| {
                let mut items = timeless(document)["items"].as_array().unwrap().clone();
                items.sort_by_key(ToString::to_string);
                items
            };
            assert_eq!(sorted(hosted.host_json(rows)), sorted(alone.json(rows)), "{more:?} {rows:?}");
        }
    }
    let lines = hosted.host(0, &["history", "logs", "last", "--lines"]).out;
    assert!(lines.contains("run started") && lines.contains("run finished"), "{lines}");
}

#[test]
fn the_text_of_a_report_is_the_same() {
    let (alone, hosted) = (place(), place());
    let text = |said: Said| {
        let is_timeless =
            |line: &&str| !["load ", "calculate", "execute", "whole run"].iter().any(|step| line.contains(step));
        said.out
            .lines()
            .filter(is_timeless)
            .filter(|line| !line.starts_with("  file") && !line.starts_with("  inventory"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for more in [&[][..], &["--apply"]] {
        let run = [&RUN[..], more].concat();
        assert_eq!(text(hosted.host(0, &run)), text(alone.expect(0, &run)), "{more:?}");
    }
}

#[test]
fn guards_filters_and_limit_overrides_reach_the_program() {
    let place = place();
    place.host(0, &[&RUN[..], &["--apply"]].concat());
    let all: Value = serde_json::from_str(&place.read("countries.json")).unwrap();
    let few: Vec<_> = all.as_array().unwrap().iter().take(20).collect();
    fs::write(place.path("countries.json"), json!(few).to_string()).unwrap();

    let said = place.host(4, &[&RUN[..], &["--apply"]].concat());
    said.says("error: the run would exceed its limits").says("--allow-deletes country=");
    let sync = &place.host_json(&["history", "show", "last"])["sync"];
    assert_eq!((&sync["status"], sync["breaches"].as_array().map(Vec::len)), (&json!("refused"), Some(1)));

    let only = place.host_json(&[&RUN[..], &["--only", "region"]].concat());
    assert_eq!(only["summary"]["models"][1]["delete"], 0, "{only}");
    let lifted = [&RUN[..], &["--apply", "--allow-deletes", "country=100%", "--allow-deletes", "region=100%"]].concat();
    assert!(place.host_json(&lifted)["outcomes"]["deleted"].as_u64().unwrap() > 200);
}

#[test]
fn a_wrong_variable_is_told_before_anything_is_loaded() {
    let place = place();
    let said = place.host(1, &["run", "countries-to-inventory", "--inventory", "nonsense"]);
    said.says("error: variable `inventory` = \"nonsense\": it must be a URL");
    place.host(1, &["run", "countries-to-inventory", "--nonsense"]);
    place.host(1, &["check", "countries-to-inventory"]).says("can list, show and run");
    place.host(1, &["plan", "countries-to-inventory", "-o", "x"]).says("can list, show and run");
}

#[test]
fn a_profile_configures_a_job_of_another_program() {
    let place = place();
    fs::write(
        place.path("profiles.toml"),
        "[countries-to-inventory.small]\nmode = 'apply'\nvariables = { file = 'countries.json', inventory = 'sqlite://small.db' }\n\
         options = { retries = 0 }\n",
    )
    .unwrap();
    place.host(0, &["run", "countries-to-inventory@small"]).says("created 237");
    assert!(place.path("small.db").exists());
    place.host(0, &["history", "list"]).says("countries-to-inventory@small");
    // Without its program the profile is no mistake, as long as another command is meant.
    fs::remove_file(place.path("jobs/jobs-example")).unwrap();
    place.host(0, &["history", "list"]);
}

#[test]
fn the_host_takes_the_leases_of_the_job_and_of_the_target() {
    let place = place();
    fs::write(
        place.path("profiles.toml"),
        "[countries-to-inventory.one]\nvariables = { file = 'pipe' }\n[countries-to-inventory.two]\n",
    )
    .unwrap();
    // A reader of the pipe waits for ever, and the target is locked meanwhile.
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    let mut first = place.host_begun(&["run", "countries-to-inventory@one", "--apply", "--parallel-loading"]);
    let two = ["run", "countries-to-inventory@two", "--apply", "--file", "countries.json"];
    let begun = Instant::now();
    while !place.path("home/.local/share/diffsync/history.db").exists() {
        assert!(begun.elapsed() < Duration::from_mins(1));
        sleep(Duration::from_millis(50));
    }
    sleep(Duration::from_secs(2));
    place.host(4, &["run", "countries-to-inventory@one", "--apply"]).says("is in use by sync");
    place.host(4, &two).says("`target:").says("is in use by sync");

    assert!(Command::new("kill").args(["-KILL", &first.id().to_string()]).status().unwrap().success());
    first.wait().unwrap();
    // Its program has seen the end of its input, and the lease of a process that is gone is not waited for.
    place.host(0, &two);
}

#[test]
fn its_events_are_printed_as_they_come() {
    let place = place();
    let said = place.host(0, &[&RUN[..], &["--apply", "--output", "jsonl"]].concat());
    let events: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((of("run_started"), of("change"), of("record_done"), of("run_finished")), (1, 237, 237, 1));
    assert_eq!(of("lock_target"), 0, "it is between the program and its host");
    assert!(events[0]["sync"].is_string() && events[0]["event"] == "run_started");
}

#[test]
fn a_program_ends_when_its_host_is_gone() {
    let place = place();
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    let mut program = place.command_of(JOBS, &["protocol", "run"]);
    let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let request = json!({
        "command": "run", "protocol": 1, "job": "countries-to-inventory", "dry_run": true, "variables": {"file": "pipe"},
    });
    let mut input = program.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, format!("{request}\n").as_bytes()).unwrap();
    sleep(Duration::from_millis(500));
    assert!(program.try_wait().unwrap().is_none());
    drop(input);
    // The loader waits for the pipe, and does not notice that it is cancelled.
    let begun = Instant::now();
    assert_eq!(program.wait_with_output().unwrap().status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_request_that_is_not_understood_is_refused() {
    let place = place();
    let ask = |request: &str| {
        fs::write(place.path("request"), format!("{request}\n")).unwrap();
        let input = fs::File::open(place.path("request")).unwrap();
        Said::of(place.command_of(JOBS, &["protocol", "run"]).stdin(input).output().unwrap())
    };
    let request = |more: &Value| {
        let mut request = json!({"command": "run", "protocol": 1, "job": "countries-to-inventory", "dry_run": true});
        more.as_object().unwrap().iter().for_each(|(key, value)| request[key] = value.clone());
        request.to_string()
    };
    for (line, error) in [
        ("", "the first line of the host is no request"),
        (r#"{"command":"write"}"#, "the first line of the host must ask for a run"),
        (&request(&json!({"protocol": 2})), "the host speaks version 2 of the protocol"),
        (&request(&json!({"job": "countries"})), "there is no job `countries`"),
        (&request(&json!({"options": {"only_mondays": true}})), "the first line of the host is no request"),
    ] {
        let said = ask(line);
        assert_eq!((said.code, &*said.out), (1, ""), "{line}");
        said.says(error);
    }
    for (more, error) in [
        (json!({"variables": {"fiel": "x"}}), "has no variable `fiel`"),
        (json!({"variables": {"file": 7}}), "the variable `file` must be a text"),
        (json!({"options": {"flags": ["skip_all"]}}), "there is no flag"),
    ] {
        let said = ask(&request(&more));
        let last: Value = serde_json::from_str(said.out.lines().last().unwrap()).unwrap();
        assert_eq!(last["status"], "failed");
        assert!(last["error"].as_str().unwrap().contains(error), "{last}");
    }
}

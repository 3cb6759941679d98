//! The event stream: what `--output jsonl` prints while a run goes on.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Place, Said};

const RUN: [&str; 4] = ["run", "countries-to-inventory", "--file", "countries.json"];
const STREAM: [&str; 2] = ["--output", "jsonl"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more, &STREAM].concat()
}

fn countries() -> Place {
    Place::new().with_data("countries.json")
}

/// A place with a list of so many countries.
fn many(countries: usize) -> Place {
    let place = Place::new();
    let row =
        |number| json!({"country": format!("c{number}"), "pop2021": "1", "area": 1, "region": "r", "subregion": ""});
    fs::write(place.path("countries.json"), serde_json::to_vec(&(0..countries).map(row).collect::<Vec<_>>()).unwrap())
        .unwrap();
    place
}

fn events(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

/// Nothing is left to do.
fn assert_done(place: &Place, records: usize) {
    assert_eq!(place.json(&RUN)["summary"]["total"]["no_change"], records);
}

#[test]
fn a_run_prints_its_events_in_order_and_no_report() {
    let place = countries();
    let said = place.expect(0, &with(&["--apply", "--memory-profiling"]));
    assert_eq!(said.err, "");
    let events = events(&said.out);

    let (first, last) = (&events[0], &events[events.len() - 1]);
    assert_eq!(
        (&first["event"], &first["stream"], &first["dry_run"]),
        (&json!("run_started"), &json!(1), &json!(false))
    );
    assert_eq!(first["sync"], place.json(&["history", "show", "last"])["sync"]["id"]);
    assert_eq!((&last["event"], &last["status"]), (&json!("run_finished"), &json!("completed")));
    assert_eq!(last["counts"]["created"], 237);

    let steps: Vec<_> = of(&events, "step_finished").iter().map(|event| event["step"].clone()).collect();
    assert_eq!(steps, ["load_source", "load_target", "calculate_diff", "execute_sync"]);
    assert!(of(&events, "step_finished")[0]["memory"]["heap"]["peak"].as_u64().unwrap() > 0);
    assert_eq!(of(&events, "step_started").len(), 4);
    let written = of(&events, "progress").into_iter().rfind(|event| event["step"] == "execute_sync").unwrap();
    assert_eq!((&written["done"], &written["total"]), (&json!(237), &json!(237)));

    let changes = of(&events, "change");
    assert_eq!(changes.len(), 237);
    for (seq, change) in changes.iter().enumerate() {
        assert_eq!(change["seq"], seq);
        assert!(change["parent"].as_u64().is_none_or(|parent| parent < seq as u64), "{change}");
    }
    let place_of = |kind: &str| events.iter().position(|event| event["event"] == kind).unwrap();
    assert!(place_of("change") < place_of("diff_ready") && place_of("diff_ready") < place_of("record_done"));
    let ready = of(&events, "diff_ready")[0];
    assert_eq!(ready["counts"]["total"]["create"], 237);
    assert!(ready["resource"].as_str().is_some_and(|name| name.contains("inventory.db")), "{ready}");

    let done = of(&events, "record_done");
    assert_eq!(done.len(), 237);
    for record in done {
        let change = changes[usize::try_from(record["seq"].as_u64().unwrap()).unwrap()];
        assert_eq!((&record["record"], &record["model"]), (&change["record"], &change["model"]));
        assert_eq!(record["outcome"], "created");
    }
    assert!(of(&events, "log").iter().any(|line| line["message"] == "run finished"), "{events:?}");
    assert_done(&place, 237);
}

#[test]
fn a_dry_run_has_a_diff_and_no_outcomes() {
    let place = countries();
    let said = place.expect(0, &with(&[]));
    let events = events(&said.out);
    assert_eq!((of(&events, "change").len(), of(&events, "record_done").len()), (237, 0));
    assert_eq!(of(&events, "diff_ready")[0]["resource"], Value::Null);
    assert_eq!(said.err, "run it again with --apply to write this\n");
    assert_eq!(place.expect(2, &with(&["--detailed-exitcode", "-q"])).err, "");
}

#[test]
fn a_plan_and_its_application_print_their_events_too() {
    let place = countries();
    let plan = ["plan", "countries-to-inventory", "--file", "countries.json", "-o", "plan.jsonl"];
    let planned = events(&place.expect(0, &[&plan[..], &STREAM].concat()).out);
    assert_eq!(planned[0]["dry_run"], true);
    let applied = events(&place.expect(0, &[&["apply", "plan.jsonl"][..], &STREAM].concat()).out);
    assert_eq!(
        (&planned[0]["job"], &applied[0]["job"]),
        (&json!("countries-to-inventory"), &json!("countries-to-inventory"))
    );
    assert_eq!(of(&applied, "record_done").len(), 237);
}

#[test]
fn a_refused_run_says_so_in_its_stream_and_by_its_exit_code() {
    let place = countries();
    place.expect(0, &[&RUN[..], &["--apply"]].concat());
    fs::write(place.path("countries.json"), "[]").unwrap();
    let said = place.expect(4, &with(&["--apply"]));
    said.says("error: ");
    let events = events(&said.out);
    let last = &events[events.len() - 1];
    assert_eq!(last["status"], "refused");
    assert!(said.err.contains(last["error"].as_str().unwrap().lines().next().unwrap()), "{}", said.err);
}

#[test]
fn the_limits_that_a_run_would_exceed_are_known_with_its_diff() {
    let place = countries();
    place.expect(0, &[&RUN[..], &["--apply"]].concat());
    let rows: Vec<Value> = serde_json::from_str(&place.read("countries.json")).unwrap();
    let kept: Vec<_> = rows.into_iter().filter(|row| row["region"] != "Europe" && row["region"] != "Asia").collect();
    fs::write(place.path("countries.json"), serde_json::to_vec(&kept).unwrap()).unwrap();
    let held = events(&place.expect(3, &with(&["--on-guard", "hold", "--apply"])).out);
    let breach = &of(&held, "diff_ready")[0]["breaches"][0];
    assert_eq!((&breach["operation"], &breach["limit"]), (&json!("delete"), &json!("30%")), "{breach}");
    assert!(of(&held, "change").iter().any(|change| change["held"] == "held"));
    let outcomes = of(&held, "record_done");
    assert!(outcomes.iter().any(|done| done["outcome"] == "held" && done["reason"] == "a guard held it back"));
}

#[test]
fn what_is_wrong_with_a_record_is_an_event() {
    let place = Place::new();
    let row = json!({"country": "Atlantis", "pop2021": "1", "area": 1, "region": "r", "subregion": "s"});
    fs::write(place.path("countries.json"), serde_json::to_vec(&[&row, &row]).unwrap()).unwrap();
    let said = place.run(&with(&["--max-rejected", "100"]));
    let events = events(&said.out);
    let problem = of(&events, "problem")[0];
    assert_eq!((&problem["side"], &problem["rejects"]), (&json!("source"), &json!(true)), "{problem}");
    assert!(problem["text"].as_str().unwrap().contains("occurs 2 times"), "{problem}");
}

#[test]
fn characters_that_could_deceive_a_reader_are_escaped() {
    let place = Place::new();
    let row = json!({"country": "a\u{1b}[2Kb\u{202e}", "pop2021": "1", "area": 1, "region": "r", "subregion": "s"});
    fs::write(place.path("countries.json"), serde_json::to_vec(&[row]).unwrap()).unwrap();
    let said = place.expect(0, &with(&["--apply", "-v", "--log-format", "json"]));
    assert!(!said.out.contains(['\u{1b}', '\u{202e}']) && !said.err.contains(['\u{1b}', '\u{202e}']), "{:?}", said.out);
    let change = events(&said.out).into_iter().find(|event| event["model"] == "country").unwrap();
    assert!(change["changes"].to_string().contains('\u{202e}'), "{change}");
}

#[test]
fn a_reader_that_leaves_does_not_end_the_run() {
    let place = many(5_000);
    let mut child = place.command(&with(&["--apply"])).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("run_started"), "{line}");
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_done(&place, 5_001);
}

#[test]
fn a_full_disk_is_reported_and_does_not_end_the_run() {
    let place = many(500);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = place.command(&with(&["--apply"])).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: standard output cannot be written: "), "{error}");
    assert_done(&place, 501);
}

#[test]
fn a_slow_reader_gets_every_event() {
    let place = many(20_000);
    let mut child = place.command(&with(&["--apply"])).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // Longer than the pipe and the queue hold.
    sleep(Duration::from_secs(2));
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let events = events(&out);
    assert_eq!((of(&events, "change").len(), of(&events, "record_done").len()), (20_001, 20_001));
}

#[test]
fn two_signals_end_a_run_whose_stream_is_not_read() {
    let place = many(20_000);
    let mut child = place.command(&with(&["--apply"])).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    sleep(Duration::from_secs(3));
    assert!(child.try_wait().unwrap().is_none(), "the stream is longer than a pipe holds");
    for _ in 0..2 {
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        sleep(Duration::from_millis(300));
    }
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        sleep(Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

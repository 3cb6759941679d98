//! Ctrl-C, SIGTERM and SIGHUP: the first lets what is in flight end, a second one ends the program at once.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::program::{Place, Said};

/// More countries than are written in one transaction.
const MANY: usize = 25_000;

/// A place whose inventory holds the first of its countries.
fn place() -> Place {
    let place = Place::new();
    let row =
        |number| json!({"country": format!("c{number}"), "pop2021": "1", "area": 1, "region": "r", "subregion": ""});
    let rows: Vec<Value> = (0..MANY).map(row).collect();
    fs::write(place.path("first.json"), serde_json::to_vec(&rows[..1]).unwrap()).unwrap();
    fs::write(place.path("countries.json"), serde_json::to_vec(&rows).unwrap()).unwrap();
    place.expect(0, &["run", "countries-to-inventory", "--apply", "--file", "first.json"]);
    place
}

fn begun(place: &Place, file: &str) -> Child {
    let job = ["run", "countries-to-inventory", "--apply", "--output", "json", "--file", file];
    let job = [&job[..], &["--undo-file", "undo.jsonl"]].concat();
    place.command(&job).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until something is so.
fn until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it takes too long");
        sleep(Duration::from_millis(5));
    }
}

/// A reader of the inventory, which keeps others from committing changes meanwhile.
async fn reader(place: &Place) -> SqliteConnection {
    let mut reader = SqliteConnectOptions::new().filename(place.path("inventory.db")).connect().await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM sqlite_master").execute(&mut reader).await.unwrap();
    reader
}

#[tokio::test]
async fn the_first_signal_ends_a_run_in_good_order() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let place = place();
        let reader = reader(&place).await;
        let mut child = begun(&place, "countries.json");
        // The first records are in flight.
        until(|| place.path("inventory.db-journal").exists());
        signal(&child, name);
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut err = String::new();
        while !err.contains("ending: calls in flight are finished") {
            assert_ne!(errors.read_line(&mut err).unwrap(), 0, "{err}");
        }
        reader.close().await.unwrap();
        let output = child.wait_with_output().unwrap();
        errors.read_to_string(&mut err).unwrap();
        let said = Said { err, ..Said::of(output) };
        assert_eq!(said.code, 130, "{}{}", said.out, said.err);
        assert!(said.err.contains("error: the run was cancelled"), "{}", said.err);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["status"], "cancelled");
        let count = |name: &str| usize::try_from(report["outcomes"][name].as_u64().unwrap()).unwrap();
        assert!(count("created") > 0 && count("not_attempted") > 0, "{}", report["outcomes"]);
        assert_eq!(count("created") + count("not_attempted"), MANY - 1);
        // What it says it did is what is there, and can be taken back.
        let job = ["run", "countries-to-inventory", "--file", "countries.json"];
        assert_eq!(place.json(&job)["outcomes"]["unchanged"], count("created") + 2, "a region and its first country");
        place.expect(0, &["apply", "undo.jsonl", "--allow-deletes", "country=100%"]);
        assert_eq!(place.json(&job)["outcomes"]["unchanged"], 2);
    }
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    let place = Place::new();
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    // Nobody writes into the pipe, so the loader waits for ever.
    let mut child = begun(&place, "pipe");
    sleep(Duration::from_millis(500));
    signal(&child, "-INT");
    sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "the loader is still at it");
    signal(&child, "-INT");
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!((said.code, said.out.as_str()), (130, ""));
    said.says("ended at once: records in flight may or may not have been written");
}

/// A program that is killed leaves an undo plan for what it did.
#[test]
fn a_run_that_is_killed_can_be_taken_back() {
    let place = place();
    let mut child = begun(&place, "countries.json");
    let lines = || fs::read_to_string(place.path("undo.jsonl")).map_or(0, |text| text.lines().count());
    until(|| lines() > 1);
    signal(&child, "-KILL");
    child.wait().unwrap();

    let said = place.expect(0, &["apply", "undo.jsonl", "--allow-deletes", "country=100%"]);
    assert!(said.err.contains("this undo plan is from a run that was interrupted"), "{}", said.err);
    // What was written after the last entry is at most one more call.
    let job = ["run", "countries-to-inventory", "--file", "countries.json"];
    let left = usize::try_from(place.json(&job)["outcomes"]["unchanged"].as_u64().unwrap()).unwrap() - 2;
    assert!(left <= 10_000, "{left} are left");
}

//! Ctrl-C and SIGTERM: the first lets what is in flight end, a second one ends the program at once.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Place, Said};

/// More countries than are written in the time that it takes to send a signal.
const MANY: usize = 5_000;

fn place() -> Place {
    let place = Place::new();
    let row =
        |number| json!({"country": format!("c{number}"), "pop2021": "1", "area": 1, "region": "r", "subregion": ""});
    let rows: Vec<Value> = (0..MANY).map(row).collect();
    fs::write(place.path("countries.json"), serde_json::to_vec(&rows).unwrap()).unwrap();
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

#[test]
fn the_first_signal_ends_a_run_in_good_order() {
    for name in ["-INT", "-TERM"] {
        let place = place();
        let child = begun(&place, "countries.json");
        // The inventory is made when the first record is written.
        until(|| place.path("inventory.db").exists());
        signal(&child, name);
        let said = Said::of(child.wait_with_output().unwrap());
        assert_eq!(said.code, 130, "{}{}", said.out, said.err);
        assert!(said.err.contains("ending: what is in flight is finished"), "{}", said.err);
        assert!(said.err.contains("error: the run was cancelled"), "{}", said.err);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["status"], "cancelled");
        let count = |name: &str| usize::try_from(report["outcomes"][name].as_u64().unwrap()).unwrap();
        assert!(count("created") > 0 && count("not_attempted") > 0, "{}", report["outcomes"]);
        assert_eq!(count("created") + count("not_attempted"), MANY + 1);
        // What it says it did is what is there, and can be taken back.
        let job = ["run", "countries-to-inventory", "--file", "countries.json"];
        assert_eq!(place.json(&job)["outcomes"]["unchanged"], count("created"));
        let all = ["--allow-deletes", "country=100%", "--allow-deletes", "region=1"];
        place.expect(0, &[&["apply", "undo.jsonl"][..], &all].concat());
        assert_eq!(place.json(&job)["outcomes"]["unchanged"], 0);
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
    said.says("ended at once: what was in flight may or may not have been written");
}

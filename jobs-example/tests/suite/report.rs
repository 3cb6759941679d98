//! The report as text: what is never cut, what is escaped, and that nothing about showing it ends a run.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Place, Said};

const RUN: &[&str] = &["run", "countries-to-inventory", "--file", "countries.json"];

/// Writes a list of countries of these names.
fn list(place: &Place, names: impl IntoIterator<Item = String>) {
    let row = |name| json!({"country": name, "pop2021": "1", "area": 1, "region": "r", "subregion": "s"});
    let rows: Vec<Value> = names.into_iter().map(row).collect();
    fs::write(place.path("countries.json"), serde_json::to_vec(&rows).unwrap()).unwrap();
}

fn numbered(prefix: &str, numbers: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    numbers.map(move |number| format!("{prefix}{number}"))
}

/// A place where 150 countries are to be created, and three of ten deleted.
fn many_creates_and_three_deletes() -> Place {
    let place = Place::new();
    list(&place, numbered("old", 0..10));
    place.expect(0, &[RUN, &["--apply"]].concat());
    list(&place, numbered("new", 0..150).chain(numbered("old", 3..10)));
    place
}

fn count(said: &Said, beginning: &str) -> usize {
    said.out.lines().filter(|line| line.trim_start().starts_with(beginning)).count()
}

#[test]
fn deletes_are_shown_however_many_creates_there_are() {
    let place = many_creates_and_three_deletes();
    let said = place.expect(0, RUN);
    assert_eq!(count(&said, "- country old"), 3, "{}", said.out);
    assert!(count(&said, "+ country new") < 150, "{}", said.out);
    said.says("more lines of creates and updates; --full shows all");

    let said = place.expect(0, &[RUN, &["--full"]].concat());
    assert_eq!((count(&said, "- country old"), count(&said, "+ country new")), (3, 150), "{}", said.out);
    assert!(!said.out.contains("more lines"), "{}", said.out);
}

#[test]
fn what_is_held_back_is_shown_however_many_other_lines_there_are() {
    let place = Place::new();
    list(&place, numbered("old", 0..200));
    place.expect(0, &[RUN, &["--apply"]].concat());
    list(&place, numbered("new", 0..150));

    let said = place.expect(3, &[RUN, &["--on-guard", "hold"]].concat());
    assert_eq!(count(&said, "- country old"), 200, "{}", said.out);
    let said = place.expect(3, &[RUN, &["--on-guard", "hold", "--apply"]].concat());
    // The first ones are repeated at the end.
    let (out, _) = said.out.split_once("\nnot written, the first 10 of 200:\n").unwrap();
    let said = Said { out: out.to_owned(), ..said };
    assert_eq!(count(&said, "delete country \"old"), 200, "{}", said.out);
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let place = many_creates_and_three_deletes();
    assert!(!place.expect(0, RUN).out.contains('\u{1b}'));
    let said = place.expect(0, &[RUN, &["--color", "always"]].concat());
    said.says("\u{1b}[31m  - country old0\u{1b}[0m").says("\u{1b}[32m");
    assert!(!place.expect(0, &[RUN, &["--color", "never"]].concat()).out.contains('\u{1b}'));
    place.expect(1, &[RUN, &["--color", "pink"]].concat()).says("[possible values: auto, always, never]");
}

#[test]
fn characters_that_could_deceive_a_reader_are_escaped_in_reports_documents_and_logs() {
    let deceptive = ["x\u{1b}[2Ky", "x\u{9b}31my", "x\u{7f}y", "x\u{202e}y", "x\ny", "x\u{2066}y"];
    let is_deceptive =
        |letter: char| letter != '\n' && (letter.is_control() || ('\u{202a}'..='\u{2069}').contains(&letter));
    let place = Place::new();
    list(&place, deceptive.iter().enumerate().map(|(number, text)| format!("{number}{text}")));
    place.expect(0, &[RUN, &["--apply"]].concat());
    list(&place, deceptive.iter().enumerate().map(|(number, text)| format!("{number}{text}{text}")));
    place.expect(0, &[RUN, &["--apply", "--allow-deletes", "country=100%"]].concat());
    // The same slugs with other names are updates, which show both.
    list(&place, deceptive.iter().enumerate().map(|(number, text)| format!("{number}{text}{text}\u{202e}")));

    let said = place.run(&[RUN, &["-vvv"]].concat());
    assert!(said.out.contains("~ country"), "{}", said.out);
    assert!(!said.out.contains(is_deceptive) && !said.err.contains(is_deceptive), "{:?} {:?}", said.out, said.err);
    said.says("\\u{202e}");

    let said = place.run(&[RUN, &["--output", "json"]].concat());
    assert!(!said.out.contains(is_deceptive), "{:?}", said.out);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert!(report["diff"].to_string().contains("x\u{202e}yx\u{202e}y\u{202e}"), "{}", report["diff"]);
}

#[test]
fn a_log_that_cannot_be_written_does_not_end_a_run() {
    let place = Place::new();
    list(&place, numbered("c", 0..500));
    let arguments = [RUN, &["--apply", "-vvv", "--undo-file", "undo.jsonl"]].concat();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = place.command(&arguments).stderr(full).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    place.expect(0, &["apply", "undo.jsonl", "--allow-deletes", "country=100%", "--allow-deletes", "region=100%"]);
}

#[test]
fn a_closed_pipe_does_not_end_a_run() {
    let place = Place::new();
    list(&place, numbered("c", 0..500));
    let mut child = place
        .command(&[RUN, &["--apply", "-vvv"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::with_capacity(64, child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let report = place.json(RUN);
    assert_eq!(report["summary"]["total"]["no_change"], 501, "{}", report["summary"]);
}

#[test]
fn two_signals_end_a_run_whose_log_is_not_read() {
    let place = Place::new();
    list(&place, numbered("c", 0..20_000));
    let mut child = place
        .command(&[RUN, &["--apply", "-vvv"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The pipe is full soon, and the run waits for somebody to read it.
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().unwrap().is_none(), "the log is longer than a pipe holds");
    for _ in 0..2 {
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        std::thread::sleep(Duration::from_millis(300));
    }
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut log = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut log).unwrap();
}

#[test]
fn the_first_records_that_were_not_written_are_repeated_at_the_end() {
    let place = Place::new();
    list(&place, numbered("old", 0..200));
    place.expect(0, &[RUN, &["--apply"]].concat());
    list(&place, numbered("new", 0..1));

    let hold = [RUN, &["--on-guard", "hold", "--apply"]].concat();
    let said = place.expect(3, &hold);
    let (_, end) = said.out.rsplit_once("\nnot written, the first 10 of 200:\n").unwrap();
    let lines: Vec<_> = end.lines().collect();
    assert_eq!(lines.len(), 11, "{end}");
    assert!(lines[..10].iter().all(|line| line.starts_with("  delete country \"old")), "{end}");
    let command = lines[10].trim().strip_prefix('`').and_then(|rest| rest.strip_suffix("` shows all")).unwrap();
    assert!(command.starts_with("history logs ") && command.ends_with(" --status held"), "{command}");
    let shown = place.expect(0, &[&command.split(' ').collect::<Vec<_>>()[..], &["--limit", "1000"]].concat());
    assert_eq!(shown.out.lines().count(), 200, "{}", shown.out);

    // What is not recorded is shown by the report itself.
    let said = place.expect(3, &[&hold[..], &["--history", "off"]].concat());
    assert!(said.out.ends_with("  --full shows all\n"), "{}", said.out);
}

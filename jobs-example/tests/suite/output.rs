//! What the program says besides its reports: nothing when it is quiet, JSON where that is asked for, and progress.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Place, Said};

const RUN: [&str; 4] = ["run", "countries-to-inventory", "--file", "countries.json"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more].concat()
}

fn countries() -> Place {
    Place::new().with_data("countries.json")
}

/// A place from whose list most countries have gone since the inventory was filled.
fn few_left() -> Place {
    let place = countries();
    place.expect(0, &with(&["--apply"]));
    let rows: Vec<Value> = serde_json::from_str(&place.read("countries.json")).unwrap();
    let kept: Vec<_> = rows.into_iter().filter(|row| row["region"] == "Europe").collect();
    std::fs::write(place.path("countries.json"), serde_json::to_vec(&kept).unwrap()).unwrap();
    place
}

fn logged(said: &Said) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    said.err.lines().map(line).collect()
}

#[test]
fn a_quiet_run_says_nothing_if_all_is_well() {
    let place = countries();
    for more in [&["-q"][..], &["--quiet", "--apply"], &["-q", "--undo-file", "undo.jsonl"]] {
        let said = place.expect(0, &with(more));
        assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""), "{more:?}");
    }
    assert_eq!(countries().expect(2, &with(&["-q", "--detailed-exitcode"])).out, "");
    let said =
        place.expect(0, &["-q", "plan", "countries-to-inventory", "--file", "countries.json", "-o", "plan.jsonl"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
}

#[test]
fn a_quiet_run_says_what_was_not_done_and_how_to_see_it() {
    let place = few_left();
    let said = place.expect(3, &with(&["-q", "--apply", "--on-guard", "hold"]));
    assert_eq!(said.out, "");
    assert!(
        said.err.starts_with("warning: countries-to-inventory: partial: outcomes: blocked 4, held "),
        "{}",
        said.err
    );
    assert!(said.err.ends_with(" --status held --status blocked` shows all\n"), "{}", said.err);
    let advice = said.err.split('`').nth(1).unwrap();
    let all = place.expect(0, &[&advice.split(' ').collect::<Vec<_>>()[..], &["--limit", "1000"]].concat()).out;
    assert!(all.lines().all(|line| line.contains("  held ") || line.contains("  blocked ")), "{all}");

    let said = place.expect(4, &with(&["-q", "--apply"]));
    assert!(said.out.is_empty() && said.err.starts_with("error: the run would exceed its limits"), "{}", said.err);
}

#[test]
fn a_quiet_run_still_prints_the_document_that_was_asked_for() {
    let place = countries();
    let said = place.expect(0, &with(&["-q", "--output", "json"]));
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["status"], "completed");
    assert_eq!(said.err, "");
    assert!(!place.expect(0, &["list", "-q"]).out.is_empty(), "it is what was asked for");
    place.expect(1, &with(&["-q", "-v"])).says("cannot be used with");
}

#[test]
fn a_quiet_check_reports_only_what_failed() {
    let place = Place::new();
    let said = place.run(&["check", "ipam-a-to-ipam-b", "-q"]);
    let loud = place.run(&["check", "ipam-a-to-ipam-b"]);
    assert_eq!(said.code, loud.code);
    assert_eq!(said.out.is_empty(), loud.code == 0, "{}", said.out);
}

#[test]
fn all_lines_on_standard_error_are_json_if_asked_for() {
    let place = few_left();
    let said = place.expect(4, &with(&["--apply", "-v", "--log-format", "json"]));
    let lines = logged(&said);
    assert!(lines.iter().all(|line| line["event"] == "log"), "{lines:?}");
    assert!(
        lines.iter().any(|line| line["message"] == "run started" && line["fields"]["dry_run"] == false),
        "{lines:?}"
    );
    let last = &lines[lines.len() - 1];
    assert_eq!(last["level"], "error");
    assert!(last["message"].as_str().unwrap().starts_with("the run would exceed its limits"), "{last}");
    said.says("countries-to-inventory: refused");

    // Without -v there are only errors, warnings and notes.
    let quiet = place.expect(4, &with(&["--log-format", "json"]));
    assert_eq!(logged(&quiet).len(), 1, "{}", quiet.err);
    place.expect(1, &with(&["--log-format", "xml"])).says("[possible values: text, json]");
}

#[test]
fn a_step_that_takes_long_is_named_now_and_then_unless_the_run_is_quiet() {
    let place = countries();
    // A source that never answers.
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    let run = ["run", "countries-to-inventory", "--file", "pipe", "--history", "off"];
    let spawn = |more: &[&str]| {
        let mut command = place.command(&[&run[..], more].concat());
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut quiet = [spawn(&["-q"]), spawn(&["--output", "json"])];
    let mut loud = spawn(&[]);

    let begun = Instant::now();
    let mut line = String::new();
    BufReader::new(loud.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("load source: 1") && line.ends_with("s\n"), "{line}");
    assert!(begun.elapsed() >= Duration::from_secs(9), "{:?}", begun.elapsed());

    loud.kill().unwrap();
    loud.wait().unwrap();
    for child in &mut quiet {
        child.kill().unwrap();
        let mut err = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut err).unwrap();
        assert_eq!(err, "");
        child.wait().unwrap();
    }
}

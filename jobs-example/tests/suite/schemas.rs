//! The JSON schemas of the book, which every document of real runs must match. They allow no other keys, so a key that is not
//! described fails a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::program::{Place, data};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/schemas")
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join(name).with_extension("json")).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn check(validator: &Validator, document: &Value) {
    let errors: Vec<_> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?} in {document}");
}

/// Expects what a command prints with `--output json` to match a schema, whatever its exit code.
fn document(place: &Place, name: &str, arguments: &[&str]) -> Value {
    let document = place.json(arguments);
    check(&validator(name), &document);
    document
}

/// Expects each line of a text to match a schema.
fn lines(name: &str, text: &str) -> Vec<Value> {
    let validator = validator(name);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        check(&validator, line);
    }
    lines
}

/// A place with profiles, whose file holds everything that a profile can set.
fn place() -> Place {
    let place = Place::new().with_data("countries.json");
    fs::write(place.path("url"), "sqlite://emea.db").unwrap();
    fs::write(
        place.path("profiles.toml"),
        "[countries-to-inventory.emea]\ndescription = \"d\"\nmode = \"dry-run\"\nschedule = \"0 3 * * *\"\n\
         variables = { file = \"countries.json\", inventory = { file = \"url\" } }\n\
         limits = { deletes = { country = \"20%\" }, on_guard = \"hold\" }\n\
         options = { retries = 2, time_limit = \"5m\", max_rejected = 2.5 }\n",
    )
    .unwrap();
    place
}

const RUN: [&str; 4] = ["run", "countries-to-inventory", "--file", "countries.json"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more].concat()
}

/// Leaves only the countries of which this is true in the list.
fn keep(place: &Place, kept: impl Fn(&Value) -> bool) {
    let rows: Vec<Value> = serde_json::from_str(&place.read("countries.json")).unwrap();
    let rows: Vec<_> = rows.into_iter().filter(kept).collect();
    fs::write(place.path("countries.json"), serde_json::to_vec(&rows).unwrap()).unwrap();
}

#[test]
fn every_schema_is_versioned_and_valid() {
    let names: BTreeSet<_> = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(names.len() >= 13, "{names:?}");
    for path in names {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let schema = schema(name);
        assert_eq!(schema["$id"], format!("urn:diffsync:schema:{name}:1"));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        validator(name);
    }
}

#[test]
fn a_key_that_is_not_described_is_found() {
    let place = place();
    let mut report = place.json(&RUN);
    let validator = validator("run");
    check(&validator, &report);
    report["surprise"] = json!(1);
    assert!(!validator.is_valid(&report));
    report.as_object_mut().unwrap().remove("surprise");
    report["summary"]["total"]["surprise"] = json!(1);
    assert!(!validator.is_valid(&report));
}

#[test]
fn jobs_are_described_as_the_schemas_say() {
    let place = place();
    let listed = document(&place, "list", &["list"]);
    for job in listed.as_array().unwrap() {
        document(&place, "show", &["show", job["id"].as_str().unwrap()]);
    }
    let shown = document(&place, "show", &["show", "countries-to-inventory@emea"]);
    assert!(shown["profile"]["variables"]["inventory"]["file"].is_string(), "{shown}");
    for job in ["countries-to-inventory", "ipam-a-to-ipam-b"] {
        document(&place, "check", &["check", job]);
    }
}

#[test]
fn reports_of_runs_are_as_the_schema_says() {
    let place = place();
    let run = |more: &[&str]| document(&place, "run", &with(more));
    run(&[]);
    let report = run(&["--apply", "--memory-profiling", "--undo-file", "undo.jsonl"]);
    assert_eq!(report["undo"]["operations"], 237);
    assert_eq!(run(&["--only", "country=x", "--only-deletes"])["filtered"][0]["filtered"], "no_match");

    // Guards, held operations, and overrides.
    keep(&place, |row| row["region"] != "Europe" && row["region"] != "Asia");
    assert_eq!(run(&["--apply"])["status"], "refused");
    assert!(!run(&["--on-guard", "hold"])["failures"].as_array().unwrap().is_empty());
    run(&["--allow-deletes", "country=50%"]);

    // A plan, and drift from it.
    let plan = ["plan", "countries-to-inventory", "--file", "countries.json", "-o", "plan.jsonl"];
    document(&place, "run", &[&plan[..], &["--allow-deletes", "country=100%"]].concat());
    place.expect(0, &["plan", "--approve", "plan.jsonl", "--by", "bob"]);
    place.expect(0, &with(&["--apply", "--allow-deletes", "country=100%", "--only", "country=a*"]));
    let applied = document(&place, "run", &["apply", "plan.jsonl", "--policy", "skip-stale"]);
    assert_eq!(applied["plan"]["approvals"][0]["by"], "bob");
    document(&place, "run", &["apply", "undo.jsonl", "--dry-run"]);

    // Problems.
    keep(&place, |_| true);
    let rows: Vec<Value> = serde_json::from_str(&place.read("countries.json")).unwrap();
    let twice: Vec<_> = rows.iter().chain(&rows).collect();
    fs::write(place.path("countries.json"), serde_json::to_vec(&twice).unwrap()).unwrap();
    assert_eq!(run(&["--max-rejected", "100"])["problems"][0]["problem"], "duplicate");
    fs::write(place.path("countries.json"), "no JSON").unwrap();
    assert_eq!(run(&[])["diff"], Value::Null);
}

#[test]
fn event_streams_and_log_lines_are_as_the_schemas_say() {
    let place = place();
    let run = |more: &[&str]| {
        let said = place.run(&with(&[more, &["--output", "jsonl", "-vv", "--log-format", "json"]].concat()));
        lines("log", &said.err);
        lines("events", &said.out)
    };
    run(&[]);
    let events = run(&["--apply", "--memory-profiling"]);
    let kinds: BTreeSet<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let expected = [
        "change",
        "diff_ready",
        "log",
        "progress",
        "record_done",
        "run_finished",
        "run_started",
        "step_finished",
        "step_started",
    ];
    assert_eq!(kinds, expected.into_iter().collect());

    keep(&place, |row| row["region"] != "Europe" && row["region"] != "Asia");
    run(&["--apply"]);
    run(&["--apply", "--on-guard", "hold"]);
    let rows: Vec<Value> = serde_json::from_str(&place.read("countries.json")).unwrap();
    fs::write(place.path("countries.json"), serde_json::to_vec(&rows.iter().chain(&rows).collect::<Vec<_>>()).unwrap())
        .unwrap();
    assert!(run(&[]).iter().any(|event| event["event"] == "problem"));
    fs::write(place.path("countries.json"), "no JSON").unwrap();
    run(&[]);

    fs::copy(data("countries.json"), place.path("countries.json")).unwrap();
    let said = place.expect(0, &["run", "countries-to-inventory@emea", "--output", "jsonl", "--max-rejected", "100"]);
    assert_eq!(lines("events", &said.out)[0]["profile"], "emea");
}

#[test]
fn the_history_is_as_the_schemas_say() {
    let place = place();
    place.expect(0, &with(&[]));
    place.expect(0, &with(&["--apply", "--memory-profiling", "--log-unchanged-records"]));
    keep(&place, |row| row["region"] != "Europe" && row["region"] != "Asia");
    place.expect(3, &with(&["--apply", "--on-guard", "hold", "--log-unchanged-records"]));
    place.expect(4, &with(&["--apply"]));

    let syncs = document(&place, "history-list", &["history", "list", "--limit", "3"]);
    assert!(syncs["next"].is_string());
    let all = document(&place, "history-list", &["history", "list"]);
    for sync in all["items"].as_array().unwrap() {
        let id = sync["id"].as_str().unwrap();
        document(&place, "history-show", &["history", "show", id]);
        document(&place, "history-diff", &["history", "diff", id]);
        document(&place, "history-logs", &["history", "logs", id]);
        document(&place, "history-lines", &["history", "logs", id, "--lines"]);
        let export = lines("history-export", &place.expect(0, &["history", "export", id]).out);
        assert_eq!(export[0]["row"], "export");
    }
    let held = &document(
        &place,
        "history-logs",
        &["history", "logs", all["items"][1]["id"].as_str().unwrap(), "--status", "held"],
    );
    assert!(!held["items"].as_array().unwrap().is_empty());
    let pruned = document(&place, "history-prune", &["history", "prune", "--keep-last", "1", "--older-than", "0s"]);
    assert!(!pruned["syncs"].as_array().unwrap().is_empty());
}

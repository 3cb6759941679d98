//! Undo plans of runs.

use std::fs;

use serde_json::json;

use crate::program::Place;

const RUN: &[&str] = &["run", "countries-to-inventory", "--file", "countries.json", "--apply"];

/// An inventory that holds the list, and a list that has changed since: one country more, one less, one that moved.
fn place() -> Place {
    let place = Place::new().with_data("countries.json");
    place.expect(0, RUN);
    place.edit("countries.json", "\"country\": \"Niue\"", "\"country\": \"New Niue\"");
    place.edit("countries.json", "\"region\": \"Europe\"", "\"region\": \"Asia\"");
    place
}

fn dry_run(place: &Place) -> serde_json::Value {
    place.json(&RUN[..4])
}

#[test]
fn what_a_run_did_is_taken_back() {
    let place = place();
    let before = dry_run(&place)["diff"].clone();
    let said = place.expect(0, &[RUN, &["--undo-file", "undo.jsonl"]].concat());
    said.says("created 1, updated 1, deleted 1").says("\nundo it with `apply undo.jsonl`\n");
    said.says("cannot be undone:\n  country: records that are created again get new values for `id`\n");
    assert_eq!(dry_run(&place)["diff"], json!({}));
    let said = place.expect(0, &["apply", "undo.jsonl"]);
    said.says("undo plan made by ada at ").says("created 1, updated 1, deleted 1");
    said.says("not restored by this plan:\n  country: records that are created again get new values");
    assert_eq!(dry_run(&place)["diff"], before);
    place.expect(4, &["apply", "undo.jsonl"]).says("everything in the plan is done already");
}

#[test]
fn carrying_out_a_plan_is_taken_back_and_taking_back_as_well() {
    let place = place();
    let before = dry_run(&place)["diff"].clone();
    place.expect(0, &["plan", "countries-to-inventory", "--file", "countries.json", "-o", "plan.jsonl"]);
    place.expect(0, &["apply", "plan.jsonl", "--undo-file", "undo.jsonl.gz"]);
    place.expect(0, &["apply", "undo.jsonl.gz", "--undo-file", "redo.jsonl"]);
    assert_eq!(dry_run(&place)["diff"], before);
    place.expect(0, &["apply", "redo.jsonl"]);
    assert_eq!(dry_run(&place)["diff"], json!({}));
}

#[test]
fn taking_back_reads_no_source_and_heeds_the_guards() {
    let place = Place::new().with_data("countries.json");
    place.expect(0, &[RUN, &["--undo-file", "undo.jsonl"]].concat());
    fs::remove_file(place.path("countries.json")).unwrap();
    let said = place.expect(4, &["apply", "undo.jsonl"]);
    said.says("country: it would delete 232 records where the target holds 232, and 30% are allowed");
    place.expect(0, &["apply", "undo.jsonl", "--allow-deletes", "country=232"]).says("deleted 237");
}

#[test]
fn an_undo_file_is_not_written_over() {
    let place = place();
    let run = ["run", "countries-to-inventory", "--file", "countries.json", "--apply", "--undo-file", "undo.jsonl"];
    place.expect(0, &run);
    let before = place.read("undo.jsonl");
    place.expect(1, &run).says("`undo.jsonl` is the undo plan of a run by ada at ").says("name another file");
    assert_eq!(place.read("undo.jsonl"), before);
}

#[test]
fn an_approved_plan_is_not_written_over_by_an_undo_file() {
    let place = place();
    place.expect(0, &["plan", "countries-to-inventory", "--file", "countries.json", "-o", "plan.jsonl"]);
    place.expect(0, &["plan", "--approve", "plan.jsonl", "--by", "grace"]);
    place
        .expect(1, &["apply", "plan.jsonl", "--undo-file", "plan.jsonl"])
        .says("`plan.jsonl` is a plan approved by grace at ");
}

#[test]
fn a_target_that_was_changed_since_is_left_alone() {
    let place = place();
    place.expect(0, &[RUN, &["--undo-file", "undo.jsonl"]].concat());
    place.edit("countries.json", "\"country\": \"New Niue\"", "\"country\": \"Newer Niue\"");
    place.edit("countries.json", "\"region\": \"Asia\"", "\"region\": \"Africa\"");
    place.expect(0, RUN);
    let said = place.expect(4, &["apply", "undo.jsonl"]);
    said.says("update country vatican-city: the target changed: `region` is \"africa\" where the plan has \"asia\"");
    place.expect(3, &["apply", "undo.jsonl", "--policy", "skip-stale"]).says("created 1").says("done already 1");
}

#[test]
fn with_nothing_done_there_is_nothing_to_take_back() {
    let place = Place::new().with_data("countries.json");
    let dry_run = [&RUN[..4], &["--undo-file", "undo.jsonl"]].concat();
    place.expect(0, &dry_run).says("nothing to undo: `undo.jsonl` was not written");
    place.expect(0, RUN);
    place.expect(0, &[RUN, &["--undo-file", "undo.jsonl"]].concat()).says("nothing to undo: ");
    assert!(!place.path("undo.jsonl").exists());
}

#[test]
fn a_run_that_could_not_be_taken_back_is_not_begun() {
    let place = Place::new().with_data("countries.json");
    place.expect(1, &[RUN, &["--undo-file", "nowhere/undo"]].concat()).says("cannot be written to `nowhere/undo`");
    assert!(!place.path("inventory.db").exists());
}

#[test]
fn the_document_says_what_cannot_be_taken_back() {
    let place = place();
    let report = place.json(&[RUN, &["--undo-file", "undo.jsonl"]].concat());
    assert_eq!(report["undo"]["operations"], 3);
    assert_eq!(report["undo"]["lost"][0]["model"], "country");
}

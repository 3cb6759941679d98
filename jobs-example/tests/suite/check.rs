//! `check`: whether both systems can be used, before anything is loaded.

use std::fs;

use serde_json::json;

use crate::program::Place;

const JOB: &[&str] = &["check", "countries-to-inventory", "--file", "countries.json"];

#[test]
fn both_systems_are_looked_at_and_nothing_is_made() {
    let place = Place::new().with_data("countries.json");
    let said = place.expect(0, JOB);
    said.says("source: Published list of countries\n  ok      file").says("`countries.json`, ");
    said.says("target: Inventory\n  ok").says("\nboth systems can be used\n");
    assert!(!place.path("inventory.db").exists());
}

#[test]
fn what_fails_is_said_of_each_side_and_ends_the_program_with_one() {
    let place = Place::new();
    fs::write(place.path("inventory.db"), "these are my notes, not a database").unwrap();
    let said = place.expect(1, JOB);
    said.says("  FAILED  file  cannot open `countries.json`: No such file").says("file is not a database");
    said.says("\n2 failed; nothing was loaded or written\n");
    assert_eq!(fs::read_to_string(place.path("inventory.db")).unwrap(), "these are my notes, not a database");
}

#[test]
fn a_report_as_json_says_the_same() {
    let place = Place::new();
    let said = place.expect(1, &[JOB, &["--output", "json"]].concat());
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["job"], "countries-to-inventory");
    assert_eq!(report["healthy"], json!(false));
    assert_eq!(report["systems"][0]["side"], "source");
    assert_eq!(report["systems"][0]["findings"][0]["passed"], json!(false));
    assert_eq!(report["systems"][1]["findings"][0]["passed"], json!(true));
}

#[test]
fn a_variable_that_is_wrong_is_named_before_anything_is_looked_at() {
    let said = Place::new().expect(1, &["check", "countries-to-inventory", "--inventory", "inventory"]);
    assert!(said.err.contains("variable `inventory` = \"inventory\": it must be a URL"), "{}", said.err);
}

#[test]
fn a_target_that_cannot_be_written_fails() {
    let place = Place::new().with_data("ipam_a.yml");
    let job = ["check", "ipam-a-to-ipam-b", "--source", "ipam_a.yml", "--target", "nowhere.yml"];
    place.expect(1, &job).says("  ok      file  `ipam_a.yml`").says("  FAILED  file  cannot open `nowhere.yml`");
}

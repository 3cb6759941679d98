//! Limits, filters and flags: what of a diff a run is about.

use serde_json::json;

use crate::program::Place;

const JOB: &[&str] = &["run", "countries-to-inventory", "--file", "countries.json", "--apply"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [JOB, more].concat()
}

/// A place whose inventory holds all countries, and whose list only those that are kept.
fn place(kept: impl Fn(&serde_json::Value) -> bool) -> Place {
    let place = Place::new().with_data("countries.json");
    place.expect(0, JOB);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&place.read("countries.json")).unwrap();
    let rows: Vec<_> = rows.into_iter().filter(kept).collect();
    std::fs::write(place.path("countries.json"), serde_json::to_vec(&rows).unwrap()).unwrap();
    place
}

/// Europe and Asia are gone: 101 of 232 countries.
fn two_continents_less() -> Place {
    place(|row| row["region"] != "Europe" && row["region"] != "Asia")
}

#[test]
fn a_run_that_would_delete_too_much_is_refused_and_says_how_to_allow_it() {
    let place = two_continents_less();
    let said = place.expect(4, JOB);
    said.says("countries-to-inventory: refused").says("guards:").says("and 30% are allowed");
    assert!(said.err.contains("(`--allow-deletes country="), "{}", said.err);
    assert_eq!(place.json(JOB)["breaches"][0]["operation"], "delete");
    let left = place.json(&["run", "countries-to-inventory", "--file", "countries.json", "--only-updates"]);
    assert_eq!(left["outcomes"]["left_out"], 100, "nothing was deleted");
}

#[test]
fn a_lift_holds_for_one_run_and_is_told_of() {
    let place = two_continents_less();
    let too_low = with(&["--allow-deletes", "country=50"]);
    place.expect(4, &too_low).says("and 50 are allowed");
    let said = place.expect(0, &with(&["--allow-deletes", "country=50%"]));
    said.says("limit overrides:\n  country: deletes up to 50%\n");
    assert_eq!(place.json(JOB)["diff"], json!({}));
}

#[test]
fn holding_back_does_the_rest_and_ends_as_partial() {
    let place = two_continents_less();
    place.edit("countries.json", "\"pop2021\":\"1.3730\"", "\"pop2021\":\"1.4000\"");
    let said = place.expect(3, &with(&["--on-guard", "hold"]));
    said.says("updated 1").says("held: a guard held it back").says("guards:");
    let header = said.out.lines().find(|line| line.starts_with("summary")).unwrap();
    assert!(header.contains("held"), "{header}");
    let row = said.out.lines().find(|line| line.starts_with("  country ")).unwrap();
    assert_eq!(row.len(), header.len(), "{}", said.out);
}

#[test]
fn other_operations_are_limited_only_where_a_limit_is_given() {
    let place = place(|_| true);
    place.edit("countries.json", "\"pop2021\":\"1.3730\"", "\"pop2021\":\"1.4000\"");
    place.expect(4, &with(&["--allow-updates", "country=0"])).says("it would update 1 records");
    place.expect(0, &with(&["--allow-updates", "country=1"]));
}

#[test]
fn a_filter_leaves_the_rest_out_and_counts_it() {
    let place = Place::new().with_data("countries.json");
    let report = place.json(&with(&["--only", "region", "--only", "country=fr*"]));
    assert_eq!([&report["outcomes"]["created"], &report["outcomes"]["left_out"]], [&json!(8), &json!(229)]);
    let report = place.json(&with(&["--only-deletes"]));
    assert_eq!([&report["outcomes"]["created"], &report["outcomes"]["left_out"]], [&json!(0), &json!(229)]);
    place.expect(0, &with(&["--only", "country=niue"])).says("left out");
}

#[test]
fn a_filter_says_what_it_leaves_out_although_it_names_it() {
    let place = Place::new().with_data("countries.json");
    let said = place.expect(0, &with(&["--only", "country=fr??ce"]));
    said.says("country \"france\" is not created, because it needs region \"europe\", which the filter leaves out")
        .says("include that with \"region=europe\"");
    let said = place.expect(0, &with(&["--only", "country=fr??ce", "--only", "region=europe"]));
    assert!(!said.out.contains("left out by the filter"), "{}", said.out);

    let said = place.expect(0, &with(&["--only", "country=spain", "--only-updates"]));
    assert!(!said.out.contains("left out by the filter"), "{}", said.out);

    let said = place.expect(0, &with(&["--only", "country=atlantis*", "--only", "region"]));
    said.says("left out by the filter:\n  no country on either side matches \"country=atlantis*\"");
    let report = place.json(&with(&["--only", "country=atlantis"]));
    assert_eq!(report["filtered"], serde_json::json!([{"filtered": "no_match", "only": "country=atlantis"}]));
}

#[test]
fn flags_of_a_run_leave_creates_or_deletes_alone() {
    let place = two_continents_less();
    let report = place.json(&with(&["--skip-unmatched-dst"]));
    assert_eq!([&report["status"], &report["outcomes"]["deleted"]], [&json!("completed"), &json!(0)]);
    let place = Place::new().with_data("countries.json");
    assert_eq!(place.json(&with(&["--skip-unmatched-src"]))["outcomes"]["created"], 0);
    assert_eq!(place.json(&with(&["--skip-unmatched-both"]))["outcomes"]["left_out"], 237);
}

#[test]
fn a_detailed_exit_code_tells_of_changes() {
    let place = Place::new().with_data("countries.json");
    let dry_run = &["run", "countries-to-inventory", "--file", "countries.json", "--detailed-exitcode"];
    place.expect(2, dry_run);
    place.expect(0, JOB);
    place.expect(0, dry_run);
}

#[test]
fn a_run_that_takes_too_long_begins_nothing_more() {
    let place = Place::new().with_data("countries.json");
    let said = place.expect(1, &with(&["--time-limit", "1ms"]));
    said.says("the run did not end within 1ms");
}

#[test]
fn wrong_limits_and_filters_say_what_is_expected() {
    let place = Place::new().with_data("countries.json");
    for (flag, value, expected) in [
        ("--allow-deletes", "country", "expected a model and the new limit, as in `country=120`"),
        ("--allow-deletes", "country=many", "expected a number of records such as `120`"),
        ("--only", "=x", "expected a model such as `country`"),
        ("--time-limit", "soon", "expected a duration such as 90s, 15m or 2h"),
        ("--record-time-limit", "0s", "expected a duration such as 90s, 15m or 2h"),
        ("--max-failures", "0", "expected a number from 1 up"),
        ("--on-guard", "wait", "possible values: stop, hold"),
        ("--only", "planet", "the job has no model `planet`; it has `region`, `country`"),
        ("--allow-creates", "planet=1", "the job has no model `planet`"),
    ] {
        place.expect(1, &with(&[flag, value])).says(expected);
    }
}

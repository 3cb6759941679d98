//! Bad input gets an error that says what, where and what to do, and loses nothing.

use std::fs;

use crate::program::Place;

/// Runs the main job on a changed copy of the list.
fn run_edited(from: &str, to: &str) -> (Place, crate::program::Said) {
    let place = Place::new().with_data("countries.json");
    place.edit("countries.json", from, to);
    let said = place.run(&["run", "countries-to-inventory", "--file", "countries.json", "--apply"]);
    (place, said)
}

fn check(arguments: &[&str], code: i32, expected: &[&str]) {
    let said = Place::new().run(arguments);
    assert_eq!(said.code, code, "{}{}", said.out, said.err);
    for part in expected {
        assert!(said.err.contains(part), "{part:?} in {:?}", said.err);
    }
}

#[test]
fn a_missing_file_is_named() {
    check(
        &["run", "countries-to-inventory", "--file", "nowhere.json", "--apply"],
        1,
        &["the source could not be loaded", "cannot read `nowhere.json`", "No such file"],
    );
}

#[test]
fn malformed_json_is_named_with_its_line_and_nothing_is_written() {
    let (place, said) = run_edited("\"area\": 12,", "\"area\": twelve,");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("`countries.json` is not a list of countries"), "{}", said.err);
    assert!(said.err.contains("line 12 column"), "{}", said.err);
    assert!(!place.path("inventory.db").exists());
}

#[test]
fn a_duplicate_country_is_rejected_and_the_others_are_written() {
    let (_, said) = run_edited("\"country\": \"Niue\"", "\"country\": \"Tokelau\"");
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.out.contains("source: country \"tokelau\" occurs 2 times"), "{}", said.out);
    assert!(said.out.contains("created 235, rejected 1"), "{}", said.out);
}

#[test]
fn an_orphan_is_rejected_and_the_others_are_written() {
    let (_, said) = run_edited("\"region\": \"Europe\"", "\"region\": \"\"");
    assert_eq!(said.code, 3, "{}", said.err);
    let problem = "source: country \"vatican-city\" is under region \"\", which does not exist";
    assert!(said.out.contains(problem), "{}", said.out);
    assert!(said.out.contains("created 236, rejected 1"), "{}", said.out);
}

#[test]
fn a_record_that_its_loader_rejects_is_not_deleted() {
    let place = Place::new().with_data("countries.json");
    let job = ["run", "countries-to-inventory", "--file", "countries.json", "--apply"];
    assert_eq!(place.run(&job).code, 0);
    place.edit("countries.json", "\"pop2021\": \"0.8000\"", "\"pop2021\": \"few\"");
    let said = place.run(&job);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.out.contains("country \"vatican-city\" was rejected: `pop2021` is \"few\""), "{}", said.out);
    assert!(said.out.contains("outcomes: rejected 1\n"), "{}", said.out);
}

#[test]
fn too_many_unusable_records_refuse_the_run() {
    let place = Place::new();
    let row = r#"{"country": "Niue", "pop2021": "1.6", "area": 260, "region": "Oceania", "subregion": "Polynesia"}"#;
    fs::write(place.path("countries.json"), format!("[{row}, {row}]")).unwrap();
    let said = place.run(&["run", "countries-to-inventory", "--file", "countries.json", "--apply"]);
    assert_eq!(said.code, 4, "{}", said.out);
    assert!(said.err.contains("1 of 1 country records of the source cannot be used"), "{}", said.err);
    let advice = "fix them in the source, or allow that many for one run with `--max-rejected 100`";
    assert!(said.err.contains(advice), "{}", said.err);
    assert!(!place.path("inventory.db").exists());
}

#[test]
fn a_read_only_inventory_ends_the_run_and_keeps_what_it_has() {
    let place = Place::new().with_data("countries.json");
    let job = ["run", "countries-to-inventory", "--file", "countries.json", "--apply"];
    assert_eq!(place.run(&job).code, 0);
    let before = fs::read(place.path("inventory.db")).unwrap();
    place.edit("countries.json", "\"pop2021\": \"0.8000\"", "\"pop2021\": \"0.9000\"");
    let said = place.run(&[&job[..], &["--inventory", "sqlite://inventory.db?mode=ro"]].concat());
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("cannot update in `countries` in `sqlite://inventory.db?mode=***`"), "{}", said.out);
    assert!(said.out.contains("readonly database"), "{}", said.out);
    assert!(
        said.err.contains(
            "the run ended early after 1 of 1 operations failed, the last with: cannot update in `countries`"
        ),
        "{}",
        said.err
    );
    assert_eq!(fs::read(place.path("inventory.db")).unwrap(), before);
}

#[test]
fn an_inventory_that_is_no_database_is_left_alone() {
    let place = Place::new().with_data("countries.json");
    fs::write(place.path("inventory.db"), "these are my notes, not a database").unwrap();
    let said = place.run(&["run", "countries-to-inventory", "--file", "countries.json", "--apply"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.err.contains("cannot connect to `sqlite://inventory.db`: (code: 26) file is not a database"),
        "{}",
        said.err
    );
    assert_eq!(fs::read_to_string(place.path("inventory.db")).unwrap(), "these are my notes, not a database");
}

#[test]
fn an_inventory_that_cannot_be_one_is_refused_before_anything_is_loaded_and_shows_no_password() {
    for (url, why) in [
        ("postgres://u:hunter2@nowhere.invalid/x", "cannot connect to `postgres://***@nowhere.invalid/x`"),
        ("ftp://u:hunter2@db/x", "is not the URL of a database: expected `sqlite://`"),
        ("sqlite://", "must be a file"),
        ("sqlite:///nowhere/x.db", "must be in a folder that exists"),
    ] {
        let place = Place::new().with_data("countries.json");
        let said = place.run(&["run", "countries-to-inventory", "--file", "countries.json", "--inventory", url]);
        assert_eq!(said.code, 1, "{}", said.out);
        assert!(said.err.contains(why), "{}", said.err);
        assert!(!format!("{}{}", said.out, said.err).contains("hunter2"), "{}{}", said.out, said.err);
    }
}

#[test]
fn a_flag_is_not_taken_for_the_value_of_another() {
    check(&["run", "countries-to-inventory", "--file", "--apply"], 1, &["a value is required for '--file <PATH>'"]);
}

#[test]
fn an_unknown_job_is_answered_with_the_nearest() {
    for command in ["run", "show"] {
        check(
            &[command, "countries-to-inventry"],
            1,
            &[
                "there is no job `countries-to-inventry`; did you mean `countries-to-inventory`?",
                "`list` shows all jobs",
            ],
        );
    }
}

#[test]
fn an_unknown_flag_is_answered_with_the_nearest() {
    check(&["run", "ipam-a-to-ipam-b", "--aply"], 1, &["unexpected argument '--aply'", "'--apply'"]);
}

#[test]
fn a_wrong_value_says_what_is_expected_and_which_flag_sets_it() {
    check(
        &["run", "countries-to-inventory", "--inventory", "inventory"],
        1,
        &[
            "variable `inventory` = \"inventory\": it must be a URL such as",
            "set it with --inventory or in the environment as INVENTORY_URL",
        ],
    );
    check(&["run", "ipam-a-to-ipam-b", "--max-rejected", "many"], 1, &["expected a number from 0 to 100"]);
    check(&["run", "ipam-a-to-ipam-b", "--concurrency", "0"], 1, &["expected a number from 1 up"]);
}

#[test]
fn the_name_of_a_file_given_for_a_database_is_answered_with_its_url() {
    let hint = "did you mean `sqlite://inv.db`?";
    check(&["run", "countries-to-inventory", "--inventory", "inv.db"], 1, &["variable `inventory` = \"inv.db\"", hint]);
}

#[test]
fn a_missing_job_is_named() {
    for arguments in [&["plan", "-o", "x.plan"][..], &["run", "-o", "x.plan"], &["check", "-o"]] {
        check(arguments, 1, &["the job is missing before `-o`", "`list` shows all jobs"]);
    }
}

#[test]
fn a_file_that_is_no_plan_is_named_as_such() {
    let place = Place::new();
    fs::write(place.path("x.plan"), "these are my notes\n").unwrap();
    for arguments in [&["apply", "x.plan"][..], &["plan", "--approve", "x.plan", "--by", "grace"]] {
        place.expect(4, arguments).says("`x.plan`: this is not a plan file; `plan JOB -o FILE` writes one");
    }
    fs::write(place.path("x.plan"), "{\"diffsync_plan\":1}\n").unwrap();
    place.expect(4, &["apply", "x.plan"]).says("line 1 is not part of a plan: missing field");
}

#[test]
fn apply_and_dry_run_exclude_each_other() {
    check(&["run", "ipam-a-to-ipam-b", "--apply", "--dry-run"], 1, &["cannot be used with"]);
}

//! The key of saved plans: created once, never shown, and readable by its owner alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use diffsync::temp_file::temporary;

use crate::program::{Place, Said};

const PLAN: &[&str] = &["plan", "countries-to-inventory", "--file", "countries.json", "-o", "plan.jsonl"];

fn place() -> Place {
    Place::new().with_data("countries.json")
}

#[test]
fn a_key_is_made_when_it_is_first_needed_and_kept() {
    let place = place();
    let file = "home/.local/state/diffsync/plan.key";
    place.expect(0, &["list"]);
    assert!(!place.path(file).exists());
    let said = place.expect(0, PLAN);
    let key = place.read(file);
    assert!(key.len() == 65 && key.trim().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(fs::metadata(place.path(file)).unwrap().permissions().mode() & 0o777, 0o600);
    place.expect(0, PLAN);
    assert_eq!(place.read(file), key);
    let all = format!("{}{}{}", said.out, said.err, place.read("plan.jsonl"));
    assert!(!all.contains(key.trim()), "it is never shown");
}

#[test]
fn the_key_is_where_the_state_is_or_where_a_flag_says() {
    let place = place();
    let said = Said::of(place.command(PLAN).env("XDG_STATE_HOME", place.path("state")).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(place.path("state/diffsync/plan.key").exists() && !place.path("home/.local/state").exists());
    place.expect(0, &[PLAN, &["--key-file", "my.key"]].concat());
    assert!(place.path("my.key").exists() && !place.path("home/.local/state").exists());
}

#[test]
fn a_key_from_the_environment_needs_no_file() {
    let place = place();
    let with = |key: &str| Said::of(place.command(PLAN).env("DIFFSYNC_PLAN_KEY", key).output().unwrap());
    assert_eq!(with("a key that is long enough").code, 0);
    assert!(!place.path("home/.local/state").exists());
    let said = with("hunter2");
    assert_eq!(said.code, 1);
    said.says("DIFFSYNC_PLAN_KEY: the key for plan files has 7 bytes, but needs at least 16");
    assert!(!said.err.contains("hunter2"), "{}", said.err);
}

#[test]
fn a_key_that_others_can_read_is_warned_of() {
    let place = place();
    fs::write(place.path("my.key"), "0123456789abcdef0123456789abcdef").unwrap();
    fs::set_permissions(place.path("my.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = place.expect(0, &[PLAN, &["--key-file", "my.key"]].concat());
    said.says("warning: the plan key in `my.key` can be read by other users; `chmod 600` it");
}

#[test]
fn a_plan_without_secrets_needs_no_key() {
    let place = place();
    place.expect(0, PLAN);
    fs::remove_dir_all(place.path("home")).unwrap();
    place.expect(0, &["apply", "plan.jsonl"]);
    assert!(!place.path("home/.local/state").exists());
}

#[test]
fn what_killed_runs_left_of_a_key_and_a_plan_is_removed_by_the_next() {
    let place = place();
    let begun = |name: &str| temporary(&place.path(name), false).unwrap();
    // Closed without being removed, as by a kill.
    let leftover = |name: &str| begun(name).keep().unwrap().1;
    for _ in 0..2 {
        let (of_key, of_plan, of_undo) = (leftover("my.key"), leftover("plan.jsonl"), leftover("undo.jsonl"));
        let (of_other, live) = (leftover("other.jsonl"), begun("plan.jsonl"));
        place.expect(0, &[PLAN, &["--key-file", "my.key"]].concat());
        assert!(!of_key.exists() && !of_plan.exists(), "also where the key is there already");
        assert!(of_undo.exists() && of_other.exists() && live.path().exists());

        let run = ["run", "countries-to-inventory", "--file", "countries.json", "--apply"];
        place.expect(0, &[&run[..], &["--undo-file", "undo.jsonl", "--key-file", "my.key"]].concat());
        assert!(!of_undo.exists() && of_other.exists());
        // An undo plan is never written over.
        if place.path("undo.jsonl").exists() {
            fs::remove_file(place.path("undo.jsonl")).unwrap();
        }
    }
}

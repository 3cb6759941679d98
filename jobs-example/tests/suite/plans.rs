//! Plans as files: made by one person, approved by another, and carried out exactly.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Place, Said};

const PLAN: &[&str] = &["plan", "countries-to-inventory", "--file", "countries.json"];
const RUN: &[&str] = &["run", "countries-to-inventory", "--file", "countries.json"];

fn place() -> Place {
    Place::new().with_data("countries.json")
}

/// A place with a plan in `plan.jsonl`.
fn planned(more: &[&str]) -> Place {
    let place = place();
    place.expect(0, &[PLAN, &["-o", "plan.jsonl"], more].concat());
    place
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_plan_says_how_to_carry_it_out_and_writes_nothing_else() {
    let place = place();
    let said = place.expect(0, &[PLAN, &["-o", "plan.jsonl"]].concat());
    said.says("\napply these 237 operations with `apply plan.jsonl`\n").says("dry run: nothing was written");
    assert!(!place.path("inventory.db").exists());
    let lines = lines(&place.read("plan.jsonl"));
    assert_eq!(lines.len(), 239);
    assert_eq!(lines[0]["made"]["by"], "ada");
    let made = lines[0]["made"]["at"].as_str().unwrap();
    assert!(made.len() == "2026-11-22T17:13:37Z".len() && made.ends_with('Z'), "{made}");
    assert_eq!(lines[0]["variables"], json!([["file", ["countries.json"]], ["inventory", ["sqlite://inventory.db"]]]));
    let nothing_left_behind = fs::read_dir(place.path(".")).unwrap().count();
    assert_eq!(nothing_left_behind, 3, "the list, the plan, and a home with the key");
}

#[test]
fn a_plan_is_carried_out_and_then_done() {
    let place = planned(&[]);
    let said = place.expect(0, &["apply", "plan.jsonl"]);
    said.says("created 237").says("\nplan made by ada at ");
    let said = place.expect(4, &["apply", "plan.jsonl"]);
    said.says("everything in the plan is done already").says("done already 237");
}

#[test]
fn a_dry_run_of_a_plan_writes_nothing() {
    let place = planned(&[]);
    place.expect(0, &["apply", "plan.jsonl", "--dry-run"]).says("apply it without --dry-run to write this");
    place.expect(2, &["apply", "plan.jsonl", "--dry-run", "--detailed-exitcode"]);
    assert!(!place.path("inventory.db").exists());
}

#[test]
fn only_what_the_plan_lists_is_done() {
    let place = planned(&["--only", "region", "--only", "country=niue"]);
    place.expect(0, &["apply", "plan.jsonl"]).says("created 6, left out 231");
}

#[test]
fn what_has_changed_since_is_refused_or_left() {
    let place = planned(&[]);
    place.edit("countries.json", "\"pop2021\": \"0.8000\"", "\"pop2021\": \"0.9000\"");
    let said = place.expect(4, &["apply", "plan.jsonl"]);
    let moved = "create country vatican-city: the source changed: `population` is 900 where the plan has 800";
    said.says(&format!("changed since the plan was made:\n  {moved}\n")).says("(`--policy skip-stale`)");
    assert!(said.err.contains(moved), "{}", said.err);
    assert!(!place.path("inventory.db").exists());
    let said = place.expect(3, &["apply", "plan.jsonl", "--policy", "skip-stale"]);
    said.says("created 236, left out 1");
    let report = place.json(&["apply", "plan.jsonl", "--policy", "skip-stale"]);
    assert_eq!(report["stale"][0]["record"], "vatican-city");
    assert_eq!([&report["already_done"], &report["plan"]["made"]["by"]], [&json!(236), &json!("ada")]);
}

#[test]
fn the_flags_and_lifts_of_the_plan_hold_when_it_is_carried_out() {
    let place = place();
    place.expect(0, &[RUN, &["--apply"]].concat());
    let rows = lines_of_list(&place).into_iter().filter(|row| row["region"] != "Asia" && row["region"] != "Europe");
    fs::write(place.path("countries.json"), serde_json::to_vec(&rows.collect::<Vec<_>>()).unwrap()).unwrap();
    place.expect(4, &[PLAN, &["-o", "plan.jsonl"]].concat()).says("the run would exceed its limits");
    assert!(!place.path("plan.jsonl").exists(), "a run that is refused has no plan");
    place.expect(0, &[PLAN, &["-o", "plan.jsonl", "--skip-unmatched-dst"]].concat()).says("nothing to do: ");
    assert!(!place.path("plan.jsonl").exists());
    place.expect(0, &[PLAN, &["-o", "plan.jsonl", "--allow-deletes", "country=120"]].concat());
    place.expect(0, &["apply", "plan.jsonl"]).says("limit overrides:\n  country: deletes up to 120\n");
}

fn lines_of_list(place: &Place) -> Vec<Value> {
    serde_json::from_str(&place.read("countries.json")).unwrap()
}

#[test]
fn a_second_name_is_added_by_another_person() {
    let place = planned(&[]);
    let by_ada = place.expect(4, &["plan", "--approve", "plan.jsonl"]);
    by_ada.says("`ada` has already created or approved this plan; another person must approve it");
    place
        .expect(0, &["plan", "--approve", "plan.jsonl", "--by", "grace"])
        .says("`plan.jsonl` is approved by grace at ");
    place.expect(0, &["apply", "plan.jsonl"]).says("plan made by ada at ").says(", approved by grace at ");
}

#[test]
fn two_who_approve_at_the_same_moment_both_have_approved() {
    for _ in 0..10 {
        let place = planned(&[]);
        let approve = |name: &'static str| {
            place.command(&["plan", "--approve", "plan.jsonl", "--by", name]).stdout(Stdio::null()).spawn().unwrap()
        };
        let approvals = ["grace", "edsger", "barbara", "donald"].map(approve);
        for mut approval in approvals {
            assert!(approval.wait().unwrap().success());
        }
        assert_eq!(place.read("plan.jsonl").matches("\"approved\"").count(), 4);
    }
}

#[test]
fn a_plan_that_is_not_one_is_not_read_to_its_end() {
    let place = planned(&[]);
    let text = place.read("plan.jsonl");
    let head = text.lines().next().unwrap();
    // 512 MiB of one line, of which no block is on the disk.
    fs::write(place.path("plan.jsonl"), format!("{head}\n{{\"op\":\"")).unwrap();
    fs::File::options().write(true).open(place.path("plan.jsonl")).unwrap().set_len(512 << 20).unwrap();
    for arguments in [&["apply", "plan.jsonl"][..], &["plan", "--approve", "plan.jsonl", "--by", "grace"]] {
        place.expect(4, arguments).says("line 2 is not part of a plan: it is longer than 64 MiB");
    }
}

#[test]
fn a_plan_is_compressed_by_its_name_and_read_under_any_name() {
    let place = place();
    place.expect(0, &[PLAN, &["-o", "plan.jsonl.gz"]].concat());
    let bytes = fs::read(place.path("plan.jsonl.gz")).unwrap();
    assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < 20_000, "{}", bytes.len());
    fs::rename(place.path("plan.jsonl.gz"), place.path("plan")).unwrap();
    place.expect(0, &["apply", "plan", "--dry-run"]);
    // What it was called decides how it is written, so an approval keeps it readable.
    fs::rename(place.path("plan"), place.path("plan.gz")).unwrap();
    place.expect(0, &["plan", "--approve", "plan.gz", "--by", "grace"]);
    let mut start = [0; 2];
    fs::File::open(place.path("plan.gz")).unwrap().read_exact(&mut start).unwrap();
    assert_eq!(start, [0x1f, 0x8b]);
    place.expect(0, &["apply", "plan.gz"]).says("approved by grace");
}

#[test]
fn the_same_plan_has_the_same_bytes_but_for_when_it_was_made() {
    let place = place();
    let made = |name: &str| {
        place.expect(0, &[PLAN, &["-o", name]].concat());
        let text = place.read(name);
        text.lines().skip(1).map(str::to_owned).take(237).collect::<Vec<_>>()
    };
    assert_eq!(made("one"), made("other"));
}

#[test]
fn with_nothing_to_do_there_is_no_file() {
    let place = place();
    place.expect(0, &[RUN, &["--apply"]].concat());
    let said = place.expect(0, &[PLAN, &["-o", "plan.jsonl"]].concat());
    said.says("nothing to do: `plan.jsonl` was not written");
    assert!(!place.path("plan.jsonl").exists());
}

#[test]
fn a_plan_that_cannot_be_written_is_known_before_the_run() {
    let place = place();
    fs::create_dir(place.path("folder")).unwrap();
    place.expect(1, &[PLAN, &["-o", "folder"]].concat()).says("`folder` is a folder; name a file for the plan");
    place.expect(1, &[PLAN, &["-o", "nowhere/plan"]].concat()).says("the plan cannot be written to `nowhere/plan`");
    place.expect(1, PLAN).says("--out <FILE>");
}

/// Expects a file to be refused.
fn refused(text: &str, code: i32, expected: &str) {
    let place = place();
    fs::write(place.path("plan.jsonl"), text).unwrap();
    place.expect(code, &["apply", "plan.jsonl"]).says(expected);
    assert!(!place.path("inventory.db").exists());
}

#[test]
fn a_file_that_is_not_as_it_was_made_is_refused() {
    let text = planned(&[]).read("plan.jsonl");
    refused("", 4, "`plan.jsonl`: the plan ends after line 0: it was cut off; create it again");
    refused(&text[..text.len() / 2], 4, "it was cut off");
    refused(&text.replace("\"area\":12,", "\"area\":13,"), 4, "the plan was changed after it was created");
    refused(
        &text.replace("countries-to-inventory", "moons-to-inventory"),
        4,
        "the plan was changed after it was created",
    );
    refused(&text.replacen("\"diffsync_plan\":1", "\"diffsync_plan\":9", 1), 4, "the plan has format 9");
    place().expect(1, &["apply", "plan.jsonl"]).says("the plan cannot be read or written: No such file");
}

/// Changes the head of a plan as another program would have written it, with a digest that fits.
fn forged(place: &Place, from: &str, to: &str) {
    let text = place.read("plan.jsonl");
    assert!(text.contains(from), "{text}");
    let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
    let body = format!("{}\n", body.replacen(from, to, 1));
    fs::write(place.path("body"), &body).unwrap();
    let sum = std::process::Command::new("sha256sum").arg(place.path("body")).output().unwrap().stdout;
    let sum = String::from_utf8(sum).unwrap();
    let end = json!({"operations": body.lines().count() - 1, "sha256": sum.split_whitespace().next().unwrap()});
    fs::write(place.path("plan.jsonl"), format!("{body}{end}\n")).unwrap();
}

#[test]
fn a_plan_of_another_job_or_other_models_is_refused_with_the_difference() {
    let place = planned(&[]);
    forged(&place, "\"type\":\"i64\"", "\"type\":\"u32\"");
    let said = place.expect(4, &["apply", "plan.jsonl"]);
    said.says("the models have changed since the plan was created; create it again:\n  `country.population` was `u32` and is `i64`");
    let place = planned(&[]);
    forged(&place, "countries-to-inventory", "moons-to-inventory");
    place.expect(4, &["apply", "plan.jsonl"]).says("there is no job `moons-to-inventory`");
}

#[test]
fn a_plan_of_another_version_of_the_program_is_carried_out_with_a_warning() {
    let place = planned(&[]);
    forged(&place, "\"program\":\"0.1.0\"", "\"program\":\"0.0.9\"");
    let said = place.expect(0, &["apply", "plan.jsonl"]);
    assert!(said.err.starts_with("warning: the plan was made by version 0.0.9 of the program, and this is 0.1.0"));
    place.expect(0, &["--version"]).says("0.1.0");
}

fn with_env(place: &Place, arguments: &[&str], env: &str, value: &str) -> Said {
    Said::of(place.command(arguments).env(env, value).output().unwrap())
}

#[test]
fn a_plan_is_carried_out_with_the_variables_it_was_made_with() {
    let place = place();
    let said = with_env(&place, &[PLAN, &["-o", "plan.jsonl"]].concat(), "INVENTORY_URL", "sqlite://elsewhere.db");
    assert_eq!(said.code, 0, "{}", said.err);
    place.expect(0, &["apply", "plan.jsonl"]);
    assert!(place.path("elsewhere.db").exists() && !place.path("inventory.db").exists());
    // The plan records the default as well, so that a variable set later does not direct it to another system.
    let place = planned(&[]);
    let said = with_env(&place, &["apply", "plan.jsonl"], "INVENTORY_URL", "sqlite://elsewhere.db");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!place.path("elsewhere.db").exists() && place.path("inventory.db").exists());
    place.expect(4, &["apply", "plan.jsonl", "--set", "file=x"]).says("the plan already holds a value for `file`");
    place.expect(4, &["apply", "plan.jsonl", "--set", "fiel=x"]).says("the job has no variable `fiel`");
    place.expect(1, &["apply", "plan.jsonl", "--set", "file"]).says("expected a name and a value, as in token=abc");
}

#[test]
fn what_may_hold_a_secret_is_left_out_and_must_be_given_again() {
    let place = place();
    let url = "sqlite://elsewhere.db?cache=private";
    place.expect(0, &[PLAN, &["-o", "plan.jsonl", "--inventory", url]].concat());
    assert!(!place.read("plan.jsonl").contains("elsewhere"));
    let said = place.expect(4, &["apply", "plan.jsonl"]);
    said.says("the plan leaves out `inventory` because it may hold a secret; set it with `--set inventory=…` or in the environment as INVENTORY_URL");
    place.expect(0, &["apply", "plan.jsonl", "--set", &format!("inventory={url}")]);
    assert!(place.path("elsewhere.db").exists() && !place.path("inventory.db").exists());
}

#[test]
fn a_job_that_writes_a_file_as_a_whole_is_planned_as_well() {
    let place = Place::new().with_data("ipam_a.yml").with_data("ipam_b.yml");
    let job = ["ipam-a-to-ipam-b", "--source", "ipam_a.yml", "--target", "ipam_b.yml", "-o", "plan.jsonl"];
    place.expect(0, &[&["plan"][..], &job].concat()).says("apply these 4 operations");
    place.expect(0, &["apply", "plan.jsonl"]).says("created 2, updated 1, deleted 1");
    place.expect(4, &["apply", "plan.jsonl"]).says("everything in the plan is done already");
}

#[test]
fn an_unknown_job_is_answered_with_the_nearest() {
    let said = place().expect(1, &["plan", "countries-to-inventry", "-o", "x"]);
    said.says("there is no job `countries-to-inventry`; did you mean `countries-to-inventory`?");
}

#[test]
fn a_file_that_is_no_plan_is_not_overwritten() {
    let place = Place::new().with_data("countries.json");
    let before = place.read("countries.json");
    for arguments in [
        &["plan", "countries-to-inventory", "--file", "countries.json", "-o", "countries.json"][..],
        &["run", "countries-to-inventory", "--file", "countries.json", "--apply", "--undo-file", "countries.json"],
    ] {
        place.expect(1, arguments).says("`countries.json` is not a plan file; name another file, or remove it first");
        assert_eq!(place.read("countries.json"), before);
        assert!(!place.path("inventory.db").exists());
    }
}

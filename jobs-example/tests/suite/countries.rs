//! The main job: the published list of countries into the inventory.

use serde_json::{Value, json};

use crate::program::Place;

const JOB: &[&str] = &["run", "countries-to-inventory", "--file", "countries.json"];

fn place() -> Place {
    Place::new().with_data("countries.json")
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [JOB, more].concat()
}

#[test]
fn a_dry_run_is_the_default_and_leaves_nothing_behind() {
    let place = place();
    let said = place.run(JOB);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("dry run: nothing was written"), "{}", said.out);
    assert!(said.out.contains("  + country") || said.out.contains("+ region"), "{}", said.out);
    assert!(!place.path("inventory.db").exists());
}

#[test]
fn applying_writes_everything_and_a_second_run_finds_nothing_to_do() {
    let place = place();
    let said = place.run(&with(&["--apply"]));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("created 237"), "{}", said.out);
    assert!(said.out.contains("sqlite://inventory.db"), "{}", said.out);
    for step in ["load source", "load target", "calculate diff", "execute sync"] {
        let line = said.out.lines().find(|line| line.trim_start().starts_with(step)).unwrap();
        assert!(line.ends_with('s'), "a duration: {line}");
    }
    assert!(place.path("inventory.db").exists());

    let again = place.json(&with(&["--apply"]));
    assert_eq!(again["status"], "completed");
    assert_eq!(again["outcomes"]["unchanged"], 237);
    assert_eq!(again["diff"], json!({}));
    assert!(place.run(&with(&["--apply"])).out.contains("nothing to do"));
}

#[test]
fn an_edited_country_is_one_update_that_says_what_changed() {
    let place = place();
    place.run(&with(&["--apply"]));
    place.edit("countries.json", "\"pop2021\": \"0.8000\"", "\"pop2021\": \"0.9000\"");

    let said = place.run(JOB);
    assert!(said.out.contains("~ country vatican-city"), "{}", said.out);
    assert!(said.out.contains("population: 800 -> 900"), "{}", said.out);

    let report = place.json(&with(&["--apply"]));
    assert_eq!(report["outcomes"]["updated"], 1);
    assert_eq!(report["outcomes"]["unchanged"], 236);
    let change = json!({"+": {"population": 900}, "-": {"population": 800}});
    assert_eq!(report["diff"], json!({"region": {"europe": {"country": {"vatican-city": change}}}}));
    assert_eq!(place.json(JOB)["diff"], json!({}));
}

#[test]
fn a_country_that_moves_to_another_region_is_an_update() {
    let place = place();
    place.run(&with(&["--apply"]));
    place.edit("countries.json", "\"region\": \"Europe\"", "\"region\": \"Asia\"");
    let report = place.json(&with(&["--apply"]));
    assert_eq!(report["summary"]["total"]["update"], 1);
    assert_eq!(report["diff"]["region"]["asia"]["country"]["vatican-city"]["-"]["region"], "europe");
    assert_eq!(place.json(JOB)["diff"], json!({}));
}

#[test]
fn a_country_and_a_region_that_are_gone_are_deleted_children_first() {
    let place = place();
    place.run(&with(&["--apply"]));
    let rows: Vec<serde_json::Value> =
        serde_json::from_slice(&std::fs::read(place.path("countries.json")).unwrap()).unwrap();
    let kept: Vec<_> = rows.into_iter().filter(|row| row["region"] != "Oceania").collect();
    std::fs::write(place.path("countries.json"), serde_json::to_vec(&kept).unwrap()).unwrap();
    // The inventory's foreign key refuses the region while a country is in it, so the order is proven by success.
    let report = place.json(&with(&["--apply"]));
    assert_eq!(report["status"], "completed", "{report}");
    assert_eq!(report["outcomes"]["deleted"], 237 - kept.len() - 4);
    assert_eq!(place.json(JOB)["diff"], json!({}));
}

#[test]
fn memory_profiling_gives_each_step_its_figures() {
    let report = place().json(&with(&["--apply", "--memory-profiling"]));
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4);
    for step in steps {
        for kind in ["heap", "resident"] {
            let figures = &step["memory"][kind];
            let [in_use, peak] = ["in_use", "peak"].map(|figure| figures[figure].as_u64().unwrap());
            assert!(peak >= in_use && peak > 0, "{step}");
        }
    }
    assert!(steps[0]["memory"]["heap"]["in_use"].as_u64().unwrap() > 10_000, "the records are held: {}", steps[0]);

    let text = place().run(&with(&["--memory-profiling"])).out;
    assert!(text.contains("heap peak") && text.contains("KiB"), "{text}");
    assert_eq!(place().json(JOB)["steps"][0]["memory"], json!(null));
}

#[test]
fn parallel_loading_gives_each_side_its_own_figures() {
    let place = place();
    place.run(&with(&["--apply"]));
    let one_by_one = place.json(&with(&["--memory-profiling"]));
    // SQLite's driver allocates on a thread of its own, which is told to neither side while both load, and what it allocated is
    // freed by the target's side. So the target's figure is too low when the two happen to overlap, but not every time.
    let peak = |report: &Value, step: usize| report["steps"][step]["memory"]["heap"]["peak"].as_u64().unwrap();
    let mut reports = (0..5).map(|_| place.json(&with(&["--parallel-loading", "--memory-profiling"])));
    let report =
        reports.find(|report| peak(report, 0) > 10_000 && peak(report, 1) > 10_000).expect("each side's records");
    for step in [0, 1] {
        let heap = &one_by_one["steps"][step]["memory"]["heap"];
        assert!(heap["in_use"].as_u64().unwrap() > 10_000, "the records are held: {}", one_by_one["steps"][step]);
        let memory = &report["steps"][step]["memory"];
        assert!(memory["resident"]["in_use"].as_u64().unwrap() > 0);
    }
}

#[test]
fn the_inventory_can_be_set_by_the_environment() {
    let place = place();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_jobs-example"))
        .args(with(&["--apply"]))
        .current_dir(place.path("."))
        .env("INVENTORY_URL", "sqlite://elsewhere.db")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(place.path("elsewhere.db").exists() && !place.path("inventory.db").exists());
}

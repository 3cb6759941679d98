//! A saved plan is a file that people can read, that shows no secret, and that is taken only as it was made.

use std::io::{self, BufReader, Cursor};

use diffsync_core::Dataset;
use diffsync_core::apply::write_plan;
use diffsync_core::plan_file::{PlanFileError, PlanKey, PlanKind, SavedField, SavedPlan, approve};
use diffsync_core::run::RunOptions;
use diffsync_core::value::Secret;
use serde_json::Value;

use crate::fake_target::{Rig, SyncWorlds, dry_run};
use crate::plan_file::{key, plan, plan_of, read, saved, signature};
use crate::world::{Country, Records, World, country, records};
use diffsync_core::job::JobSpec;

fn example() -> (Records, Records) {
    let mut source = records(&["europe", "europe/france", "europe/france/paris"]);
    source.countries[0].community = Secret::new("hunter2".into());
    source.countries[0].population = Some(68);
    let mut target = records(&["europe", "europe/france", "europe/france/lutetia"]);
    target.countries[0].community = Secret::new("tiger3".into());
    (source, target)
}

fn text() -> String {
    let (source, target) = example();
    plan(&source, &target)
}

#[test]
fn a_plan_is_a_document_a_line_that_people_can_read() {
    let text = text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let header = &lines[0];
    assert!(text.starts_with(r#"{"diffsync_plan":1,"kind":"sync","job":"sync-worlds","program":"#), "{text}");
    assert_eq!(header["made"]["by"], "ada");
    assert_eq!(header["variables"][0][0], "file");
    assert_eq!(header["options"]["on_guard"], "stop");
    assert_eq!(header["options"]["limit_overrides"][0]["operation"], "delete");
    let models: Vec<_> = header["models"].as_array().unwrap().iter().map(|model| &model["name"]).collect();
    assert_eq!(models, ["city", "country"], "only what it touches");
    assert_eq!(header["models"][1]["attributes"][1]["type"], "Option<u64>");
    let create = r#"{"op":"create","model":"city","id":{"country":"france","name":"paris"},"after":{"motto":null}}"#;
    let delete = r#"{"op":"delete","model":"city","id":{"country":"france","name":"lutetia"},"before":{"motto":null}}"#;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[1..3], [create, delete]);
    assert!(
        lines[3].starts_with(r#"{"op":"update","model":"country","id":"france","before":{"community":{"$secret":""#)
    );
    assert!(lines[4].starts_with(r#"{"operations":3,"sha256":""#), "{}", lines[4]);
    assert_eq!(lines.len(), 5);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(text(), text());
}

#[test]
fn a_secret_is_neither_in_the_file_nor_told_by_equal_values() {
    let text = text();
    assert!(!text.contains("hunter2") && !text.contains("tiger3"), "{text}");
    let (mut source, target) = example();
    source.countries.push(Country { community: Secret::new("hunter2".into()), ..country("niue", "europe") });
    let text = plan(&source, &target);
    let sealed: Vec<_> = text.split("\"$secret\":\"").skip(1).map(|rest| &rest[..64]).collect();
    assert_eq!(sealed.len(), 3);
    assert!(sealed.iter().enumerate().all(|(at, seal)| !sealed[..at].contains(seal)), "{text}");
}

#[test]
fn another_key_seals_otherwise_and_nothing_else_differs() {
    let (source, target) = example();
    let (report, _) = Rig::new(source, target).run(dry_run());
    let plan = report.plan().unwrap();
    let header = dry_run().plan_header(&SyncWorlds::INFO, PlanKind::Sync, Vec::new(), signature("ada"), plan);
    let with = |key: &PlanKey| {
        let mut text = Vec::new();
        write_plan(plan, &header, key, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let other = PlanKey::new(b"another key, 24 bytes ok").unwrap();
    let (text, text_of_other) = (with(&key()), with(&other));
    let differing: Vec<_> = text.lines().zip(text_of_other.lines()).filter(|(one, other)| one != other).collect();
    assert_eq!(differing.len(), 2, "the operation with the secrets, and the digest");
    assert!(differing.iter().all(|(line, _)| line.contains("$secret") || line.contains("sha256")));
}

#[test]
fn what_is_written_is_read() {
    let plan = read(&text()).unwrap();
    assert_eq!((plan.operations(), plan.header.job.as_str(), plan.approvals.len()), (3, "sync-worlds", 0));
    assert_eq!(plan.header.created.to_string(), "ada at 2026-11-22T17:13:37Z");
    plan.check("sync-worlds", World::SCHEMAS).unwrap();
}

#[test]
fn an_empty_plan_is_a_plan() {
    let world = records(&["europe"]);
    assert_eq!(read(&plan(&world, &world)).unwrap().operations(), 0);
}

/// Expects a file to be refused with a message that begins like this.
fn check(text: &str, expected: &str) {
    let error = read(text).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let text = text();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    check("", "the plan ends after line 0: it was cut off");
    check(lines[0], "the plan ends after line 1: it was cut off");
    check(&lines[..3].concat(), "the plan ends after line 3: it was cut off");
    check(&text[..text.len() - 10], "the plan ends after line 4: it was cut off");
    check(&(lines[0].to_owned() + &lines[1][..20]), "the plan ends after line 1: it was cut off");
    // An editor's missing newline is no harm.
    assert!(read(text.trim_end()).is_ok());
}

#[test]
fn a_file_that_was_changed_is_refused() {
    let text = text();
    let changed = "the plan was changed after it was created";
    check(&text.replace("68", "69"), changed);
    check(&text.replace("\"by\":\"ada\"", "\"by\":\"eve\""), changed);
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let without =
        |line| lines.iter().enumerate().filter(|(at, _)| *at != line).map(|(_, line)| *line).collect::<String>();
    check(&without(1), changed);
    check(&[lines[0], lines[2], lines[1], lines[3], lines[4]].concat(), changed);
    check(&[lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]].concat(), changed);
    check(&[&text, lines[1]].concat(), "line 6 is not part of a plan: only approvals may follow the end");
    check(&text.replace("\"operations\":3", "\"operations\":4"), changed);
}

#[test]
fn a_file_that_is_no_plan_or_of_another_version_is_refused() {
    check("[]\n", "line 1 is not part of a plan: it is not the header of a plan");
    check("{\"job\":\"x\"}\n", "line 1 is not part of a plan: it is not the header of a plan");
    check("these are my notes\n", "line 1 is not part of a plan: expected");
    let text = text();
    check(
        &text.replace("\"diffsync_plan\":1", "\"diffsync_plan\":2"),
        "the plan has format 2, but this program reads format 1; create it again with this program",
    );
    check(
        &text.replace("\"op\":\"create\"", "\"op\":\"drop\""),
        "line 2 is not part of a plan: unknown variant `drop`",
    );
    check(
        &text.replace("\"kind\":\"sync\"", "\"kind\":\"wish\""),
        "line 1 is not part of a plan: unknown variant `wish`",
    );
}

#[test]
fn a_head_with_what_no_run_has_written_is_refused() {
    let text = text();
    let header = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        changed
    };
    let unknown = "line 1 is not part of a plan: unknown field `";
    check(&header("\"job\":", "\"note\":1,\"job\":"), &format!("{unknown}note`"));
    check(&header("\"on_guard\":", "\"off_guard\":1,\"on_guard\":"), &format!("{unknown}off_guard`"));
    check(&header("\"by\":", "\"for\":1,\"by\":"), &format!("{unknown}for`"));
    for limit in ["-0.5", "1.5", "1e9"] {
        let written = text.split("\"max_rejected\":").nth(1).unwrap().split('}').next().unwrap();
        check(
            &header(&format!("\"max_rejected\":{written}"), &format!("\"max_rejected\":{limit}")),
            "line 1 is not part of a plan: `max_rejected` is ",
        );
    }
    check(&header("\"op\":", "\"os\":1,\"op\":"), "line 2 is not part of a plan: unknown field `os`");
}

#[test]
fn a_line_without_an_end_is_not_read_for_ever() {
    let error = SavedPlan::read(&mut BufReader::new(io::repeat(b'x'))).unwrap_err().to_string();
    assert_eq!(error, "line 1 is not part of a plan: it is longer than 64 MiB");
}

#[test]
fn a_plan_of_another_job_or_of_models_that_changed_is_refused_with_the_difference() {
    let plan = read(&text()).unwrap();
    let error = plan.check("sync-moons", World::SCHEMAS).unwrap_err().to_string();
    assert_eq!(error, "the plan is for the job `sync-worlds`, not for `sync-moons`");
    let of = |change: &dyn Fn(&mut diffsync_core::plan_file::SavedPlan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        match plan.check("sync-worlds", World::SCHEMAS) {
            Err(PlanFileError::Schema(changes)) => changes.join("; "),
            other => panic!("{other:?}"),
        }
    };
    let field = |name: &str, ty: &str| SavedField { name: name.into(), r#type: ty.into() };
    let expected = "`country.population` was `u32` and is `Option<u64>`";
    assert_eq!(of(&|plan| plan.header.models[1].attributes[1].r#type = "u32".into()), expected);
    let expected = "the attribute `country.flag` is gone";
    assert_eq!(of(&|plan| plan.header.models[1].attributes.push(field("flag", "String"))), expected);
    let expected = "the attribute `city.motto` is new";
    assert_eq!(of(&|plan| plan.header.models[0].attributes.clear()), expected);
    let expected = "the identifier `city.code` is gone; the identifier `city.country` is new";
    assert_eq!(of(&|plan| plan.header.models[0].identifiers[0].name = "code".into()), expected);
    assert_eq!(
        of(&|plan| plan.header.models[0].identifiers.reverse()),
        "the identifiers of `city` are in another order"
    );
    assert_eq!(of(&|plan| plan.header.models[0].name = "town".into()), "the model `town` is gone");
}

fn approved(text: &str, by: &str) -> Result<String, PlanFileError> {
    let mut out = Vec::new();
    approve(&mut Cursor::new(text), signature(by), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn an_approval_adds_a_second_name_and_changes_nothing_else() {
    let text = text();
    let once = approved(&text, "grace").unwrap();
    assert_eq!(once, format!("{text}{}\n", r#"{"approved":{"by":"grace","at":"2026-11-22T17:13:37Z"}}"#));
    let twice = read(&approved(once.trim_end(), "edsger").unwrap()).unwrap();
    let names: Vec<_> = twice.approvals.iter().map(|signature| signature.by.as_str()).collect();
    assert_eq!(names, ["grace", "edsger"]);
}

#[test]
fn nobody_approves_a_plan_twice_or_their_own() {
    let once = approved(&text(), "grace").unwrap();
    for by in ["ada", "grace"] {
        let error = approved(&once, by).unwrap_err().to_string();
        assert_eq!(error, format!("`{by}` has already created or approved this plan; another person must approve it"));
    }
    assert!(matches!(approved(&text().replace("68", "69"), "grace"), Err(PlanFileError::Changed)));
}

#[test]
fn the_head_says_how_the_run_was_done() {
    let mut options = RunOptions::new(&SyncWorlds::INFO);
    options.flags = diffsync_core::model::Flags::SKIP_UNMATCHED_DST;
    options.filter.records.push("country=fr*".parse().unwrap());
    options.on_guard = diffsync_core::model::OnGuard::Hold;
    let options = options.allow("city", diffsync_core::model::Operation::Delete, "50%".parse().unwrap());
    let (source, target) = example();
    let text = plan_of(Rig::new(source, target), &{
        let mut options = options.clone();
        options.dry_run = true;
        options
    });
    let header = read(&text).unwrap().header;
    assert_eq!(header.options.flags, "SKIP_UNMATCHED_DST");
    let again = crate::plan_file::apply_plan(
        RunOptions::new(&SyncWorlds::INFO),
        &text,
        diffsync_core::plan_file::DriftPolicy::Refuse,
    );
    assert_eq!(
        (again.flags, &again.filter, &again.limit_overrides),
        (options.flags, &options.filter, &options.limit_overrides)
    );
    assert_eq!(again.on_guard, diffsync_core::model::OnGuard::Hold);
}

#[test]
fn flags_that_do_not_exist_are_refused() {
    let mut plan = read(&text()).unwrap();
    plan.header.options.flags = "SKIP_EVERYTHING".into();
    let request = diffsync_core::plan_file::ApplyRequest {
        plan: plan.into(),
        key: key(),
        policy: diffsync_core::plan_file::DriftPolicy::Refuse,
    };
    let error = RunOptions::new(&SyncWorlds::INFO).apply_plan(request).unwrap_err();
    assert_eq!(error.to_string(), "the plan was made with flags that do not exist: SKIP_EVERYTHING");
}

#[test]
fn what_is_held_back_is_not_in_the_file() {
    let (source, target) = example();
    let mut options = dry_run();
    options.limit_overrides.clear();
    options
        .limit_overrides
        .push(diffsync_core::model::LimitOverride::parse(diffsync_core::model::Operation::Delete, "city=0").unwrap());
    options.on_guard = diffsync_core::model::OnGuard::Hold;
    let (report, _) = Rig::new(source, target).run(options.clone());
    assert_eq!(report.counts.held, 1);
    let text = saved::<SyncWorlds>(&report, &options);
    assert_eq!(read(&text).unwrap().operations(), 2);
    assert!(!text.contains("lutetia"), "{text}");
}

//! Every way in which an operation of a saved plan can fail to be found again as it was.

use diffsync_core::ModelExt;
use diffsync_core::model::Flags;
use diffsync_core::plan_file::{DriftPolicy, PlanKey};
use diffsync_core::report::Status;
use diffsync_core::value::Secret;

use crate::fake_target::{Rig, apply, ended};
use crate::plan_file::{carry_out, drift, key, plan};
use crate::world::{Country, Records, country, records, region};

/// Six countries and a region: two to create, two to update, two to delete, and one that stays.
fn sides() -> (Records, Records) {
    let mut source = records(&["europe", "europe/new", "europe/newer", "europe/old", "europe/older", "europe/same"]);
    let mut target = records(&["europe", "europe/old", "europe/older", "europe/same", "europe/gone", "europe/lost"]);
    for slug in ["old", "older"] {
        find(&mut source, slug).population = Some(2);
        find(&mut target, slug).population = Some(1);
    }
    (source, target)
}

fn find<'a>(records: &'a mut Records, slug: &str) -> &'a mut Country {
    records.countries.iter_mut().find(|country| country.slug == slug).unwrap()
}

fn drop(records: &mut Records, slug: &str) {
    records.countries.retain(|country| country.slug != slug);
}

/// Changes both sides after the plan was made, and expects the plan to be refused for this reason, and otherwise the rest
/// to be done.
fn check(change: impl Fn(&mut Records, &mut Records), expected: &str, rest: &str) {
    let (mut source, mut target) = sides();
    let text = plan(&source, &target);
    change(&mut source, &mut target);
    let (report, rig) = carry_out(&text, Rig::new(source.clone(), target.clone()), DriftPolicy::Refuse);
    assert_eq!((report.status, drift(&report).as_slice()), (Status::Refused, &[expected.to_owned()][..]), "{report:?}");
    assert_eq!(rig.calls(), [""; 0]);
    let error = report.error_text().unwrap();
    assert!(error.contains("the systems have changed since the plan was saved") && error.contains(expected), "{error}");

    let (report, _) = carry_out(&text, Rig::new(source, target), DriftPolicy::Skip);
    assert_eq!((report.status, ended(&report).as_str()), (Status::Partial, rest));
    assert_eq!(drift(&report), [expected]);
}

#[test]
fn a_create_whose_source_changed_is_drift() {
    check(
        |source, _| find(source, "new").population = Some(9),
        "create country new: the source changed: `population` is 9 where the plan has null",
        "1 created, 2 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
}

#[test]
fn a_create_that_is_no_longer_in_the_source_is_drift() {
    check(
        |source, _| drop(source, "new"),
        "create country new: the source no longer holds it",
        "1 created, 2 updated, 2 deleted, 2 unchanged",
    );
}

#[test]
fn a_create_that_somebody_made_otherwise_is_drift() {
    check(
        |_, target| target.countries.push(Country { population: Some(3), ..country("new", "europe") }),
        "create country new: the target holds it already, and `population` is 3 where the plan has null",
        "1 created, 2 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
}

#[test]
fn an_update_whose_source_changed_is_drift() {
    check(
        |source, _| find(source, "old").population = Some(9),
        "update country old: the source changed: `population` is 9 where the plan has 2",
        "2 created, 1 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
}

#[test]
fn an_update_whose_target_changed_is_drift() {
    check(
        |_, target| find(target, "old").population = Some(9),
        "update country old: the target changed: `population` is 9 where the plan has 1",
        "2 created, 1 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
}

#[test]
fn an_update_that_would_change_more_is_drift() {
    check(
        |source, _| find(source, "old").community = Secret::new("hunter2".into()),
        "update country old: other attributes would change too, or it is now held or left out",
        "2 created, 1 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
}

#[test]
fn an_update_of_a_record_that_is_gone_from_a_side_is_drift() {
    check(
        |source, _| drop(source, "old"),
        "update country old: the source no longer holds it",
        "2 created, 1 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
    check(
        |_, target| drop(target, "old"),
        "update country old: the target no longer holds it",
        "2 created, 1 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
}

#[test]
fn a_delete_whose_target_changed_is_drift() {
    check(
        |_, target| find(target, "gone").population = Some(9),
        "delete country gone: the target changed: `population` is 9 where the plan has null",
        "2 created, 2 updated, 1 deleted, 2 unchanged, 1 left_out",
    );
}

#[test]
fn a_delete_of_what_the_source_holds_again_is_drift() {
    check(
        |source, _| source.countries.push(country("gone", "europe")),
        "delete country gone: the source holds it now",
        "2 created, 2 updated, 1 deleted, 3 unchanged",
    );
}

#[test]
fn a_secret_that_changed_is_drift_and_not_shown() {
    let (mut source, mut target) = sides();
    find(&mut source, "new").community = Secret::new("hunter2".into());
    find(&mut target, "gone").community = Secret::new("tiger3".into());
    let text = plan(&source, &target);
    find(&mut source, "new").community = Secret::new("hunter4".into());
    find(&mut target, "gone").community = Secret::new("tiger5".into());
    let (report, _) = carry_out(&text, Rig::new(source, target), DriftPolicy::Refuse);
    let secret = "`community` is [secret] where the plan has [secret]";
    let expected = [
        format!("create country new: the source changed: {secret}"),
        format!("delete country gone: the target changed: {secret}"),
    ];
    assert_eq!(drift(&report), expected);
    let all = format!("{text}{report:?}{}{}", serde_json::to_string(&report).unwrap(), report.error_text().unwrap());
    for secret in ["hunter2", "tiger3", "hunter4", "tiger5"] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[test]
fn with_another_key_every_secret_seems_to_have_changed() {
    let (mut source, target) = sides();
    find(&mut source, "new").community = Secret::new("hunter2".into());
    let text = plan(&source, &target);
    let mut options = crate::plan_file::apply_plan(apply(), &text, DriftPolicy::Refuse);
    let request = options.apply_request.as_mut().unwrap();
    assert_eq!(request.key, key());
    request.key = PlanKey::new(b"another key, long enough").unwrap();
    let (report, _) = Rig::new(source, target).run(options);
    // The default secret of all others is one too.
    assert_eq!((report.status, report.drift.len()), (Status::Refused, 4), "{:?}", drift(&report));
}

/// Makes a plan, has the loaders do something else when it is carried out, and expects this drift.
fn check_loaded(rig: impl Fn(Rig) -> Rig, expected: &[&str], rest: &str) {
    let (source, target) = sides();
    let text = plan(&source, &target);
    let (report, _) = carry_out(&text, rig(Rig::new(source.clone(), target.clone())), DriftPolicy::Refuse);
    assert_eq!(drift(&report), expected);
    let (report, _) = carry_out(&text, rig(Rig::new(source, target)), DriftPolicy::Skip);
    assert_eq!((drift(&report), ended(&report).as_str()), (expected.iter().map(ToString::to_string).collect(), rest));
}

#[test]
fn what_is_held_back_or_left_out_now_is_drift() {
    check_loaded(
        |rig| rig.target_then(|world| world.countries.flag(country("gone", "").id(), Flags::PREVENT_DESTROY)),
        &["delete country gone: it is now held or left out, or deleted in another way"],
        "2 created, 2 updated, 1 deleted, 2 unchanged, 1 held",
    );
    check_loaded(
        |rig| rig.source_then(|world| world.countries.flag(country("new", "").id(), Flags::IGNORE)),
        &["create country new: a record that it needs is missing, or it is now held or left out"],
        "1 created, 2 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
    check_loaded(
        |rig| rig.source_then(|world| world.countries.flag(country("old", "").id(), Flags::IGNORE)),
        &["update country old: other attributes would change too, or it is now held or left out"],
        "2 created, 1 updated, 2 deleted, 2 unchanged, 1 left_out",
    );
}

#[test]
fn what_a_side_cannot_use_is_not_taken_for_gone() {
    check_loaded(
        |rig| {
            rig.target_then(|world| {
                world.countries.remove("gone");
                world.countries.reject(country("gone", "").id(), "odd");
            })
        },
        &["delete country gone: the target holds it in a form that cannot be used"],
        "2 created, 2 updated, 1 deleted, 2 unchanged, 1 rejected",
    );
    check_loaded(
        |rig| {
            rig.source_then(|world| {
                world.countries.remove("new");
                world.countries.reject(country("new", "").id(), "odd");
            })
        },
        &["create country new: the source holds it in a form that cannot be used"],
        "1 created, 2 updated, 2 deleted, 2 unchanged, 1 rejected",
    );
}

#[test]
fn a_model_that_a_side_does_not_load_is_not_taken_for_deleted() {
    let (source, target) = sides();
    let text = plan(&source, &target);
    let rig = Rig::new(source, Records { countries: Vec::new(), ..target })
        .target_then(|world| world.countries.skip("the service is down"));
    let (report, rig) = carry_out(&text, rig, DriftPolicy::Skip);
    assert_eq!(report.drift.len(), 6);
    assert!(report.drift.iter().all(|drift| drift.reason == "the target did not load this model"));
    assert_eq!((report.status, rig.calls().len()), (Status::Partial, 0));
}

#[test]
fn what_lives_under_a_create_that_is_no_longer_there_is_not_created() {
    let source = records(&["europe", "europe/france", "europe/france/paris", "asia"]);
    let text = plan(&source, &records(&["africa"]));
    let mut now = source.clone();
    now.regions.retain(|region| region.slug != "europe");
    let (report, rig) =
        Rig::new(now, records(&["africa"])).run(crate::plan_file::apply_plan(apply(), &text, DriftPolicy::Skip));
    assert_eq!(rig.calls(), ["create region asia", "delete region africa"]);
    assert_eq!(report.status, Status::Partial);
    let found = drift(&report);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.contains(&"create region europe: the source no longer holds it".to_owned()), "{found:?}");

    // The same where it is there, and not as it was.
    let mut now = source.clone();
    now.regions.retain(|region| region.slug != "europe");
    now.regions.push(crate::world::Region { name: "Europa".into(), ..region("europe") });
    let (report, rig) = carry_out(&text, Rig::new(now, records(&["africa"])), DriftPolicy::Skip);
    assert_eq!(rig.calls(), ["create region asia", "delete region africa"]);
    let found = drift(&report);
    let missing = "a record that it needs is missing, or it is now held or left out";
    assert!(found.contains(&format!("create country france: {missing}")), "{found:?}");
    assert!(found.contains(&format!("create city france__paris: {missing}")), "{found:?}");
}

#[test]
fn a_long_list_of_drift_is_cut_in_the_message_and_whole_in_the_report() {
    let lines: Vec<String> = (0..30).map(|number| format!("region{number}")).collect();
    let mut source = records(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    source.regions.push(region("africa"));
    let text = plan(&source, &records(&["africa"]));
    let (report, _) = carry_out(&text, Rig::new(records(&["africa"]), records(&["africa"])), DriftPolicy::Refuse);
    assert_eq!(report.drift.len(), 30);
    assert!(report.error_text().unwrap().ends_with("… and 10 more"), "{:?}", report.error_text());
}

//! A run can be taken back, as far as that is possible.

use diffsync_core::ModelExt;
use diffsync_core::model::{Flags, Operation};
use diffsync_core::plan_file::DriftPolicy;
use diffsync_core::report::{RunReport, Status};
use diffsync_core::value::Secret;

use crate::fake_target::{Answer, Rig, Shared, SyncWorlds, apply, dry_run, ended, locked};
use crate::plan_file::{apply_plan, drift, inverse, plan, read, undoable};
use crate::world::{Country, Records, country, records, region};

/// A run, what takes it back, and the target that it was done on.
fn done(rig: Rig) -> (RunReport, String, Shared) {
    let rig = rig.into_shared();
    let report = rig.run(undoable());
    let text = inverse::<SyncWorlds>(&report, &undoable());
    (report, text, rig)
}

fn undone(rig: &Shared, text: &str, policy: DriftPolicy) -> RunReport {
    rig.run(apply_plan(apply(), text, policy))
}

fn lost(text: &str) -> Vec<String> {
    read(text).unwrap().unrestorable.iter().map(ToString::to_string).collect()
}

fn sides() -> (Records, Records) {
    let mut source =
        records(&["europe", "europe/france", "asia", "asia/japan", "asia/japan/tokyo", ":house", "house:room"]);
    let target =
        records(&["europe", "europe/france", "europe/japan", "africa", "africa/mali", "africa/mali/kidal", ":room"]);
    source.countries[0].population = Some(68);
    (source, target)
}

fn sorted(mut records: Records) -> Records {
    records.regions.sort_by(|one, other| one.slug.cmp(&other.slug));
    records.countries.sort_by(|one, other| one.slug.cmp(&other.slug));
    records.cities.sort_by(|one, other| one.name.cmp(&other.name));
    records.places.sort_by(|one, other| one.name.cmp(&other.name));
    records
}

#[test]
fn taking_back_a_run_restores_every_record() {
    let (source, mut target) = sides();
    // Without a secret, so that nothing is lost but the numbers that the target gives.
    target.countries.retain(|country| country.slug != "mali");
    target.cities.clear();
    let (report, text, rig) = done(Rig::new(source, target.clone()));
    assert_eq!(
        (report.status, ended(&report).as_str()),
        (Status::Completed, "3 created, 3 updated, 1 deleted, 1 unchanged")
    );
    assert_eq!(lost(&text), ["region: records that are created again get new values for `remote_id`"]);
    let report = undone(&rig, &text, DriftPolicy::Refuse);
    assert_eq!(report.status, Status::Completed, "{report:?}");
    assert_eq!(sorted(rig.target_records()), sorted(target));
}

#[test]
fn a_run_that_was_taken_back_cannot_be_taken_back_again() {
    let (source, target) = sides();
    let (_, text, rig) = done(Rig::new(source, target));
    assert_eq!(undone(&rig, &text, DriftPolicy::Refuse).status, Status::Completed);
    let calls = rig.calls().len();
    let again = undone(&rig, &text, DriftPolicy::Skip);
    assert_eq!((again.status, rig.calls().len()), (Status::Refused, calls));
    assert_eq!(again.error_text().unwrap(), "everything in the plan is done already");
}

#[test]
fn without_a_key_nothing_is_kept_to_take_a_run_back() {
    let (source, target) = sides();
    let (report, _) = Rig::new(source.clone(), target.clone()).run(apply());
    assert!(report.undo.is_none());
    let mut options = undoable();
    options.dry_run = true;
    let (report, _) = Rig::new(source, target).run(options);
    assert!(report.undo.is_none(), "nothing was done");
}

#[test]
fn secrets_are_named_as_lost_and_not_in_the_file() {
    let secret = |country: Country, secret: &str| Country { community: Secret::new(secret.into()), ..country };
    let mut source = records(&["europe"]);
    source.countries.push(Country { population: Some(1), ..secret(country("france", "europe"), "hunter2") });
    let mut target = records(&["europe"]);
    target
        .countries
        .extend([secret(country("france", "europe"), "tiger3"), secret(country("mali", "europe"), "lion4")]);
    let (_, text, rig) = done(Rig::new(source, target));
    assert!(["hunter2", "tiger3", "lion4"].iter().all(|secret| !text.contains(secret)), "{text}");
    let expected = [
        "country france: `community` is a secret",
        // Without a value for it there is no such record.
        "country mali: it cannot be created again without its secrets: `community`",
    ];
    assert_eq!(lost(&text), expected);
    assert_eq!(undone(&rig, &text, DriftPolicy::Refuse).status, Status::Completed);
    let france = &rig.target_records().countries[0];
    assert_eq!((france.population, france.community.expose().as_str()), (None, "hunter2"));
}

#[test]
fn what_the_target_deleted_by_itself_is_named_as_lost() {
    let rig = Rig::new(records(&["asia"]), records(&["asia", "europe"])).target_then(|world| {
        // The country is there for the loader only, so that the target can delete its region.
        world.countries.insert(country("france", "europe"));
        world.regions.flag(region("europe").id(), Flags::SKIP_CHILDREN_ON_DELETE);
    });
    let (report, text, _) = done(rig);
    assert_eq!((report.counts.deleted, report.counts.cascaded), (1, 1));
    assert!(lost(&text).contains(&"country france: the target deleted it with its parent".to_owned()), "{text}");
    assert_eq!(read(&text).unwrap().operations(), 1);
}

#[test]
fn a_run_that_failed_in_part_is_taken_back_as_far_as_it_went() {
    let (source, target) = sides();
    let rig = Rig::new(source, target.clone())
        .answering("create region asia", Answer::Fail)
        .answering("delete city mali__kidal", Answer::Fail)
        .answering("update country france", Answer::Fail);
    let (report, text, rig) = done(rig);
    assert_eq!(report.status, Status::Partial);
    assert_eq!(read(&text).unwrap().operations(), report.counts.written());
    locked(&rig.answers).clear();
    assert_eq!(undone(&rig, &text, DriftPolicy::Refuse).status, Status::Completed);
    assert_eq!(sorted(rig.target_records()), sorted(target));
}

#[test]
fn what_may_or_may_not_have_been_written_is_named() {
    let rig = Rig::new(records(&["europe"]), records(&["asia"])).answering("create region europe", Answer::Hang);
    let rig = rig.into_shared();
    let mut options = undoable();
    options.record_time_limit = Some(std::time::Duration::from_millis(10));
    let report = rig.run(options.clone());
    let text = inverse::<SyncWorlds>(&report, &options);
    assert_eq!(lost(&text)[0], "region europe: it is unknown whether it was created");
}

#[test]
fn a_target_that_changed_since_is_left_alone() {
    let (source, target) = sides();
    let (_, text, rig) = done(Rig::new(source, target));
    locked(&rig.target).countries.iter_mut().find(|country| country.slug == "france").unwrap().population = Some(69);
    locked(&rig.target).regions.push(crate::world::Region { name: "Afrika".into(), ..region("africa") });
    let calls = rig.calls().len();
    let report = undone(&rig, &text, DriftPolicy::Refuse);
    assert_eq!((report.status, rig.calls().len()), (Status::Refused, calls));
    let expected = [
        "update country france: the target changed: `population` is 69 where the plan has 68",
        "create region africa: the target holds it again, and `name` is \"Afrika\" where the plan has \"AFRICA\"",
    ];
    assert_eq!(drift(&report), expected);
    let report = undone(&rig, &text, DriftPolicy::Skip);
    assert_eq!(report.status, Status::Partial);
    assert_eq!(rig.target_records().countries.iter().find(|c| c.slug == "france").unwrap().population, Some(69));
}

#[test]
fn a_record_that_somebody_put_under_a_created_one_keeps_it() {
    let (_, text, rig) = done(Rig::new(records(&["europe"]), records(&[])));
    locked(&rig.target).countries.push(country("niue", "europe"));
    let report = undone(&rig, &text, DriftPolicy::Refuse);
    assert_eq!((report.status, report.counts.blocked), (Status::Partial, 1));
    assert_eq!(rig.target_records().regions.len(), 1);
}

#[test]
fn taking_back_needs_no_source_and_heeds_the_guards() {
    let mut source = records(&["europe"]);
    source.countries.extend((0..20).map(|number| country(&format!("c{number}"), "europe")));
    let mut target = records(&["europe"]);
    target.countries.push(country("c0", "europe"));
    let (_, text, rig) = done(Rig::new(source, target));
    let empty = Rig::new(Records::default(), rig.target_records());
    let mut options = apply_plan(
        diffsync_core::run::RunOptions::new(&<SyncWorlds as diffsync_core::job::JobSpec>::INFO),
        &text,
        DriftPolicy::Refuse,
    );
    options.limit_overrides.clear();
    let (report, _) = empty.run(options);
    assert_eq!((report.status, report.breaches.len()), (Status::Refused, 1));
    assert!(report.error_text().unwrap().contains("country: it would delete 19 records"), "{:?}", report.error_text());
    let empty = Rig::new(Records::default(), rig.target_records());
    let (report, empty) = empty.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, report.counts.deleted), (Status::Completed, 19));
    assert_eq!(empty.target_records().countries.len(), 1);
}

#[test]
fn what_must_not_be_deleted_is_not_deleted_by_taking_back_either() {
    let (_, text, rig) = done(Rig::new(records(&["europe", "asia"]), records(&[])));
    let rig = Rig::new(Records::default(), rig.target_records())
        .target_then(|world| world.regions.flag(region("europe").id(), Flags::PREVENT_DESTROY));
    let (report, rig) = rig.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, report.counts.held, report.counts.deleted), (Status::Partial, 1, 1));
    assert_eq!(rig.target_records().regions.len(), 1);
}

#[test]
fn a_model_that_the_target_does_not_load_is_not_taken_for_gone() {
    let (_, text, rig) = done(Rig::new(records(&["europe"]), records(&["asia"])));
    let rig = Rig::new(Records::default(), Records { regions: Vec::new(), ..rig.target_records() })
        .target_then(|world| world.regions.skip("the service is down"));
    let (report, rig) = rig.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, rig.calls().len()), (Status::Refused, 0));
    assert!(
        report.drift.iter().all(|drift| drift.reason == "the target did not load this model"),
        "{:?}",
        drift(&report)
    );
}

#[test]
fn a_plan_that_was_carried_out_can_be_taken_back() {
    let (source, target) = sides();
    let text = plan(&source, &target);
    let rig = Rig::new(source, target.clone()).into_shared();
    let options = apply_plan(undoable(), &text, DriftPolicy::Refuse);
    let report = rig.run(options.clone());
    assert_eq!(report.status, Status::Completed);
    let text = inverse::<SyncWorlds>(&report, &options);
    assert_eq!(undone(&rig, &text, DriftPolicy::Refuse).status, Status::Completed);
    // The secret that a country cannot be made without is not known any more, and so is the city's country.
    let mali = |records: &Records| records.countries.iter().any(|country| country.slug == "mali");
    assert!(mali(&target) && !mali(&rig.target_records()));
}

#[test]
fn a_run_that_takes_back_can_be_taken_back() {
    let source = records(&["europe", "asia"]);
    let (_, text, rig) = done(Rig::new(source.clone(), records(&["africa"])));
    let options = apply_plan(undoable(), &text, DriftPolicy::Refuse);
    let report = rig.run(options.clone());
    assert_eq!(rig.target_records(), records(&["africa"]));
    let again = inverse::<SyncWorlds>(&report, &options);
    assert_eq!(undone(&rig, &again, DriftPolicy::Refuse).status, Status::Completed);
    assert_eq!(sorted(rig.target_records()), sorted(source));
}

#[test]
fn a_dry_run_of_taking_back_shows_what_it_would_do() {
    let (_, text, rig) = done(Rig::new(records(&["europe"]), records(&["asia"])));
    let report = rig.run(apply_plan(dry_run(), &text, DriftPolicy::Refuse));
    assert_eq!(report.plan().unwrap().tree().to_string(), "+ region asia\n- region europe\n");
    let kinds: Vec<_> = Operation::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(kinds.len(), 3);
}

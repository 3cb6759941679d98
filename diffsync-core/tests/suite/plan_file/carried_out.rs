//! Carrying out a saved plan does what stands in it, and nothing else.

use diffsync_core::ModelExt;
use diffsync_core::model::{Flags, Limit, OnGuard, Operation};
use diffsync_core::plan::Breach;
use diffsync_core::plan_file::DriftPolicy;
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;

use crate::fake_target::SyncWorlds;
use crate::fake_target::{Answer, Rig, apply, dry_run, ended, locked};
use crate::plan_file::{apply_plan, carry_out, drift, plan, plan_of};
use crate::world::{Records, country, records};
use diffsync_core::job::JobSpec;

#[test]
fn exactly_what_stands_in_the_file_is_done() {
    let (source, target) = (records(&["europe", "europe/france"]), records(&["europe", "europe/gone"]));
    let text = plan(&source, &target);
    // What has come up since is left out, and counted.
    let source = records(&["europe", "europe/france", "europe/niue", "asia", "asia/japan"]);
    let target = records(&["europe", "europe/gone", "europe/also-gone", "africa"]);
    let (report, rig) = carry_out(&text, Rig::new(source, target), DriftPolicy::Refuse);
    assert_eq!(rig.calls(), ["create country france", "delete country gone"]);
    assert_eq!(
        (report.status, ended(&report).as_str()),
        (Status::Completed, "1 created, 1 deleted, 1 unchanged, 5 left_out")
    );
    assert_eq!(drift(&report), [""; 0]);
}

#[test]
fn a_dry_run_of_a_plan_shows_it_and_writes_nothing() {
    let (source, target) = (records(&["europe", "europe/france"]), records(&["europe"]));
    let text = plan(&source, &target);
    let (report, rig) = Rig::new(source, target).run(apply_plan(dry_run(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, report.summary().unwrap().total.create), (Status::Completed, 1));
    assert_eq!(rig.calls(), [""; 0]);
}

#[test]
fn what_is_done_is_done_and_a_plan_that_is_done_is_refused() {
    let (source, target) = (records(&["europe", "europe/france"]), records(&["europe", "europe/gone"]));
    let text = plan(&source, &target);
    // Somebody did half of it by hand.
    let half = records(&["europe", "europe/gone", "europe/france"]);
    let rig = Rig::new(source, half).into_shared();
    let report = rig.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, rig.calls().as_slice()), (Status::Completed, &["delete country gone".to_owned()][..]));
    for policy in [DriftPolicy::Refuse, DriftPolicy::Skip] {
        let report = rig.run(apply_plan(apply(), &text, policy));
        assert_eq!(report.status, Status::Refused);
        assert_eq!(report.error_text().unwrap(), "everything in the plan is done already");
    }
}

#[test]
fn a_plan_with_nothing_in_it_is_carried_out_with_nothing_done() {
    let world = records(&["europe"]);
    let text = plan(&world, &world);
    let (report, rig) = carry_out(&text, Rig::new(records(&["europe", "asia"]), world), DriftPolicy::Refuse);
    assert_eq!((report.status, rig.calls().len(), report.counts.left_out), (Status::Completed, 0, 1));
}

#[test]
fn a_plan_that_failed_in_part_can_be_carried_out_again() {
    let (source, target) = (records(&["europe", "europe/france", "europe/niue"]), records(&["europe"]));
    let text = plan(&source, &target);
    let rig = Rig::new(source, target).answering("create country niue", Answer::Fail).into_shared();
    assert_eq!(rig.run(apply_plan(apply(), &text, DriftPolicy::Refuse)).status, Status::Partial);
    locked(&rig.answers).clear();
    let report = rig.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, ended(&report).as_str()), (Status::Completed, "1 created, 2 unchanged"));
}

#[test]
fn the_flags_of_the_run_hold_when_its_plan_is_carried_out() {
    let (source, target) = (records(&["europe", "europe/france"]), records(&["europe", "europe/gone"]));
    let mut options = dry_run();
    options.flags = Flags::SKIP_UNMATCHED_DST;
    let text = plan_of(Rig::new(source.clone(), target.clone()), &options);
    let (report, rig) = carry_out(&text, Rig::new(source.clone(), target.clone()), DriftPolicy::Refuse);
    assert_eq!(rig.calls(), ["create country france"]);
    assert_eq!(ended(&report), "1 created, 1 unchanged, 1 left_out");

    options.flags = Flags::SKIP_UNMATCHED_SRC;
    options.filter.records.push("country".parse().unwrap());
    let text = plan_of(Rig::new(source.clone(), target.clone()), &options);
    let (_, rig) = carry_out(&text, Rig::new(source, target), DriftPolicy::Refuse);
    assert_eq!(rig.calls(), ["delete country gone"]);
}

/// Twenty countries in the target, of which the source holds these.
fn many(kept: usize) -> (Records, Records) {
    let of = |count| {
        let mut records = records(&["europe"]);
        records.countries.extend((0..count).map(|number| country(&format!("c{number:02}"), "europe")));
        records
    };
    (of(kept), of(20))
}

/// Options of a run with its guards, that writes or does not.
fn guarded(dry_run: bool) -> RunOptions {
    let mut options = RunOptions::new(&SyncWorlds::INFO);
    options.dry_run = dry_run;
    options
}

#[test]
fn the_guards_act_on_a_plan_and_its_lifts_hold() {
    let (source, target) = many(10);
    let lifted = guarded(true).allow("country", Operation::Delete, Limit::Count(10));
    let text = plan_of(Rig::new(source.clone(), target.clone()), &lifted);
    let (report, _) =
        Rig::new(source.clone(), target.clone()).run(apply_plan(guarded(false), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, report.counts.deleted), (Status::Completed, 10));
    assert_eq!(report.limit_overrides, lifted.limit_overrides, "they are told of");

    // Without the lift the same plan is refused.
    let (report, _) = Rig::new(source.clone(), target.clone()).run(lifted);
    let text = crate::plan_file::saved::<SyncWorlds>(&report, &guarded(true));
    let (report, rig) =
        Rig::new(source.clone(), target.clone()).run(apply_plan(guarded(false), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, rig.calls().len()), (Status::Refused, 0));
    let breach = Breach {
        model: "country",
        operation: Operation::Delete,
        count: 10,
        records: 20,
        limit: Some(Limit::Percent(30.0)),
    };
    assert_eq!(report.breaches, [breach]);

    // And a lift at the time of writing counts as well.
    let lifted = guarded(false).allow("country", Operation::Delete, Limit::Count(10));
    let (report, _) = Rig::new(source, target).run(apply_plan(lifted, &text, DriftPolicy::Refuse));
    assert_eq!(report.status, Status::Completed);
}

#[test]
fn a_guard_counts_what_the_plan_asks_for_and_nothing_else() {
    let (source, target) = many(18);
    let text = plan_of(Rig::new(source, target.clone()), &guarded(true));
    // By now far more would be deleted; the plan asks for two.
    let (report, _) = Rig::new(many(4).0, target).run(apply_plan(guarded(false), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, ended(&report).as_str()), (Status::Completed, "2 deleted, 5 unchanged, 14 left_out"));
}

#[test]
fn what_a_guard_held_back_stays_when_the_plan_is_carried_out() {
    let (mut source, target) = many(4);
    source.countries[0].population = Some(1);
    let mut options = guarded(true);
    options.on_guard = OnGuard::Hold;
    let text = plan_of(Rig::new(source.clone(), target.clone()), &options);
    let (report, rig) = Rig::new(source, target).run(apply_plan(guarded(false), &text, DriftPolicy::Refuse));
    assert_eq!(rig.calls(), ["update country c00"]);
    assert_eq!((report.status, report.counts.left_out), (Status::Completed, 16));
}

/// A region that the target deletes with what lives under it.
fn cascading(target: Records) -> Rig {
    let europe = crate::world::region("europe").id();
    Rig::new(records(&["asia"]), target)
        .target_then(move |world| world.regions.flag(europe.clone(), Flags::SKIP_CHILDREN_ON_DELETE))
}

#[test]
fn what_goes_with_another_record_stands_in_the_plan_and_goes_with_it() {
    let target = records(&["asia", "europe", "europe/france", "europe/france/paris"]);
    let text = plan_of(cascading(target.clone()), &dry_run());
    assert_eq!(text.matches("\"cascaded\":true").count(), 2, "{text}");
    // The in-memory target, which does not cascade, complains of the country that it still holds.
    let mut options = apply_plan(apply(), &text, DriftPolicy::Refuse);
    options.dry_run = true;
    let (report, _) = cascading(target.clone()).run(options);
    assert_eq!((report.status, report.summary().unwrap().total.cascade), (Status::Completed, 2));
}

#[test]
fn a_record_that_came_under_one_that_cascades_saves_it() {
    let target = records(&["asia", "europe", "europe/france"]);
    let text = plan_of(cascading(target), &dry_run());
    let target = records(&["asia", "europe", "europe/france", "europe/niue"]);
    let (report, rig) = carry_out(&text, cascading(target), DriftPolicy::Skip);
    assert_eq!(rig.calls(), [""; 0], "niue would go with europe, and nobody agreed to that");
    assert_eq!((report.status, report.counts.blocked), (Status::Partial, 2));
}

#[test]
fn a_delete_that_is_to_be_done_in_another_way_is_drift() {
    let target = records(&["asia", "europe", "europe/france"]);
    let in_another_way = "it is now held or left out, or deleted in another way";
    // It went with europe, and no longer does.
    let text = plan_of(cascading(target.clone()), &dry_run());
    let (report, rig) = carry_out(&text, Rig::new(records(&["asia"]), target.clone()), DriftPolicy::Skip);
    assert_eq!(drift(&report), [format!("delete country france: {in_another_way}")]);
    assert_eq!((rig.calls().len(), report.counts.left_out, report.counts.blocked), (0, 1, 1));
    // It was to be deleted for itself, and goes with europe now.
    let text = plan(&records(&["asia"]), &target);
    let (report, rig) = carry_out(&text, cascading(target), DriftPolicy::Skip);
    assert_eq!(drift(&report), [format!("delete country france: {in_another_way}")]);
    assert_eq!((rig.calls().len(), report.counts.left_out, report.counts.blocked), (0, 1, 1));
}

#[test]
fn a_parent_is_not_deleted_while_a_drifted_child_stays() {
    let target = records(&["asia", "europe", "europe/france"]);
    let text = plan(&records(&["asia"]), &target);
    let mut target = target;
    target.countries[0].population = Some(68);
    let (report, rig) = carry_out(&text, Rig::new(records(&["asia"]), target), DriftPolicy::Skip);
    assert_eq!(rig.calls(), [""; 0]);
    assert_eq!((report.status, report.counts.blocked), (Status::Partial, 1));
}

#[test]
fn nested_records_and_moves_are_carried_out_in_order() {
    let source = records(&[":house", "house:floor", "floor:room", "asia", "asia/japan"]);
    let target = records(&[":room", ":barn", "barn:hay", "europe", "europe/japan"]);
    let text = plan(&source, &target);
    let (report, rig) = carry_out(&text, Rig::new(source.clone(), target), DriftPolicy::Refuse);
    assert_eq!(report.status, Status::Completed, "{report:?}");
    let mut records = rig.target_records();
    records.places.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(records.places.len(), 3);
    assert_eq!((records.regions, records.countries), (source.regions, source.countries));
}

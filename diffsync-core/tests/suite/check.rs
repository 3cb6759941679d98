//! Loading rules: what is wrong with loaded data, and what follows from it.

use diffsync_core::data::Side;
use diffsync_core::plan::Refusal;
use diffsync_core::report::{RunError, RunReport, Status};
use diffsync_core::{Plan, Table};

use crate::fake_target::{Rig, apply, dry_run};
use crate::world::{
    CityId, CountryId, PlaceId, Records, RegionId, World, city, counted, country, records, region, world,
};

/// Compares two worlds and expects these problems and these counts.
#[track_caller]
fn check(source: World, target: World, problems: &[&str], counts: &str) {
    let plan = Plan::new(source, target);
    let found: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(found, problems, "in\n{}", plan.tree());
    assert_eq!(counted(plan.diff().summary().total), counts, "in\n{}", plan.tree());
}

/// A world whose loader does more than to list its records.
fn world_then(lines: &[&str], more: impl FnOnce(&mut World)) -> World {
    let mut world = world(lines);
    more(&mut world);
    world
}

#[test]
fn children_may_be_loaded_before_their_parents() {
    let mut source = World::default();
    source.cities.insert(city("france", "paris"));
    source.countries.insert(country("france", "europe"));
    source.places.extend(records(&["floor:room", "house:floor", ":house"]).places);
    source.regions.insert(region("europe"));
    check(source, world(&[]), &[], "6 create");
}

#[test]
fn everything_that_is_wrong_is_reported_together() {
    let source = world_then(
        &["europe", "europe", "asia", "africa/egypt", "asia/china", "a:b", "b:c", "c:a", "nowhere:d", ":e"],
        |source| {
            source.regions.reject(RegionId::new("oceania"), "it has no name");
            source.countries.reject(CountryId::new("china"), "its borders are unclear");
        },
    );
    let target = world_then(&["europe", "nowhere/x", "x:y", ":x", "x:y", "p:q", "q:p"], |target| {
        target.regions.reject(RegionId::new("america"), "there are two of them");
    });
    check(
        source,
        target,
        &[
            r#"source: region "oceania" was rejected: it has no name"#,
            r#"source: region "europe" occurs 2 times"#,
            r#"source: place "d" is under place "nowhere", which does not exist"#,
            r#"source: place "b" leads to itself: b -> a -> c -> b"#,
            r#"source: country "china" was rejected: its borders are unclear"#,
            r#"source: country "egypt" is under region "africa", which does not exist"#,
            r#"target: region "america" was rejected: there are two of them"#,
            r#"target: place "y" occurs 2 times"#,
            r#"target: place "q" leads to itself: q -> p -> q"#,
            r#"target: country "x" is under region "nowhere", which does not exist"#,
        ],
        "2 create, 4 delete, 10 rejected",
    );
}

#[test]
fn what_is_under_a_rejected_record_leaves_the_diff_on_both_sides() {
    let source = || {
        world_then(&["europe", "europe/france", "europe/france/paris", "asia", "asia/china"], |source| {
            source.regions.reject(RegionId::new("europe"), "it has no borders");
        })
    };
    let reported = r#"source: region "europe" was rejected: it has no borders"#;
    let check_problems = |target: &[&str], problems: &[&str], counts| check(source(), world(target), problems, counts);
    let check = |target: &[&str], counts| check_problems(target, &[reported], counts);
    check(&[], "2 create, 3 rejected");
    check(&["europe", "europe/france", "asia", "asia/china"], "2 same, 3 rejected");
    // What only the target has under it is no delete.
    check(&["europe", "europe/spain", "europe/spain/madrid"], "2 create, 5 rejected");
    let orphan = r#"target: country "spain" is under region "europe", which does not exist"#;
    check_problems(&["europe/spain", "europe/spain/madrid"], &[reported, orphan], "2 create, 5 rejected");
    // A record that moves is rejected with its parent in the source, whatever it is under in the target.
    check(&["asia", "asia/france", "asia/france/lyon"], "1 create, 1 same, 4 rejected");
    check(&["europe", "europe/china", "europe/china/xian"], "1 create, 1 update, 1 delete, 3 rejected");
}

#[test]
fn a_record_can_be_rejected_that_was_not_inserted() {
    let source = world_then(&["europe/france", "europe/france/paris"], |source| {
        source.regions.reject(RegionId::new("europe"), "it has no name");
        source.regions.reject(RegionId::new("europe"), "it has no borders");
    });
    check(
        source,
        world(&["europe", "europe/spain"]),
        &[
            r#"source: region "europe" was rejected: it has no name"#,
            r#"source: region "europe" was rejected: it has no borders"#,
        ],
        "4 rejected",
    );
}

#[test]
fn a_source_record_without_its_parent_is_rejected_and_not_deleted() {
    check(
        world(&["africa/egypt", "africa/egypt/cairo"]),
        world(&["africa", "africa/egypt", "africa/kenya"]),
        &[r#"source: country "egypt" is under region "africa", which does not exist"#],
        "2 delete, 2 rejected",
    );
}

#[test]
fn a_duplicate_in_the_source_is_rejected_with_all_under_it() {
    check(
        world(&["europe", "europe/france", "europe/spain", "europe", "europe"]),
        world(&["europe", "europe/italy"]),
        &[r#"source: region "europe" occurs 3 times"#],
        "4 rejected",
    );
}

#[test]
fn places_in_a_loop_are_rejected_with_all_under_them() {
    check(
        world(&["a:b", "b:a", "b:c", "self:self", ":d"]),
        world(&[":a", "a:only-here", "c:deeper", ":d"]),
        &[
            r#"source: place "b" leads to itself: b -> a -> b"#,
            r#"source: place "self" leads to itself: self -> self"#,
            r#"target: place "deeper" is under place "c", which does not exist"#,
        ],
        "1 same, 6 rejected",
    );
}

#[test]
fn only_the_topmost_of_the_rejected_is_reported() {
    check(
        world(&["nowhere:a", "a:b", "b:c", "c:d", ":e"]),
        world(&["nowhere:a", "a:x", ":e"]),
        &[
            r#"source: place "a" is under place "nowhere", which does not exist"#,
            r#"target: place "a" is under place "nowhere", which does not exist"#,
        ],
        "1 same, 5 rejected",
    );
}

#[test]
fn a_parent_that_the_target_does_not_hold_is_a_warning() {
    let source = &["europe", "europe/france", "europe/spain", ":house", "house:floor"];
    let target = &["nowhere/france", "europe", "europe/spain", "nowhere:floor", "nowhere:gone"];
    check(
        world(source),
        world(target),
        &[
            r#"target: place "floor" is under place "nowhere", which does not exist"#,
            r#"target: place "gone" is under place "nowhere", which does not exist"#,
            r#"target: country "france" is under region "nowhere", which does not exist"#,
        ],
        "1 create, 2 update, 1 delete, 2 same",
    );
}

#[test]
fn a_loop_in_the_target_is_a_warning() {
    check(
        world(&[":a", "a:b"]),
        world(&["b:a", "a:b", "x:y", "y:x"]),
        &[r#"target: place "a" leads to itself: a -> b -> a"#, r#"target: place "y" leads to itself: y -> x -> y"#],
        "1 update, 2 delete, 1 same",
    );
}

#[test]
fn what_the_target_cannot_use_leaves_the_diff_on_both_sides_with_all_under_it() {
    let source = &["europe", "europe/france", "europe/spain", "europe/spain/madrid", "asia", ":a", "a:b"];
    let reported = |what: &str| [format!(r#"target: region "europe" {what}"#), format!(r#"target: place "a" {what}"#)];
    let check = |target: World, what, counts| {
        check(world(source), target, &reported(what).each_ref().map(String::as_str), counts);
    };
    let reject = |target: &mut World| {
        target.regions.reject(RegionId::new("europe"), "it is locked");
        target.places.reject(PlaceId::new("a"), "it is locked");
    };
    let rows = ["europe", "europe/france", "europe/italy", "asia", ":a", "a:c", "c:d"];
    check(world_then(&rows, reject), "was rejected: it is locked", "1 same, 9 rejected");
    // The same where the loader rejects them and inserts no row.
    let children = ["europe/france", "europe/italy", "asia", "a:c", "c:d"];
    check(world_then(&children, reject), "was rejected: it is locked", "1 same, 9 rejected");
    let twice = [&rows[..], &["europe", ":a"]].concat();
    check(world(&twice), "occurs 2 times", "1 same, 9 rejected");
}

#[test]
fn what_is_under_a_rejected_record_that_only_the_target_has_is_no_delete() {
    for inserted in [&["moon", "moon/base", "moon/base/dome"][..], &["moon/base", "moon/base/dome"]] {
        let target = world_then(inserted, |target| target.regions.reject(RegionId::new("moon"), "it is far"));
        check(world(&[]), target, &[r#"target: region "moon" was rejected: it is far"#], "3 rejected");
    }
}

#[test]
fn a_record_that_leaves_a_rejected_parent_is_compared() {
    let target = world_then(&["asia", "asia/france"], |target| {
        target.regions.reject(RegionId::new("asia"), "it is locked");
    });
    let source = world(&["asia", "europe", "europe/france"]);
    check(source, target, &[r#"target: region "asia" was rejected: it is locked"#], "1 create, 1 update, 1 rejected");
}

#[test]
fn a_record_of_several_identifiers_can_be_rejected() {
    let lines = ["europe", "europe/france", "europe/france/paris", "europe/france/lyon"];
    let source = world_then(&lines, |source| source.cities.reject(CityId::new("france", "paris"), "it is too big"));
    check(
        source,
        world(&["europe", "europe/france"]),
        &[r#"source: city "france__paris" was rejected: it is too big"#],
        "1 create, 2 same, 1 rejected",
    );
}

#[test]
fn a_deep_nesting_is_checked_and_compared_in_one_pass() {
    const DEPTH: usize = 20_000;
    let chain = |top: &str| {
        let mut lines = vec![format!("{top}:p0")];
        lines.extend((1..DEPTH).map(|depth| format!("p{}:p{depth}", depth - 1)));
        lines.reverse();
        records(&lines.iter().map(String::as_str).collect::<Vec<_>>()).world()
    };
    let orphan = [r#"source: place "p0" is under place "nowhere", which does not exist"#];
    check(chain(""), chain(""), &[], "20000 same");
    check(chain("nowhere"), world(&[":p0", "p0:x"]), &orphan, "20001 rejected");
    let locked = world_then(&[], |target| {
        *target = chain("");
        target.places.reject(PlaceId::new("p0"), "it is locked");
    });
    check(world(&[]), locked, &[r#"target: place "p0" was rejected: it is locked"#], "20000 rejected");
}

#[test]
fn a_skipped_model_is_left_out_and_counted_once() {
    let lines = ["europe", "europe/france", "europe/france/paris"];
    let skip = |world: &mut World| world.cities.skip("there are too many");
    check(world_then(&lines, skip), world(&lines), &[], "2 same, 1 left out");
    check(world(&lines), world_then(&lines, skip), &[], "2 same, 1 left out");
    check(world_then(&lines, skip), world_then(&lines, skip), &[], "2 same, 1 left out");
    let more = [&lines[..], &["europe/france/lyon"]].concat();
    check(
        world_then(&["europe", "europe/france", "europe/france/nice"], skip),
        world(&more),
        &[],
        "2 same, 3 left out",
    );
    let unloaded = |world: &mut World| world.cities = Table::default();
    check(world_then(&lines, skip), world_then(&lines, unloaded), &[], "2 same, 1 left out");
}

#[test]
fn nothing_is_wrong_with_what_is_left_out() {
    let source = world_then(&["europe/france", "europe/france", "moon/base/dome"], |source| {
        source.countries.skip("they are maintained elsewhere");
        source.cities.skip("they are maintained elsewhere");
    });
    check(
        source,
        world(&["europe/france"]),
        &["target: country \"france\" is under region \"europe\", which does not exist"],
        "2 left out",
    );
}

#[test]
fn a_parent_that_this_side_left_out_is_looked_up_on_the_other() {
    let skip = |world: &mut World| world.regions.skip("they are maintained in the target");
    check(
        world_then(&["europe/france", "moon/base"], skip),
        world(&["europe", "europe/spain"]),
        &[r#"source: country "base" is under region "moon", which does not exist"#],
        "1 create, 1 delete, 1 rejected, 1 left out",
    );
    // Where neither side knows, nothing is wrong.
    check(world_then(&["europe/france"], skip), world_then(&["x/france"], skip), &[], "1 update");
}

/// Runs a sync of two worlds of which the source's and the target's loaders do this last.
fn run(source: fn(&mut World), target: fn(&mut World)) -> RunReport {
    let lines = ["europe", "europe/france"];
    let rig = Rig::new(records(&lines), Records::default()).source_then(source).target_then(target);
    let (report, rig) = rig.run(apply());
    assert_eq!(report.status == Status::Refused, rig.calls().is_empty(), "{report:?}");
    report
}

#[test]
fn a_model_that_only_one_side_loaded_refuses_the_run() {
    let forget = |world: &mut World| {
        world.cities = Table::default();
        world.places = Table::default();
    };
    let nothing = |_: &mut World| {};
    let report = run(nothing, forget);
    assert_eq!(
        report.error_text().unwrap(),
        "the target did not load city, the target did not load place; its adapter's `load` must call \
         `mark_loaded()` on the table of that model if there are no such records, or `skip(reason)` if it cannot list them"
    );
    let Some(RunError::Refused(Refusal::HalfLoaded(models))) = run(forget, nothing).error else { panic!() };
    assert_eq!(models, [("city", Side::Source), ("place", Side::Source)]);
    assert_eq!(run(forget, forget).status, Status::Completed);
    let skip = |world: &mut World| {
        world.cities.skip("there are none");
        world.places.skip("there are none");
    };
    assert_eq!(run(nothing, skip).status, Status::Completed);
    assert_eq!(run(skip, forget).status, Status::Completed);
}

#[test]
fn a_side_that_loaded_nothing_at_all_refuses_the_run() {
    let nothing = |world: &mut World| *world = World::default();
    for (source, target, side) in [
        (nothing as fn(&mut World), (|_| {}) as fn(&mut World), "source"),
        (|_| {}, nothing, "target"),
        (nothing, nothing, "source"),
    ] {
        assert_eq!(
            run(source, target).error_text().unwrap(),
            format!(
                "the {side} has no records, and its adapter's `load` did not call `mark_loaded()` on any table; check the system first, and call it there on each table that may be empty"
            )
        );
    }
}

/// Runs a sync of so many regions, so many of which the loader of one side rejects.
fn run_rejecting(side: Side, regions: usize, rejected: usize, max_rejected: Option<f64>) -> (RunReport, Vec<String>) {
    let slugs: Vec<_> = (0..regions).map(|number| format!("r{number}")).collect();
    let slugs: Vec<_> = slugs.iter().map(String::as_str).collect();
    let reject = move |world: &mut World| {
        (0..rejected).for_each(|number| world.regions.reject(RegionId::new(format!("r{number}")), "it is odd"));
    };
    let rig = match side {
        Side::Source => Rig::new(records(&slugs), Records::default()).source_then(reject),
        Side::Target => Rig::new(records(&[]), records(&slugs)).target_then(reject),
    };
    let mut options = apply();
    options.max_rejected = max_rejected.unwrap_or(diffsync_core::run::RunOptions::new(&SYNC).max_rejected);
    let (report, rig) = rig.run(options);
    let calls = rig.calls();
    (report, calls)
}

const SYNC: diffsync_core::job::JobInfo = <crate::fake_target::SyncWorlds as diffsync_core::job::JobSpec>::INFO;

#[test]
fn too_many_rejected_records_refuse_the_run() {
    for (side, regions, rejected, limit, said) in [
        (Side::Source, 99, 1, None, "1 of 99 region records of the source cannot be used, more than the 1 % allowed"),
        (Side::Target, 99, 1, None, "1 of 99 region records of the target cannot be used, more than the 1 % allowed"),
        (
            Side::Source,
            10,
            1,
            Some(0.07),
            "1 of 10 region records of the source cannot be used, more than the 7 % allowed",
        ),
        (
            Side::Source,
            10,
            1,
            Some(0.0),
            "1 of 10 region records of the source cannot be used, more than the 0 % allowed",
        ),
        (
            Side::Source,
            10,
            1,
            Some(0.0015),
            "1 of 10 region records of the source cannot be used, more than the 0.15 % allowed",
        ),
    ] {
        let (report, calls) = run_rejecting(side, regions, rejected, limit);
        assert_eq!(report.status, Status::Refused);
        assert_eq!(report.error_text().unwrap(), said);
        assert_eq!(calls, [""; 0]);
        // What was found is reported nevertheless.
        assert_eq!(report.problems().len(), rejected);
        assert_eq!(report.summary().unwrap().total.rejected, rejected);
        assert_eq!(report.counts.not_attempted, regions - rejected);
    }
}

#[test]
fn few_rejected_records_make_the_run_partial() {
    for (side, regions, rejected, limit) in
        [(Side::Source, 100, 1, None), (Side::Target, 100, 1, None), (Side::Source, 2, 1, Some(0.5))]
    {
        let (report, calls) = run_rejecting(side, regions, rejected, limit);
        assert_eq!((report.status, report.counts.rejected), (Status::Partial, rejected));
        assert_eq!((report.counts.written(), calls.len()), (regions - rejected, regions - rejected));
    }
}

#[test]
fn what_is_wrong_with_a_model_that_the_other_side_left_out_refuses_nothing() {
    let target = records(&["europe", "europe/france", "europe/france"]);
    let rig = Rig::new(records(&["europe", "asia"]), target).source_then(|world| world.countries.skip("too many"));
    let mut options = apply();
    options.max_rejected = 0.0;
    let (report, _) = rig.run(options);
    assert_eq!((report.status, report.counts.left_out, report.counts.created), (Status::Completed, 1, 1));
}

#[test]
fn a_dry_run_is_refused_for_the_same_reasons() {
    let rig = Rig::new(records(&["europe"]), Records::default()).target_then(|world| world.regions = Table::default());
    let (report, _) = rig.run(dry_run());
    assert_eq!(report.status, Status::Refused);
}

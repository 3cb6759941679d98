//! Execution: the order in which records are written, and what a failure means for the others.

use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::value::Url;

use crate::fake_target::{Answer, Rig, Shared, apply, concurrently, ended, failures};
use crate::world::{Records, records, region};

/// Runs a sync of these records, with these answers.
fn run(source: &[&str], target: &[&str], answers: &[(&str, Answer)], options: RunOptions) -> (RunReport, Shared) {
    let rig = Rig::new(records(source), records(target));
    answers.iter().fold(rig, |rig, (call, answer)| rig.answering(*call, *answer)).run(options)
}

/// Runs a sync and expects this to have failed or been blocked, and these counts.
#[track_caller]
fn check(source: &[&str], target: &[&str], answers: &[(&str, Answer)], failed: &[&str], counts: &str) -> Shared {
    let (report, rig) = run(source, target, answers, apply());
    assert_eq!(failures(&report), failed, "of {:?}", rig.calls());
    assert_eq!(ended(&report), counts);
    assert_eq!(report.status, if failed.is_empty() { Status::Completed } else { Status::Partial });
    rig
}

#[test]
fn parents_are_written_first_and_deletes_come_last_from_below() {
    let source = ["europe/france/paris", "europe/france", "europe", "a:b", ":a", "c", "c/d"];
    let target = ["mars", "mars/base", "mars/base/dome", ":x", "x:y", "c", "mars/d"];
    let rig = check(&source, &target, &[], &[], "5 created, 1 updated, 5 deleted, 1 unchanged");
    assert_eq!(
        rig.calls(),
        [
            "create region europe",
            "create place a",
            "create place b",
            "create country france",
            "update country d",
            "create city france__paris",
            "delete city base__dome",
            "delete country base",
            "delete place y",
            "delete place x",
            "delete region mars",
        ]
    );
    assert_eq!(rig.run(apply()).status, Status::Completed);
    assert_eq!(rig.calls().len(), 11);
}

#[test]
fn a_model_that_nests_in_itself_is_written_level_by_level() {
    let tree = ["c2:d3", "c1:d2", "c1:d1", "b2:c2", "b1:c1", "a:b2", "a:b1", ":a"];
    for concurrency in [1, 8] {
        let rig = Rig::new(records(&tree), records(&[])).into_shared();
        assert_eq!(ended(&rig.run(concurrently(concurrency))), "8 created");
        assert_eq!(levels(&rig), "a bb cc ddd");
        let rig = Rig::new(records(&[]), records(&tree)).into_shared();
        assert_eq!(ended(&rig.run(concurrently(concurrency))), "8 deleted");
        assert_eq!(levels(&rig), "ddd cc bb a");
    }
}

/// The first letters of the places that the target was asked about, in order.
fn levels(rig: &Shared) -> String {
    let mut levels = String::new();
    for call in rig.calls() {
        let level = call.rsplit(' ').next().unwrap().chars().next().unwrap();
        if levels.chars().last().is_some_and(|last| last != level) {
            levels.push(' ');
        }
        levels.push(level);
    }
    levels
}

#[test]
fn two_places_can_change_places() {
    check(&[":b", "b:a", "a:c"], &[":a", "a:b", "b:c"], &[], &[], "3 updated");
    check(&["c:a", "b:c", ":b"], &[":a", "a:b", "b:c"], &[], &[], "2 updated, 1 unchanged");
}

#[test]
fn a_circle_in_the_target_can_be_repaired_and_removed() {
    check(&[":a", "a:b"], &["b:a", "a:b"], &[], &[], "1 updated, 1 unchanged");
    let (report, rig) = Rig::new(records(&[":a"]), records(&["b:a", "a:b", "b:c"])).run(apply());
    assert_eq!((report.status, ended(&report).as_str()), (Status::Completed, "1 updated, 2 deleted"));
    assert_eq!(rig.target_records(), records(&[":a"]));
}

#[test]
fn a_record_gets_its_parent_as_the_target_stored_it() {
    // The rig compares what `current` gives with what it stored, the number that it gave the region included.
    let mut source = records(&["europe", "europe/france", "europe/france/paris"]);
    source.regions[0].remote_id = Some(77);
    source.countries[0].remote_id = Some(78);
    let (report, rig) = Rig::new(source.clone(), Records::default()).run(apply());
    assert_eq!(ended(&report), "3 created");
    let stored = crate::fake_target::locked(&rig.target).clone();
    assert_eq!((stored.regions[0].remote_id, stored.countries[0].remote_id), (Some(1), Some(2)));

    // And an update keeps it.
    source.regions[0].name = "Evropa".into();
    let mut target = stored;
    target.countries[0].region = "elsewhere".into();
    let (report, rig) = Rig::new(source, target).run(apply());
    assert_eq!(ended(&report), "2 updated, 1 unchanged");
    let stored = crate::fake_target::locked(&rig.target).clone();
    assert_eq!((stored.regions[0].remote_id, stored.countries[0].remote_id), (Some(1), Some(2)));
}

#[test]
fn what_is_under_a_record_that_failed_is_blocked_and_not_attempted() {
    let rig = check(
        &["europe", "europe/france", "europe/france/paris", "asia", "asia/japan", ":a", "a:b", "b:c"],
        &[],
        &[("create region europe", Answer::Fail), ("create place a", Answer::Busy)],
        &[
            r#"create city france__paris blocked: because of region "europe""#,
            r#"create country france blocked: because of region "europe""#,
            "create region europe failed: it does not want to",
            "create place a failed: it is busy",
            r#"create place b blocked: because of place "a""#,
            r#"create place c blocked: because of place "a""#,
        ],
        "2 created, 2 failed, 4 blocked",
    );
    let calls = ["create region europe", "create region asia", "create place a", "create country japan"];
    assert_eq!(rig.calls(), calls);
}

#[test]
fn a_failed_update_of_a_parent_blocks_nothing() {
    let mut source = records(&["europe", "europe/france", "europe/spain", "europe/italy", "europe/italy/rome"]);
    source.regions[0].name = "Evropa".into();
    source.countries[0].population = Some(67);
    let target = records(&["europe", "asia", "europe/france", "asia/spain", "europe/italy", "europe/malta"]);
    let (report, _) = Rig::new(source, target).answering("update region europe", Answer::Fail).run(apply());
    // The region is there all the same.
    assert_eq!(failures(&report), ["update region europe failed: it does not want to"]);
    assert_eq!(ended(&report), "1 created, 2 updated, 2 deleted, 1 unchanged, 1 failed");
}

#[test]
fn a_parent_stays_while_a_child_cannot_be_deleted() {
    let rig = check(
        &["europe"],
        &["europe", "mars", "mars/base", "mars/base/dome", "mars/crater", ":a", "a:b", "b:c"],
        &[("delete city base__dome", Answer::Fail), ("delete place c", Answer::Fail)],
        &[
            "delete city base__dome failed: it does not want to",
            r#"delete country base blocked: because of city "base__dome""#,
            r#"delete region mars blocked: because of country "base""#,
            r#"delete place a blocked: because of place "b""#,
            r#"delete place b blocked: because of place "c""#,
            "delete place c failed: it does not want to",
        ],
        "1 deleted, 1 unchanged, 2 failed, 4 blocked",
    );
    assert_eq!(rig.calls(), ["delete city base__dome", "delete country crater", "delete place c"]);
}

#[test]
fn a_parent_stays_while_a_child_cannot_move_away() {
    check(
        &["europe", "europe/turkey", ":b", "b:c"],
        &["asia", "asia/turkey", ":a", "a:c"],
        &[("update country turkey", Answer::Fail), ("update place c", Answer::Fail)],
        &[
            "update country turkey failed: it does not want to",
            r#"delete region asia blocked: because of country "turkey""#,
            "update place c failed: it does not want to",
            r#"delete place a blocked: because of place "c""#,
        ],
        "2 created, 2 failed, 2 blocked",
    );
}

#[test]
fn a_parent_stays_while_a_child_is_blocked_from_moving_away() {
    check(
        &["europe", "europe/turkey"],
        &["asia", "asia/turkey"],
        &[("create region europe", Answer::Fail)],
        &[
            r#"update country turkey blocked: because of region "europe""#,
            "create region europe failed: it does not want to",
            r#"delete region asia blocked: because of country "turkey""#,
        ],
        "1 failed, 2 blocked",
    );
}

#[test]
fn a_parent_stays_while_a_rejected_record_lives_under_it() {
    let (report, rig) =
        run(&["africa/egypt", ":a", ":a"], &["africa", "africa/egypt", "africa/kenya", "b:a", ":b"], &[], apply());
    assert_eq!(
        failures(&report),
        [
            r#"delete region africa blocked: because of country "egypt""#,
            r#"delete place b blocked: because of place "a""#
        ]
    );
    assert_eq!(ended(&report), "1 deleted, 2 blocked, 2 rejected");
    assert_eq!(rig.calls(), ["delete country kenya"]);
}

#[test]
fn a_parent_stays_while_a_record_that_was_left_out_lives_under_it() {
    let target = records(&["africa", "africa/egypt", "moon", "moon/base", "moon/base/dome"]);
    let rig = Rig::new(records(&["moon"]), target).source_then(|world| world.countries.skip("there are too many"));
    let (report, rig) = rig.run(apply());
    assert_eq!(failures(&report), [r#"delete region africa blocked: because of country "egypt""#]);
    assert_eq!(ended(&report), "1 deleted, 1 unchanged, 1 blocked, 2 left_out");
    assert_eq!(rig.calls(), ["delete city base__dome"]);
}

#[test]
fn a_fatal_error_ends_the_run() {
    let source = ["a", "b", "c", "a/x", ":p"];
    let target = ["old", "old/y"];
    let (report, rig) = run(&source, &target, &[("create region b", Answer::Fatal)], apply());
    assert_eq!(report.status, Status::Failed);
    assert_eq!(
        report.error_text().unwrap(),
        "the run ended early after 1 of 7 operations failed, the last with: it is gone"
    );
    assert_eq!(rig.calls(), ["create region a", "create region b"]);
    assert_eq!(failures(&report), ["create region b failed: it is gone"]);
    assert_eq!(ended(&report), "1 created, 1 failed, 5 not_attempted");
}

#[test]
fn what_is_not_attempted_after_a_fatal_error_is_not_blocked_either() {
    let answers = [("delete city y__z", Answer::Fatal)];
    let (report, rig) = run(&["a"], &["a", "old", "old/y", "old/y/z", "old/w"], &answers, apply());
    assert_eq!(rig.calls(), ["delete city y__z"]);
    assert_eq!(ended(&report), "1 unchanged, 1 failed, 3 not_attempted");
    let answers = [("create region a", Answer::Fatal)];
    let (report, _) = run(&["a", "a/x", ":p"], &["old"], &answers, apply());
    assert_eq!(ended(&report), "1 failed, 3 not_attempted");
}

#[test]
fn what_is_in_flight_at_a_fatal_error_is_finished() {
    let source: Vec<_> = (0..10).map(|number| format!("r{number}")).collect();
    let source: Vec<_> = source.iter().map(String::as_str).collect();
    let (report, rig) = run(&source, &[], &[("create region r0", Answer::Fatal)], concurrently(4));
    assert_eq!(rig.calls().len(), 4);
    assert_eq!(ended(&report), "3 created, 1 failed, 6 not_attempted");
}

#[test]
fn a_run_can_be_told_to_stop_at_the_first_failure() {
    let mut options = apply();
    options.continue_on_failure = false;
    let (report, rig) = run(&["a", "b", "c", "a/x"], &["old"], &[("create region b", Answer::Fail)], options);
    assert_eq!(report.status, Status::Failed);
    assert_eq!(rig.calls(), ["create region a", "create region b"]);
    assert_eq!(ended(&report), "1 created, 1 failed, 3 not_attempted");
}

#[test]
fn as_many_records_are_in_flight_as_allowed_and_no_more() {
    let regions: Vec<_> = (0..20).map(|number| format!("r{number}")).collect();
    let cities: Vec<_> = (0..20).map(|number| format!("r0/c/{number}")).collect();
    let regions: Vec<_> = regions.iter().map(String::as_str).collect();
    let cities: Vec<_> = ["r0", "r0/c"].into_iter().chain(cities.iter().map(String::as_str)).collect();
    for (source, options, most) in [
        (&regions, apply(), 1),
        // What the target says of cities.
        (&cities, apply(), 3),
        (&cities, concurrently(1), 1),
        (&regions, concurrently(1), 1),
        (&regions, concurrently(4), 4),
        (&regions, concurrently(19), 19),
        (&regions, concurrently(1000), 20),
    ] {
        let (report, rig) = run(source, &[], &[], options.clone());
        assert_eq!((report.status, rig.most_in_flight()), (Status::Completed, most));
        let (report, rig) = run(&[], source, &[], options);
        assert_eq!((report.status, rig.most_in_flight()), (Status::Completed, most));
    }
}

#[test]
fn a_failed_record_is_linked_to_where_a_person_finds_it() {
    let mut source = records(&["europe", "asia", "asia/japan"]);
    source.regions[1] = crate::world::Region { name: "Asia".into(), ..region("asia") };
    let rig = Rig::new(source, records(&["asia", "old"]))
        .answering("create region europe", Answer::Fail)
        .answering("update region asia", Answer::Fail)
        .answering("delete region old", Answer::Fail);
    let (report, _) = rig.run(apply());
    let urls: Vec<_> = report.failures().map(|failed| failed.url.as_ref().map(Url::to_string).unwrap()).collect();
    assert_eq!(urls, ["https://source/region/europe", "https://target/region/asia", "https://target/region/old",]);
}

#[test]
fn running_again_finishes_what_was_left() {
    let source = ["europe", "europe/france", "asia", "asia/turkey", ":a", "a:b"];
    let target = ["europe", "europe/turkey", "mars", "mars/base", "b:a", ":b"];
    for call in ["create region asia", "update country turkey", "delete country base", "create country france"] {
        for answer in [Answer::Fail, Answer::Fatal] {
            let rig = Rig::new(records(&source), records(&target)).answering(call, answer).into_shared();
            assert_ne!(rig.run(apply()).status, Status::Completed);
            crate::fake_target::locked(&rig.answers).clear();
            assert_eq!(rig.run(apply()).status, Status::Completed);
            assert_eq!(ended(&rig.run(apply())), "6 unchanged");
        }
    }
}

#[test]
fn a_panic_in_a_target_leaves_its_record_unknown_and_no_other() {
    check(
        &["a", "b", "b/x", "c"],
        &[],
        &[("create region b", Answer::Panic)],
        &[
            "create country x blocked: because of region \"b\"",
            "create region b unknown: the target panicked: index out of bounds",
        ],
        "2 created, 1 blocked, 1 unknown",
    );
}

#[test]
fn a_record_is_not_deleted_while_a_duplicate_lives_under_it() {
    // The target holds `c` twice, the second time under a region that is to go.
    let rig = Rig::new(records(&["keep", "keep/c"]), records(&["keep", "go", "keep/c", "go/c"]));
    let mut options = apply();
    options.max_rejected = 1.0;
    let (report, _) = rig.run(options);
    assert_eq!(failures(&report), ["delete region go blocked: because of country \"c\""]);
}

#[test]
fn a_deep_nest_whose_lowest_cannot_be_deleted_is_blocked_in_one_pass() {
    let names: Vec<String> = (0..2_000).map(|depth| format!("p{depth}")).collect();
    let lines: Vec<String> = std::iter::once(":p0".to_owned())
        .chain(names.windows(2).map(|pair| format!("{}:{}", pair[0], pair[1])))
        .chain([":kept".to_owned()])
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let begun = std::time::Instant::now();
    let (report, rig) = run(&[":kept"], &lines, &[("delete place p1999", Answer::Fail)], apply());
    assert_eq!(ended(&report), "1 unchanged, 1 failed, 1999 blocked");
    assert_eq!(rig.calls(), ["delete place p1999"]);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

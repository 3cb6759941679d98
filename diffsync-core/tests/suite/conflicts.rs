//! Unique values: what collides with another record is not made up for by deleting that one, and values move from record
//! to record where that can be done.

use std::sync::Arc;

use diffsync_core::report::{Event, Observer, Status};

use crate::fake_network::{Answer, Handle, InLab, RunResult, SyncBulk, SyncNets, Tells, apply, lab};

/// Runs a sync, and says what was not written and why.
fn run<J: InLab>(lab: &Handle) -> (RunResult, Vec<String>) {
    let ended = lab.run::<J>(apply());
    let failures = ended.report.failures();
    let failures =
        failures.map(|its| format!("{} {} {}: {}: {}", its.operation, its.model, its.record, its.outcome, its.reason));
    let failures = failures.collect();
    (ended, failures)
}

const FREE: &str = "a unique value of it is taken, perhaps by this record; free the value by hand, or put \
                    `deletes_first` on the model";

/// A renamed location, the name of which is not all that is unique.
const RENAMED: [&str; 2] = ["location new; location z", "location old; location z"];

#[test]
fn what_a_new_record_collided_with_is_not_deleted() {
    let taken = Answer::TakenBy("location", "old");
    let lab = lab(RENAMED[0], "location old; location z; location other").failing(&[("create location new", taken)]);
    let (ended, failures) = run::<SyncNets>(&lab);
    assert_eq!(ended.counts(), "1 deleted, 1 unchanged, 1 failed, 1 held");
    assert_eq!(
        failures,
        [
            r#"create location new: failed: it is taken; location "old" has it"#.to_owned(),
            format!(r#"delete location old: held: held, because location "new" could not be written: {FREE}"#),
        ]
    );
    assert_eq!(ended.report.status, Status::Partial);
}

#[test]
fn nothing_of_a_model_is_deleted_after_a_collision_with_a_record_that_is_not_known() {
    for (answer, names) in [(Answer::Taken, "none"), (Answer::TakenBy("location", "elsewhere"), "one not loaded")] {
        let lab = lab(RENAMED[0], "location old; location z; location other; tag t");
        let lab = lab.failing(&[("create location new", answer)]);
        let (ended, _) = run::<SyncNets>(&lab);
        assert_eq!(ended.counts(), "1 deleted, 1 unchanged, 1 failed, 2 held", "it names {names}");
        assert_eq!(ended.outcome("delete tag t"), Some("deleted"));
    }
}

#[test]
fn a_collision_with_a_record_that_stays_holds_nothing() {
    let answer = Answer::TakenBy("location", "z");
    let lab = lab(RENAMED[0], RENAMED[1]).failing(&[("create location new", answer)]);
    let (ended, failures) = run::<SyncNets>(&lab);
    assert_eq!(ended.counts(), "1 deleted, 1 unchanged, 1 failed");
    assert_eq!(failures, [r#"create location new: failed: it is taken; location "z" has it"#]);
}

#[test]
fn an_update_that_collided_holds_deletes_too() {
    let lab = lab("location x kind=new", "location x kind=old; location gone");
    let (ended, _) = run::<SyncNets>(&lab.failing(&[("update location x", Answer::Taken)]));
    assert_eq!(ended.counts(), "1 failed, 1 held");
}

#[test]
fn what_a_held_record_lives_under_stays_also_where_the_target_deletes_it_by_itself() {
    let answer = Answer::TakenBy("device", "old");
    let [source, target] = ["location z; device new in=z", "location x; device old in=x; location z"];
    let lab1 = lab(source, target).failing(&[("create device new", answer)]);
    let (ended, failures) = run::<SyncNets>(&lab1);
    assert_eq!(ended.counts(), "1 unchanged, 1 failed, 1 blocked, 1 held");
    assert!(failures.contains(&r#"delete location x: blocked: because of device "old""#.to_owned()), "{failures:#?}");

    let cascading = lab(source, target)
        .failing(&[("create device new", answer)])
        .target_then(|net| net.locations.set_flags(diffsync_core::model::Flags::SKIP_CHILDREN_ON_DELETE))
        .cascading(|name| name == "location x");
    let (ended, _) = run::<SyncNets>(&cascading);
    assert_eq!(ended.counts(), "1 unchanged, 1 failed, 1 blocked, 1 held");
    assert_eq!(cascading.cascaded(), [""; 0]);
}

#[test]
fn deletes_that_came_first_are_done() {
    // The code of `old` is free before `new` is created, which fails for another reason.
    let lab = lab("tenant new code=1", "tenant old code=1").failing(&[("create tenant new", Answer::Taken)]);
    let (ended, _) = run::<SyncNets>(&lab);
    assert_eq!(ended.counts(), "1 deleted, 1 failed");
}

#[test]
fn the_bad_record_of_a_batch_that_collided_as_a_whole_is_found() {
    let source = "tag a; tag b; tag c; tag d";
    let lab = lab(source, "tag old").batching(crate::fake_network::Batches::Together);
    let lab = lab.failing(&[("create tag c", Answer::TakenBy("tag", "old"))]);
    let (ended, failures) = run::<SyncBulk>(&lab);
    assert_eq!(ended.counts(), "3 created, 1 failed, 1 held");
    assert_eq!(failures[0], r#"create tag c: failed: it is taken; tag "old" has it"#);
}

/// Expects that one run brings the codes of tenants in line, whatever the target says of one that is taken.
#[track_caller]
fn check_codes(source: &str, target: &str) {
    for tells in [Tells::Nothing, Tells::Holder, Tells::Field] {
        let one_by_one = lab(source, target).telling(tells);
        assert_eq!(run::<SyncNets>(&one_by_one).1, [""; 0], "{tells:?}");
        assert_eq!(one_by_one.target().shown(), one_by_one.source().shown());

        let bulk = lab(source, target).telling(tells);
        let (ended, failures) = run::<SyncBulk>(&bulk);
        assert_eq!((failures, ended.report.status), (Vec::new(), Status::Completed), "{tells:?} in batches");
        assert_eq!(bulk.target().shown(), bulk.source().shown());
    }
}

#[test]
fn unique_values_are_handed_on_in_chains() {
    check_codes("tenant a code=2; tenant b code=3", "tenant a code=1; tenant b code=2");
    check_codes("tenant b code=3; tenant a code=2", "tenant a code=1; tenant b code=2");
    let chain = |shift: usize| (0..12).map(|at| format!("tenant t{at} code={}; ", at + shift)).collect::<String>();
    check_codes(&chain(1), &chain(0));
    check_codes(&chain(0), &chain(1));
    // From a record that is there to a new one.
    check_codes("tenant a; tenant z code=1", "tenant a code=1");
    check_codes("tenant z; tenant a code=1", "tenant z code=1");
}

#[test]
fn unique_values_are_swapped() {
    check_codes("tenant a code=2; tenant b code=1", "tenant a code=1; tenant b code=2");
    check_codes(
        "tenant a code=2; tenant b code=3; tenant c code=1",
        "tenant a code=1; tenant b code=2; tenant c code=3",
    );
    let two = "tenant a code=2; tenant b code=1; tenant c code=4; tenant d code=3";
    check_codes(two, "tenant a code=1; tenant b code=2; tenant c code=3; tenant d code=4");
    // And one waits for a circle.
    check_codes(
        "tenant a code=2; tenant b code=1; tenant c code=5; tenant d code=6",
        "tenant a code=1; tenant b code=2; tenant c code=6; tenant d code=5",
    );
}

#[test]
fn a_swap_that_fails_half_way_is_taken_back() {
    // `a` is emptied, so that `b` gets its code, which the target refuses for another reason.
    let [source, target] = ["tenant a code=2; tenant b code=1", "tenant a code=1; tenant b code=2"];
    for which in ["a", "b"] {
        let call = format!("update tenant {which}");
        let counting = call.clone();
        // The first attempt and the emptying are done, the writes after it are refused.
        let lab = lab(source, target).answering(move |call, times| match times {
            1 | 2 if call == counting => Answer::Fail,
            _ => Answer::Do,
        });
        let (_, failures) = run::<SyncNets>(&lab);
        assert!(!failures.is_empty(), "{which}");
        let codes: Vec<_> = lab.target().tenants.iter().map(|its| its.code.clone()).collect();
        assert!(
            codes.iter().all(Option::is_some) || failures.iter().any(|its| its.contains("emptied")),
            "{failures:#?}"
        );
    }
}

#[test]
fn what_could_not_be_restored_is_said() {
    let [source, target] = ["tenant a code=2; tenant b code=1", "tenant a code=1; tenant b code=2"];
    // One is emptied with its second call. All that is asked of either after that fails.
    let lab = lab(source, target).answering(|_, times| if times >= 2 { Answer::Fail } else { Answer::Do });
    let (ended, failures) = run::<SyncNets>(&lab);
    let lacking: Vec<_> =
        lab.target().tenants.iter().filter(|its| its.code.is_none()).map(|its| its.name.clone()).collect();
    if let [lacking] = &*lacking {
        let said = failures.iter().find(|its| its.starts_with(&format!("update tenant {lacking}: failed"))).unwrap();
        assert!(said.contains("its `code` was emptied to free the value for tenant"), "{said}");
        assert!(said.contains("could not be restored to") && said.contains(": it does not want to"), "{said}");
    }
    assert_eq!(ended.report.status, Status::Partial);
    lab.mend();
    assert_eq!(run::<SyncNets>(&lab).0.report.status, Status::Completed);
}

#[test]
fn a_swap_on_a_target_that_refuses_to_empty_a_value_says_what_to_do() {
    let [source, target] = ["tenant a code=2; tenant b code=1", "tenant a code=1; tenant b code=2"];
    let lab = lab(source, target).answering(|_, times| if times == 1 { Answer::Fail } else { Answer::Do });
    let (_, failures) = run::<SyncNets>(&lab);
    let expected = |own: &str, other: &str| {
        format!(
            "update tenant {own}: failed: the code is taken; the `code` is that of tenant {other:?}, which could not be \
             given another: change one of them by hand"
        )
    };
    assert_eq!(failures, [expected("a", "b"), expected("b", "a")]);
}

#[test]
fn what_needs_a_record_that_is_tried_again_waits_for_it() {
    // `z` is created in the second attempt, and only then what refers to it.
    let lab = lab(
        "location x; tenant a code=2; tenant z code=1; device d in=x tenant=z",
        "location x; tenant a code=1; device e in=x tenant=a",
    );
    let (ended, failures) = run::<SyncNets>(&lab.answering(|call, times| match call {
        "create tenant z" if times == 0 => Answer::Taken,
        _ => Answer::Do,
    }));
    assert_eq!(failures, [""; 0]);
    assert_eq!(ended.counts(), "2 created, 1 updated, 1 deleted, 1 unchanged");
}

#[test]
fn a_call_that_is_made_again_is_reported_and_counted() {
    #[derive(Default)]
    struct Retries(std::sync::Mutex<Vec<String>>);
    impl Observer for Retries {
        fn observe(&self, event: &Event<'_>) {
            if let Event::Retry { step, attempt, error, .. } = event {
                crate::fake_target::locked(&self.0).push(format!("{step}: {attempt}: {error}"));
            }
        }
    }
    let rig = crate::fake_target::Rig::new(crate::world::records(&["europe", "asia"]), crate::world::records(&[]));
    let rig = rig.answering("create region europe", crate::fake_target::Answer::Busy).into_shared();
    let retries = Arc::new(Retries::default());
    let mut options = crate::fake_target::apply();
    (options.retry.times, options.retry.first_pause) = (2, std::time::Duration::from_millis(2));
    let report = rig.run_observed(options, vec![retries.clone()]);
    assert_eq!(report.retries, 2);
    assert_eq!(*crate::fake_target::locked(&retries.0), ["execute sync: 1: it is busy", "execute sync: 2: it is busy"]);
}

#[test]
fn a_batch_that_is_made_again_is_counted_once() {
    let answering = |call: &str, times| if times < 1 && call.contains("create") { Answer::Busy } else { Answer::Do };
    let lab = lab("tag a; tag b; tag c; tag d", "").answering(answering);
    let mut options = apply();
    options.retry = diffsync_core::run::RetryPolicy::default();
    let ended = lab.run::<SyncBulk>(options);
    assert_eq!((ended.report.retries, ended.counts().as_str()), (1, "4 created"));
}

//! Retries: an error that may go away is waited for, and none other.

use std::time::Duration;

use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;

use crate::fake_network::{Answer, Batches, Handle, InLab, RunResult, SyncBulk, SyncNets, apply, lab};

/// As a run has it by itself: four times, after half a second, one, two and four.
fn patient() -> RunOptions {
    let mut options = apply();
    options.retry = diffsync_core::run::RetryPolicy::default();
    options
}

/// A run that creates one tag, which the target answers like this so many times.
fn create(answer: Answer, times: usize, options: RunOptions) -> (RunResult, Handle) {
    let lab = lab("tag a", "").answering(move |_, before| if before < times { answer } else { Answer::Do });
    (lab.run::<SyncNets>(options), lab)
}

#[test]
fn a_transient_error_is_tried_again_until_it_goes_away() {
    for times in 0..=4 {
        let (ended, lab) = create(Answer::Busy, times, patient());
        assert_eq!((ended.counts().as_str(), ended.report.status), ("1 created", Status::Completed));
        assert_eq!((lab.calls().len(), lab.written().len()), (times + 1, 1));
    }
}

#[test]
fn a_transient_error_that_does_not_go_away_fails_its_record() {
    let (ended, lab) = create(Answer::Busy, 5, patient());
    assert_eq!((ended.counts().as_str(), lab.calls().len()), ("1 failed", 5));
    assert_eq!(ended.report.failures().next().unwrap().reason, "it is busy");
}

/// What becomes of two tags that a target answers like this one after the other, the last of them for ever: written one by
/// one, with batches whose records have answers of their own, and with batches that have one.
#[track_caller]
fn check_lost(answers: &'static [Answer], counts: &str) {
    let answer = |times: usize| answers[times.min(answers.len() - 1)];
    let lab = || lab("tag a color=new; tag b color=new", "tag a color=old; tag b color=old");
    let each = move |_: &str, times| answer(times);
    assert_eq!(lab().answering(each).run::<SyncNets>(patient()).counts(), counts);
    assert_eq!(lab().answering(each).run::<SyncBulk>(patient()).counts(), counts, "in a batch");
    let together = lab().batching(Batches::Together).answering(each);
    assert_eq!(together.run::<SyncBulk>(patient()).counts(), counts, "as a batch");
}

#[test]
fn an_answer_that_is_lost_every_time_leaves_the_outcome_unknown() {
    check_lost(&[Answer::Lost], "2 unknown");
    check_lost(&[Answer::Lost, Answer::Busy], "2 unknown");
    let ended = lab("tag a", "").answering(|_, _| Answer::Lost).run::<SyncNets>(patient());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("1 unknown", Status::Partial));
    assert_eq!(ended.report.failures().next().unwrap().reason, "its answer was lost");
}

#[test]
fn after_a_lost_answer_the_next_one_says_what_became_of_the_record() {
    check_lost(&[Answer::Lost, Answer::Do], "2 updated");
    check_lost(&[Answer::Busy, Answer::Lost, Answer::Busy, Answer::Do], "2 updated");
    let ended = lab("tag a", "").answering(|_, before| if before == 0 { Answer::Lost } else { Answer::Fail });
    assert_eq!(ended.run::<SyncNets>(patient()).counts(), "1 failed");
}

#[test]
fn a_target_that_is_gone_after_a_lost_answer_ends_the_run_and_leaves_the_outcome_unknown() {
    for run in [lab_run::<SyncNets>, lab_run::<SyncBulk>] {
        let gone = |_: &str, before| if before == 0 { Answer::Lost } else { Answer::Fatal };
        let (ended, lab) = run(lab("tag a; location z", "").answering(gone));
        assert_eq!(ended.report.status, Status::Failed);
        assert_eq!(ended.counts(), "1 unknown, 1 not_attempted");
        assert_eq!(lab.completed(), 1, "something may have been written");
    }
}

fn lab_run<J: InLab>(lab: Handle) -> (RunResult, Handle) {
    (lab.run::<J>(patient()), lab)
}

#[test]
fn updates_and_deletes_are_tried_again_too() {
    let lab = lab("tag a color=red", "tag a; tag b")
        .answering(|_, before| if before < 2 { Answer::Busy } else { Answer::Do });
    assert_eq!(lab.run::<SyncNets>(patient()).counts(), "1 updated, 1 deleted");
    assert_eq!(lab.calls().len(), 6);
}

#[test]
fn no_other_error_is_tried_again() {
    for answer in [Answer::Fail, Answer::Panic, Answer::Hang, Answer::Fatal, Answer::Unknown] {
        let (_, lab) = create(answer, 1, patient());
        assert_eq!(lab.calls().len(), 1, "{answer:?}");
    }
}

#[test]
fn the_pauses_double_and_none_is_shorter_than_half_or_longer_than_the_whole() {
    for _ in 0..50 {
        let (ended, _) = create(Answer::Busy, 4, patient());
        let took = ended.took.as_secs_f64();
        assert!((3.75..=7.51).contains(&took), "{took}");
    }
    let mut options = patient();
    options.retry.times = 20;
    options.retry.longest_pause = Duration::from_secs(4);
    let (ended, _) = create(Answer::Busy, 20, options);
    let took = ended.took.as_secs_f64();
    assert!((1.75 + 17.0 * 2.0..=3.51 + 17.0 * 4.0).contains(&took), "{took}");
}

#[test]
fn the_pauses_differ_so_that_many_do_not_come_back_at_once() {
    let took: std::collections::BTreeSet<_> = (0..20).map(|_| create(Answer::Busy, 1, patient()).0.took).collect();
    assert!(took.len() > 5, "{took:?}");
}

#[test]
fn a_server_that_says_when_to_come_back_is_respected() {
    let (ended, _) = create(Answer::BusyFor(90), 1, patient());
    assert_eq!((ended.counts().as_str(), ended.took.as_secs()), ("1 created", 90));
    let (ended, _) = create(Answer::BusyFor(300), 1, patient());
    assert_eq!((ended.counts().as_str(), ended.took.as_secs()), ("1 created", 300));
}

#[test]
fn a_server_that_wants_to_be_left_alone_for_too_long_is_not_waited_for() {
    let (ended, lab) = create(Answer::BusyFor(301), 1, patient());
    assert_eq!((ended.counts().as_str(), ended.took.as_secs(), lab.calls().len()), ("1 failed", 0, 1));
}

#[test]
fn a_server_that_says_less_than_the_pause_is_left_alone_for_the_pause() {
    let (ended, _) = create(Answer::BusyFor(0), 1, patient());
    assert!(ended.took >= Duration::from_millis(250), "{:?}", ended.took);
}

#[test]
fn others_go_on_while_a_record_waits() {
    let mut options = patient();
    options.concurrency = std::num::NonZeroUsize::new(2);
    let lab = lab("tag a; tag b; tag c", "").answering(|call, before| match (call, before) {
        ("create tag a", 0) => Answer::BusyFor(60),
        _ => Answer::Do,
    });
    assert_eq!(lab.run::<SyncNets>(options).counts(), "3 created");
    assert_eq!(lab.calls(), ["create tag a", "create tag b", "create tag c", "create tag a"]);
}

#[test]
fn a_fatal_error_after_a_transient_one_ends_the_run() {
    let lab = lab("tag a; tag b", "").answering(|_, before| if before == 0 { Answer::Busy } else { Answer::Fatal });
    let ended = lab.run::<SyncNets>(patient());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("1 failed, 1 not_attempted", Status::Failed));
}

#[test]
fn so_many_failures_end_the_run_and_no_fewer() {
    let run = |max, failing: usize, failure: Answer| {
        let mut options = apply();
        options.max_failures = Some(max);
        let tags: String = (0..8).map(|number| format!("tag t{number};")).collect();
        let fails = move |call: &str, _: usize| {
            let number: usize = call[12..].parse().unwrap();
            if number < failing { failure } else { Answer::Do }
        };
        let ended = lab(&tags, "").answering(fails).run::<SyncNets>(options);
        (ended.counts(), ended.report.status)
    };
    assert_eq!(run(3, 2, Answer::Fail), ("6 created, 2 failed".into(), Status::Partial));
    assert_eq!(run(3, 3, Answer::Fail), ("3 failed, 5 not_attempted".into(), Status::Failed));
    assert_eq!(run(1, 1, Answer::Fail), ("1 failed, 7 not_attempted".into(), Status::Failed));
    assert_eq!(run(0, 1, Answer::Fail), ("1 failed, 7 not_attempted".into(), Status::Failed));
    // A target that panics or times out on every record is not called for all of them.
    for failure in [Answer::Panic, Answer::Unknown] {
        assert_eq!(run(3, 3, failure), ("3 unknown, 5 not_attempted".into(), Status::Failed));
    }
}

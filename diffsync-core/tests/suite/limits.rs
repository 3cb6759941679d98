//! Time limits and cancellation: what is in flight ends, and the rest is not attempted.

use std::time::Duration;

use diffsync_core::report::{RunError, Status, Step};
use diffsync_core::run::RunOptions;
use tokio_util::sync::CancellationToken;

use crate::fake_network::{Answer, Handle, RunResult, SyncBulk, SyncNets, apply, lab};

fn tags(count: usize) -> String {
    (0..count).map(|number| format!("tag t{number};")).collect()
}

/// Runs a sync that is cancelled after so many milliseconds.
fn cancelled_after(lab: &Handle, milliseconds: u64, mut options: RunOptions) -> RunResult {
    options.cancellation = CancellationToken::new();
    let token = options.cancellation.clone();
    lab.run_then::<SyncNets, _>(options, |run| async move {
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            token.cancel();
        };
        tokio::join!(run, cancel).0
    })
}

fn limited(seconds: u64) -> RunOptions {
    let mut options = apply();
    options.time_limit = Some(Duration::from_secs(seconds));
    options
}

#[test]
fn a_record_that_takes_too_long_is_unknown_and_the_others_are_written() {
    let mut options = apply();
    options.record_time_limit = Some(Duration::from_secs(7));
    for answer in [Answer::Hang, Answer::DoAndHang, Answer::Late(8)] {
        let lab = lab("tag a; tag b", "").failing(&[("create tag a", answer)]);
        let ended = lab.run::<SyncNets>(options.clone());
        assert_eq!(ended.undone(), ["create tag a: unknown"]);
        assert_eq!((ended.took.as_secs(), ended.report.status), (7, Status::Partial));
        assert_eq!(ended.report.failures().next().unwrap().reason, "the target did not answer within 7s");
        lab.mend();
        assert_eq!(lab.run::<SyncNets>(options.clone()).report.status, Status::Completed);
    }
    let ended = lab("tag a; tag b", "").failing(&[("create tag a", Answer::Late(6))]).run::<SyncNets>(options);
    assert_eq!(ended.counts(), "2 created");
}

#[test]
fn what_is_under_a_record_that_is_unknown_is_blocked_and_its_parents_stay() {
    let lab = lab("location a; device d in=a", "location b; location c in=b")
        .failing(&[("create location a", Answer::Hang), ("delete location c", Answer::Hang)]);
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(
        ended.undone(),
        [
            "create location a: unknown",
            "create device d: blocked",
            "delete location c: unknown",
            "delete location b: blocked"
        ]
    );
}

#[test]
fn without_a_limit_a_record_may_take_as_long_as_it_wants() {
    let mut options = apply();
    options.record_time_limit = None;
    let ended = lab("tag a", "").answering(|_, _| Answer::Late(100_000)).run::<SyncNets>(options);
    assert_eq!(ended.counts(), "1 created");
}

#[test]
fn a_run_whose_time_is_over_finishes_what_is_in_flight() {
    let lab = lab(&tags(6), "").answering(|_, _| Answer::Late(2));
    let ended = lab.run::<SyncNets>(limited(5));
    assert_eq!((ended.counts().as_str(), ended.took.as_secs()), ("3 created, 3 not_attempted", 6));
    assert_eq!((ended.report.status, lab.completed()), (Status::Failed, 1));
    assert_eq!(
        ended.report.error_text().unwrap(),
        "the run did not end within 5s; operations not begun by then were not attempted"
    );
    let mut options = limited(5);
    options.concurrency = std::num::NonZeroUsize::new(2);
    let lab = self::lab(&tags(8), "").answering(|_, _| Answer::Late(2));
    assert_eq!(lab.run::<SyncNets>(options).counts(), "6 created, 2 not_attempted");
    let lab = self::lab(&tags(12), "").answering(|_, _| Answer::Late(2));
    assert_eq!(lab.run::<SyncBulk>(limited(5)).counts(), "4 created, 8 not_attempted");
}

#[test]
fn a_run_that_has_done_everything_when_its_time_is_over_is_completed() {
    let lab = lab(&tags(3), "").answering(|_, _| Answer::Late(2));
    let ended = lab.run::<SyncNets>(limited(5));
    assert_eq!((ended.counts().as_str(), ended.report.status), ("3 created", Status::Completed));
    let ended = cancelled_after(&self::lab(&tags(3), "").answering(|_, _| Answer::Late(2)), 5_000, apply());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("3 created", Status::Completed));
}

#[test]
fn loading_ends_when_the_time_is_over() {
    for parallel_loading in [false, true] {
        let lab = lab("tag a", "");
        *crate::fake_target::locked(&lab.slow_loading) = Duration::from_secs(30);
        let mut options = limited(20);
        options.parallel_loading = parallel_loading;
        let ended = lab.run::<SyncNets>(options);
        assert_eq!((ended.report.status, ended.took.as_secs()), (Status::Failed, 20));
        assert!(matches!(ended.report.error, Some(RunError::TimeLimit(_))));
        let mut options = limited(35);
        options.parallel_loading = parallel_loading;
        let status = if parallel_loading { Status::Completed } else { Status::Failed };
        assert_eq!(lab.run::<SyncNets>(options).report.status, status);
    }
}

#[test]
fn a_wait_that_would_outlast_the_run_is_not_begun() {
    let mut options = limited(30);
    options.retry.times = 4;
    let lab = lab("tag a; tag b", "").failing(&[("create tag a", Answer::BusyFor(60))]);
    let ended = lab.run::<SyncNets>(options);
    assert_eq!((ended.counts().as_str(), ended.took.as_secs()), ("1 created, 1 failed", 0));
}

#[test]
fn a_run_is_cancelled_while_it_loads() {
    for parallel_loading in [false, true] {
        let lab = lab("tag a", "");
        *crate::fake_target::locked(&lab.slow_loading) = Duration::from_secs(30);
        let mut options = apply();
        options.parallel_loading = parallel_loading;
        let ended = cancelled_after(&lab, 10_000, options);
        assert_eq!((ended.report.status, ended.took.as_secs()), (Status::Cancelled, 10));
        assert_eq!((lab.calls().len(), lab.completed()), (0, 0));
        assert_eq!(ended.report.steps[0].step, Step::LoadSource);
    }
}

#[test]
fn a_run_that_is_cancelled_finishes_what_is_in_flight_and_completes_it() {
    let lab = lab(&tags(6), "").answering(|_, _| Answer::Late(2));
    let ended = cancelled_after(&lab, 3_000, apply());
    assert_eq!((ended.counts().as_str(), ended.took.as_secs()), ("2 created, 4 not_attempted", 4));
    assert_eq!((ended.report.status, lab.completed()), (Status::Cancelled, 1));
    assert_eq!(ended.report.error_text().unwrap(), "the run was cancelled");
    let mut options = apply();
    options.concurrency = std::num::NonZeroUsize::new(3);
    let ended = cancelled_after(&self::lab(&tags(9), "").answering(|_, _| Answer::Late(2)), 3_000, options);
    assert_eq!(ended.counts(), "6 created, 3 not_attempted");
}

#[test]
fn a_run_that_is_cancelled_before_anything_was_written_writes_nothing() {
    let lab = lab(&tags(3), "");
    let options = apply();
    options.cancellation.cancel();
    let ended = lab.run::<SyncNets>(options);
    assert_eq!((ended.report.status, lab.calls().len(), lab.completed()), (Status::Cancelled, 0, 0));
}

#[test]
fn a_pause_ends_when_the_run_is_cancelled() {
    let mut options = apply();
    options.retry.times = 4;
    let lab = lab(&tags(3), "").failing(&[("create tag t1", Answer::BusyFor(200))]);
    let ended = cancelled_after(&lab, 50_000, options.clone());
    assert_eq!((ended.counts().as_str(), ended.took.as_secs()), ("1 created, 1 failed, 1 not_attempted", 50));
    assert_eq!((ended.report.status, lab.completed()), (Status::Cancelled, 1));
    let lab = self::lab(&tags(6), "").failing(&[("create tag t1", Answer::BusyFor(200))]);
    let token = options.cancellation.clone();
    let ended = lab.run_then::<SyncBulk, _>(options, |run| async move {
        let cancel = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            token.cancel();
        };
        tokio::join!(run, cancel).0
    });
    assert_eq!((ended.counts().as_str(), ended.took.as_secs()), ("3 created, 1 failed, 2 not_attempted", 50));
}

#[test]
fn deferred_references_that_a_cancelled_run_did_not_set_are_said_to_be_missing() {
    let lab = lab("location x; device a in=x peers=a; device b in=x peers=a; tag t", "location x")
        .answering(|call, _| if call.starts_with("update") { Answer::Late(2) } else { Answer::Do });
    let ended = cancelled_after(&lab, 1_000, apply());
    assert_eq!(ended.undone(), ["create device b: failed"]);
    assert_eq!(ended.report.status, Status::Cancelled);
    assert_eq!(
        ended.report.failures().next().unwrap().reason,
        "it was created, but the run ended before its references were set"
    );
}

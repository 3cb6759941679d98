//! Batches: many records with one call, and none of them lost or written twice.

use std::num::NonZeroUsize;

use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;

use crate::fake_network::{
    Answer, Batches, Handle, InLab, Rack, RunResult, SyncBatches, SyncBulk, SyncLargeBulk, SyncNets, apply, lab,
    lab_jobs,
};

lab_jobs! {
    SyncTwoAtATime: [Rack] = (|lab| Rack::one_by_one(lab).limited_to(2));
    SyncBatchAfterBatch: [Rack] = (|lab| Rack::one_by_one(lab).in_batches().limited_to(1));
}

/// So many tags of a color.
fn tags(count: usize, color: &str) -> String {
    (0..count).map(|number| format!("tag t{number} color={color};")).collect()
}

fn retrying(times: usize) -> RunOptions {
    let mut options = apply();
    options.retry.times = times;
    options
}

/// Expects that everything was written that was to be, and nothing twice.
#[track_caller]
fn expect_once(lab: &Handle, records: usize) {
    let written = lab.written();
    assert!(written.len() == records && written.values().all(|times| *times == 1), "{written:?}");
}

#[test]
fn records_are_written_in_as_few_calls_as_the_target_says() {
    for (source, target) in
        [(tags(10, "new"), "tenant a".into()), (tags(10, "new"), tags(10, "old")), ("tenant a".into(), tags(10, "old"))]
    {
        let lab = lab(&format!("tenant a;{source}"), &format!("tenant a;{target}"));
        assert_eq!(lab.run::<SyncBulk>(apply()).report.status, Status::Completed);
        assert_eq!(lab.batch_sizes(), [4, 4, 2]);
        expect_once(&lab, 10);
    }
}

#[test]
fn a_batch_holds_one_operation_and_one_level() {
    let lab = lab("location a; location b in=a; location c in=b; location z kind=new", "location z kind=old");
    lab.run::<SyncBulk>(apply());
    assert_eq!(lab.batch_sizes(), [1, 1, 1, 1]);
    assert_eq!(lab.calls()[..2], ["create location a", "update location z"]);
}

#[test]
fn by_itself_a_target_takes_a_batch_one_by_one() {
    let lab = lab(&tags(10, "new"), "");
    let mut options = apply();
    options.concurrency = NonZeroUsize::new(2);
    assert_eq!(lab.run::<SyncBatches>(options).counts(), "10 created");
    expect_once(&lab, 10);
}

#[test]
fn a_batch_that_is_refused_is_halved_until_the_bad_records_are_found() {
    for operation in ["create", "update", "delete"] {
        for bad in 0..4usize {
            let (source, target) = match operation {
                "create" => (tags(8, "new"), String::new()),
                "update" => (tags(8, "new"), tags(8, "old")),
                _ => (String::new(), tags(8, "old")),
            };
            let refused = [format!("{operation} tag t{bad}"), format!("{operation} tag t6")];
            let lab = lab(&format!("tenant a;{source}"), &format!("tenant a;{target}"))
                .source_then(|net| net.tags.mark_loaded())
                .batching(Batches::Together)
                .answering(move |call, _| if refused.contains(&call.to_owned()) { Answer::Fail } else { Answer::Do });
            let ended = lab.run::<SyncBulk>(apply());
            assert_eq!((ended.undone().len(), ended.report.counts.failed), (2, 2), "{:?}", ended.undone());
            assert_eq!(
                lab.batch_sizes(),
                if bad < 2 { [4, 2, 1, 1, 2, 4, 2, 2, 1, 1] } else { [4, 2, 2, 1, 1, 4, 2, 2, 1, 1] }
            );
            expect_once(&lab, 6);
        }
    }
}

#[test]
fn each_record_of_a_batch_has_an_answer_of_its_own() {
    for run in [run::<SyncBulk>, run::<SyncBatches>, run::<SyncNets>] {
        let lab = lab(&tags(8, "new"), "").failing(&[("create tag t1", Answer::Fail), ("create tag t6", Answer::Fail)]);
        let ended = run(&lab, apply());
        assert_eq!(ended.undone(), ["create tag t1: failed", "create tag t6: failed"]);
        expect_once(&lab, 6);
    }
}

fn run<J: InLab>(lab: &Handle, options: RunOptions) -> RunResult {
    lab.run::<J>(options)
}

#[test]
fn an_answer_too_few_makes_the_batch_unknown() {
    let lab = lab(&tags(6, "new"), "").batching(Batches::OneTooFew);
    let ended = lab.run::<SyncBulk>(apply());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("6 unknown", Status::Partial));
    let reason = ended.report.failures().next().unwrap().reason;
    assert_eq!(reason, "the target gave 3 answers for 4 records of a batch");
    assert_eq!(lab.completed(), 1, "something may have been written");
    // The next run finds them written.
    lab.mend();
    assert_eq!(lab.batching(Batches::Each).run::<SyncBulk>(apply()).counts(), "6 unchanged");
}

#[test]
fn only_the_records_that_the_target_was_too_busy_for_are_asked_for_again() {
    for run in [run::<SyncBulk>, run::<SyncBatches>] {
        let busy = |call: &str, times| match (call, times) {
            ("create tag t1", 0..2) | ("create tag t2", 0) => Answer::Busy,
            _ => Answer::Do,
        };
        let lab = lab(&tags(4, "new"), "").answering(busy);
        let ended = run(&lab, retrying(2));
        assert_eq!((ended.counts().as_str(), ended.report.status), ("4 created", Status::Completed));
        expect_once(&lab, 4);
        let asked: Vec<_> = lab.calls().iter().map(|call| call.rsplit(' ').next().unwrap().to_owned()).collect();
        assert_eq!(asked, ["t0", "t1", "t2", "t3", "t1", "t2", "t1"]);
        assert!(ended.took.as_millis() >= 250 + 500 && ended.took.as_millis() <= 500 + 1000, "{:?}", ended.took);
        // Once more would have been needed.
        let lab = lab_of_busy();
        assert_eq!(run(&lab, retrying(1)).undone(), ["create tag t1: failed"]);
    }
}

fn lab_of_busy() -> Handle {
    lab(&tags(4, "new"), "")
        .answering(|call, times| if call == "create tag t1" && times < 2 { Answer::Busy } else { Answer::Do })
}

#[test]
fn the_longest_wait_that_a_server_asks_for_in_a_batch_is_respected() {
    let lab = lab(&tags(4, "new"), "").answering(|call, times| match (call, times) {
        ("create tag t1", 0) => Answer::BusyFor(20),
        ("create tag t2", 0) => Answer::BusyFor(40),
        ("create tag t3", 0) => Answer::BusyFor(4_000),
        _ => Answer::Do,
    });
    let ended = lab.run::<SyncBulk>(retrying(1));
    assert_eq!(ended.undone(), ["create tag t3: failed"]);
    assert_eq!(ended.took.as_secs(), 40);
}

#[test]
fn a_batch_that_the_target_is_too_busy_for_is_tried_again_as_a_whole() {
    let busy = |times| {
        move |call: &str, tried| if call == "create tag t1" && tried < times { Answer::Busy } else { Answer::Do }
    };
    let lab_of = |times| lab(&tags(4, "new"), "").batching(Batches::Together).answering(busy(times));
    let lab = lab_of(2);
    // The answers count the calls for each record, so the last one is spent by the record itself.
    assert_eq!(lab.run::<SyncBulk>(retrying(4)).counts(), "4 created");
    assert_eq!(lab.batch_sizes()[..3], [4, 4, 4]);
    expect_once(&lab, 4);
    let lab = lab_of(9);
    assert_eq!(lab.run::<SyncBulk>(retrying(2)).counts(), "4 failed");
    assert_eq!((lab.batch_sizes(), lab.written().len()), (vec![4, 4, 4], 0));
}

#[test]
fn a_batch_whose_answer_was_lost_is_not_tried_again() {
    let lost = &[("create tag t1", Answer::Unknown)];
    let each = lab(&tags(4, "new"), "").failing(lost);
    assert_eq!(each.run::<SyncBulk>(apply()).counts(), "3 created, 1 unknown");
    assert_eq!(each.calls().len(), 4);
    let together = lab(&tags(4, "new"), "").batching(Batches::Together).failing(lost);
    assert_eq!(together.run::<SyncBulk>(apply()).counts(), "4 unknown");
}

#[test]
fn a_fatal_error_in_a_batch_ends_the_run() {
    for run in [run::<SyncBulk>, run::<SyncBatches>] {
        let lab = lab(&tags(12, "new"), "").failing(&[("create tag t5", Answer::Fatal)]);
        let ended = run(&lab, apply());
        assert_eq!(
            (ended.counts().as_str(), ended.report.status),
            ("7 created, 1 failed, 4 not_attempted", Status::Failed)
        );
        expect_once(&lab, 7);
    }
    let lab = lab(&tags(12, "new"), "").batching(Batches::Together).failing(&[("create tag t5", Answer::Fatal)]);
    let ended = lab.run::<SyncBulk>(apply());
    assert_eq!(
        (ended.counts().as_str(), ended.report.status),
        ("4 created, 4 failed, 4 not_attempted", Status::Failed)
    );
    assert_eq!(lab.batch_sizes(), [4, 4]);
}

#[test]
fn halves_that_come_after_a_fatal_error_are_not_attempted() {
    let lab = lab(&tags(4, "new"), "").batching(Batches::Together).answering(|call, tried| match (call, tried) {
        // The whole batch is refused, then the first half is, and then the host is gone.
        ("create tag t0", 0) => Answer::Fail,
        ("create tag t0", 1) => Answer::Fatal,
        _ => Answer::Do,
    });
    let ended = lab.run::<SyncBulk>(apply());
    assert_eq!(ended.counts(), "2 failed, 2 not_attempted");
    assert_eq!((lab.batch_sizes(), lab.written().len()), (vec![4, 2], 0));
}

#[test]
fn after_a_panic_in_a_batch_nobody_knows_what_was_written() {
    let lab = lab(&tags(8, "new"), "").failing(&[("create tag t2", Answer::Panic)]);
    let ended = lab.run::<SyncBulk>(apply());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("4 created, 4 unknown", Status::Partial));
    assert_eq!(ended.report.failures().next().unwrap().reason, "the target panicked: index out of bounds");
    expect_once(&lab, 6);
}

#[test]
fn a_panic_in_a_batch_that_is_taken_one_by_one_leaves_its_record_unknown_and_no_other() {
    for call in ["create tag t2", "update tag t2", "delete tag t2"] {
        let (source, target) = match call {
            "create tag t2" => (tags(8, "new"), String::new()),
            "update tag t2" => (tags(8, "new"), tags(8, "old")),
            _ => (String::new(), tags(8, "old")),
        };
        let lab = lab(&format!("note n;{source}"), &format!("note n;{target}"))
            .source_then(|net| net.tags.mark_loaded())
            .failing(&[(call, Answer::Panic)]);
        assert_eq!(lab.run::<SyncBatches>(apply()).undone(), [format!("{call}: unknown")]);
        expect_once(&lab, 7);
    }
}

#[test]
fn a_batch_that_never_ends_is_unknown() {
    let lab = lab(&tags(8, "new"), "").failing(&[("create tag t2", Answer::Hang)]);
    let ended = lab.run::<SyncBulk>(apply());
    assert_eq!(ended.counts(), "4 created, 4 unknown");
    assert_eq!(ended.report.failures().next().unwrap().reason, "the target did not answer within 300s");
}

#[test]
fn a_batch_of_updates_leaves_out_what_changes_only_deferred_references() {
    let before = "location x; address 1; device a in=x; device b in=x; device c in=x";
    let lab = lab(
        "location x; address 1; device a in=x primary=1; device b in=x serial=2; device c in=x primary=1 serial=3",
        before,
    );
    let ended = lab.run::<SyncBulk>(apply());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("3 updated, 2 unchanged", Status::Completed));
    assert_eq!(lab.batch_sizes(), [2, 2]);
    assert_eq!(
        lab.changes(),
        [
            r#"device b {"serial":"2"}"#,
            r#"device c {"serial":"3"}"#,
            r#"device a {"primary":"1"}"#,
            r#"device c {"primary":"1"}"#
        ]
    );
}

#[test]
fn batches_run_at_the_same_time_as_allowed() {
    let took = |concurrency| {
        let lab = lab(&tags(16, "new"), "").answering(|_, _| Answer::Late(1));
        let mut options = apply();
        options.concurrency = NonZeroUsize::new(concurrency);
        let ended = lab.run::<SyncBulk>(options);
        assert_eq!(ended.counts(), "16 created");
        ended.took.as_secs()
    };
    assert_eq!([took(1), took(2), took(4), took(9)], [16, 8, 4, 4]);
}

#[test]
fn no_run_asks_more_of_a_target_at_the_same_time_than_it_stands() {
    fn took<J: InLab>(concurrency: usize) -> u64 {
        let lab = lab(&tags(8, "new"), "").answering(|_, _| Answer::Late(1));
        let mut options = apply();
        options.concurrency = NonZeroUsize::new(concurrency);
        let ended = lab.run::<J>(options);
        assert_eq!(ended.counts(), "8 created");
        ended.took.as_secs()
    }
    assert_eq!([0, 1, 2, 9].map(took::<SyncTwoAtATime>), [8, 8, 4, 4]);
    // Within a batch one record is written after the other.
    assert_eq!([0, 1, 9].map(took::<SyncBatchAfterBatch>), [8; 3]);
}

#[test]
fn deferred_references_are_set_in_batches() {
    // A hundred devices, half of them new, of which each is connected to itself.
    let devices = |peers: bool, numbers: std::ops::Range<usize>| {
        let device =
            |at| if peers { format!("; device d{at} in=x peers=d{at}") } else { format!("; device d{at} in=x") };
        format!("location x{}", numbers.map(device).collect::<String>())
    };
    let lab = lab(&devices(true, 0..100), &devices(false, 0..50));
    let ended = lab.run::<SyncLargeBulk>(apply());
    assert_eq!(ended.counts(), "50 created, 50 updated, 1 unchanged");
    // The creates, and all references; what is only to have references is not asked for before.
    assert_eq!(lab.batch_sizes(), [50, 100]);

    // References that are taken back before their records are deleted.
    lab.set_source("location x");
    let ended = lab.run::<SyncLargeBulk>(apply());
    assert_eq!(ended.counts(), "100 deleted, 1 unchanged");
}

#[test]
fn references_are_taken_back_in_batches() {
    let pairs: String = (0..6).map(|at| format!("; device d{at} in=x peers=d{}", at ^ 1)).collect();
    let lab = lab("location x", &format!("location x{pairs}"));
    let ended = lab.run::<SyncLargeBulk>(apply());
    assert_eq!((ended.counts().as_str(), lab.batch_sizes()), ("6 deleted, 1 unchanged", vec![6, 6]));
}

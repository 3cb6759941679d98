//! What panics in a job's hooks, or in what watches a run, is said, and what was done is still reported.

use std::sync::Arc;
use std::time::Duration;

use diffsync_core::adapter::CompleteContext;
use diffsync_core::apply::LoadedSides;
use diffsync_core::job::{JobError, JobSpec, RecordLookup};
use diffsync_core::report::{Event, Observer, RunError, RunReport, Status};
use diffsync_core::run::WritePermit;
use diffsync_core::value::Url;
use diffsync_core::{Job, Plan, Run};

use crate::fake_target::{Answer, Listed, Memory, Rig, Shared, apply, job_with, run_job};
use crate::world::{World, records};

/// Which hook panics.
#[derive(Clone, Copy, PartialEq)]
enum Hook {
    Data,
    Diff,
    Execute,
    Complete,
    Lookup,
}

macro_rules! panicking {
    ($job:ident, $at:expr) => {
        job_with!($job {
            async fn sync_data(&self, run: &mut Run<Self>) -> Result<(), RunError> {
                run.load().await?;
                assert!($at != Hook::Data, "data");
                run.calculate_diff().await?;
                run.execute_sync().await
            }

            async fn calculate_diff(&self, loaded: LoadedSides<World>) -> Result<Plan<World>, JobError> {
                assert!($at != Hook::Diff, "diff");
                Ok(loaded.compare())
            }

            async fn execute_sync(&self, target: &Memory, permit: WritePermit<'_, '_, World>) -> Result<(), JobError> {
                permit.execute(target).await;
                assert!($at != Hook::Execute, "execute");
                Ok(())
            }

            async fn sync_complete(
                &self,
                _: &Listed,
                _: &Memory,
                _: &CompleteContext<'_, World>,
            ) -> Result<(), JobError> {
                assert!($at != Hook::Complete, "complete");
                Ok(())
            }

            fn lookup_object(&self, _: &RecordLookup<'_, Listed, Memory>) -> Option<Url> {
                assert!($at != Hook::Lookup, "lookup");
                None
            }
        });
    };
}

fn run<J: Job>(job: impl FnOnce(Shared) -> J) -> RunReport {
    let rig = Rig::new(records(&["europe", "asia"]), records(&["europe"])).into_shared();
    run_job(job(rig), apply(), Vec::new())
}

fn said(report: &RunReport) -> String {
    report.error_text().unwrap_or_default()
}

#[test]
fn a_hook_that_panics_fails_the_run_which_says_what_it_did() {
    panicking!(InData, Hook::Data);
    panicking!(InDiff, Hook::Diff);
    panicking!(InExecute, Hook::Execute);
    panicking!(InComplete, Hook::Complete);
    for (report, hook, created) in [
        (run(|rig| InData { rig }), "the hook `sync_data` panicked: data", 0),
        (run(|rig| InDiff { rig }), "the hook `calculate_diff` panicked: diff", 0),
        (run(|rig| InExecute { rig }), "the hook `execute_sync` panicked: execute", 1),
        (run(|rig| InComplete { rig }), "the hook `sync_complete` panicked: complete", 1),
    ] {
        assert!(said(&report).ends_with(hook), "{}", said(&report));
        assert_eq!((report.status, report.counts.created), (Status::Failed, created));
    }
    assert!(InData::INFO.id == "in-data");
}

#[test]
fn a_panic_after_all_is_written_hides_nothing_of_what_was() {
    panicking!(InLookup, Hook::Lookup);
    let rig = Rig::new(records(&["europe", "asia", "africa"]), records(&["europe"]));
    let rig = rig.answering("create region asia", Answer::Fail).into_shared();
    let report = run_job(InLookup { rig }, apply(), Vec::new());
    assert!(said(&report).ends_with("panicked: lookup"), "{}", said(&report));
    let counts = (report.counts.created, report.counts.failed, report.counts.not_attempted);
    assert_eq!((report.status, counts), (Status::Failed, (1, 1, 0)));
}

#[test]
fn an_observer_that_panics_does_not_bring_down_the_run() {
    struct Nervous;
    impl Observer for Nervous {
        fn observe(&self, event: &Event<'_>) {
            assert!(!matches!(event, Event::RecordDone { .. }), "the pipe is closed");
        }
    }
    let rig = Rig::new(records(&["europe", "asia"]), records(&["europe"])).into_shared();
    let report = rig.run_observed(apply(), vec![Arc::new(Nervous)]);
    assert_eq!((report.status, report.counts.created), (Status::Completed, 1));
}

#[test]
fn a_time_limit_beyond_all_time_is_none() {
    let mut options = apply();
    options.time_limit = Some(Duration::MAX);
    let (report, _) = Rig::new(records(&["europe"]), records(&[])).run(options);
    assert_eq!(report.status, Status::Completed);
}

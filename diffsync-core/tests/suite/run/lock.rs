//! Two runs that write to one system at the same time.

use std::sync::Mutex;

use diffsync_core::Target;
use diffsync_core::adapter::{Either, TargetError, WriteContext};
use diffsync_core::model::SyncModel;
use diffsync_core::plan::{OutcomeCounts, Refusal};
use diffsync_core::report::request_retries;
use diffsync_core::run::{LockError, LockFuture, TargetLock};

use super::*;

/// A lock that records what was asked of it.
#[derive(Debug, Default)]
struct Asked {
    resources: Mutex<Vec<Option<String>>>,
    answer: Option<fn() -> LockError>,
    hangs: bool,
}

impl TargetLock for Asked {
    fn lock<'a>(&'a self, resource: Option<&'a str>) -> LockFuture<'a> {
        locked(&self.resources).push(resource.map(str::to_owned));
        Box::pin(async {
            if self.hangs {
                std::future::pending::<()>().await;
            }
            self.answer.map_or(Ok(()), |answer| Err(answer()))
        })
    }
}

fn asked(lock: &Asked) -> Vec<Option<String>> {
    locked(&lock.resources).clone()
}

fn run_with(lock: &Arc<Asked>, mut options: RunOptions) -> (RunReport, Shared) {
    options.lock = Some(Arc::clone(lock) as Arc<dyn TargetLock>);
    rig().run(options)
}

#[test]
fn a_run_that_writes_locks_its_target_once_and_a_dry_run_does_not() {
    for (options, asks) in [(dry_run(), 0), (apply(), 1)] {
        let lock = Arc::new(Asked::default());
        let (report, _) = run_with(&lock, options);
        assert_eq!(report.status, Status::Completed);
        assert_eq!(asked(&lock), vec![None; asks]);
    }
}

#[test]
fn a_target_that_another_run_writes_to_is_neither_loaded_nor_written() {
    for parallel_loading in [false, true] {
        let held = || LockError::Held("another run writes to it: b7 on host-a".to_owned());
        let lock = Arc::new(Asked { answer: Some(held), ..Asked::default() });
        let mut options = apply();
        options.parallel_loading = parallel_loading;
        let (report, rig) = run_with(&lock, options);
        assert_eq!(report.status, Status::Refused);
        assert_eq!(report.error_text().unwrap(), "another run writes to it: b7 on host-a");
        assert!(report.plan().is_none());
        assert_eq!(rig.calls(), [""; 0]);
    }
}

#[test]
fn a_lock_that_cannot_be_asked_fails_the_run_before_it_writes() {
    let unavailable = || LockError::Unavailable("the history is on a full disk".into());
    let lock = Arc::new(Asked { answer: Some(unavailable), ..Asked::default() });
    let (report, rig) = run_with(&lock, apply());
    let expected = "it cannot be found out whether another run writes to the target; nothing was written: the history is on a \
                    full disk";
    assert_eq!(error(&report), expected);
    assert_eq!(rig.calls(), [""; 0]);
}

#[test]
fn waiting_for_a_lock_ends_with_the_run() {
    let lock = Arc::new(Asked { hangs: true, ..Asked::default() });
    let mut options = apply();
    options.time_limit = Some(Duration::from_millis(30));
    assert!(error(&run_with(&lock, options).0).contains("did not end within 30ms"));

    let options = apply();
    options.cancellation.cancel();
    assert_eq!(run_with(&lock, options).0.status, Status::Cancelled);
}

#[test]
fn a_run_that_is_refused_before_it_begins_loads_nothing_and_is_reported() {
    let mut options = apply();
    options.refusal = Some(Refusal::JobInUse("the job runs already: b7 on host-a".to_owned()));
    let (report, rig) = rig().run(options);
    assert_eq!(report.status, Status::Refused);
    assert_eq!(report.error_text().unwrap(), "the job runs already: b7 on host-a");
    assert_eq!((steps(&report), rig.calls()), (Vec::new(), Vec::new()));
}

#[test]
fn a_run_that_the_program_ends_has_failed_for_its_reason() {
    let options = apply();
    options.abort_reason.set("the history is on a full disk");
    options.abort_reason.set("and so is the log");
    options.cancellation.cancel();
    assert_eq!(error(&rig().run(options).0), "the history is on a full disk; nothing was written");

    // A run that was not cancelled is not ended by a reason.
    let options = apply();
    options.abort_reason.set("the history is on a full disk");
    assert_eq!(rig().run(options).0.status, Status::Completed);

    let mut counts = OutcomeCounts::default();
    (counts.created, counts.deleted, counts.unknown, counts.not_attempted) = (2, 1, 4, 5);
    let error = RunError::Aborted { reason: "the disk is full".to_owned(), counts: Box::new(counts) };
    assert_eq!(error.to_string(), "the disk is full; 3 operations were done, 4 may have been, 5 not attempted");
}

#[test]
fn an_adapter_is_told_how_often_its_client_is_to_retry() {
    job_with!(Asking {
        async fn load_source_adapter(&self, source: &Listed, data: &mut World, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
            self.rig.note(format!("{:?}", request_retries()));
            source.load(data, cx).await
        }
    });
    assert_eq!(request_retries(), None);
    for (parallel_loading, retries) in [(false, None), (false, Some(0)), (true, Some(7))] {
        let mut options = apply();
        (options.parallel_loading, options.request_retries) = (parallel_loading, retries);
        let rig = rig().into_shared();
        run_job(Asking { rig: rig.clone() }, options, Vec::new());
        assert_eq!(rig.notes()[0], format!("{retries:?}"));
    }
}

#[test]
fn the_resource_of_a_target_is_what_is_locked() {
    struct Named(Memory);

    impl Adapter for Named {
        type Data = World;

        async fn load(&self, data: &mut World, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
            self.0.load(data, cx).await
        }

        fn resource(&self) -> Option<String> {
            Some("memory:1".to_owned())
        }
    }

    impl<M: SyncModel> Target<M> for Named
    where
        Memory: Target<M, Data = World>,
    {
        async fn create(&self, new: &M, cx: &WriteContext<'_, World>) -> Result<M, TargetError> {
            self.0.create(new, cx).await
        }

        async fn update(&self, old: &M, patch: &M::Patch, cx: &WriteContext<'_, World>) -> Result<M, TargetError> {
            self.0.update(old, patch, cx).await
        }

        async fn delete(&self, old: &M, cx: &WriteContext<'_, World>) -> Result<(), TargetError> {
            self.0.delete(old, cx).await
        }
    }

    #[job(source = Listed, target = Either<Named, Memory>, dryrun_default = false)]
    struct ToNamed {
        rig: Shared,
    }

    opens!(
        ToNamed: Listed = |job| Listed(job.rig.clone()),
        Either<Named, Memory> = |job| Either::Left(Named(Memory(job.rig.clone())))
    );

    let lock = Arc::new(Asked::default());
    let mut options = apply();
    options.lock = Some(Arc::clone(&lock) as Arc<dyn TargetLock>);
    run_job(ToNamed { rig: rig().into_shared() }, options, Vec::new());
    assert_eq!(asked(&lock), [Some("memory:1".to_owned())]);
}

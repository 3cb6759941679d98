//! The four measured steps.

use super::*;

#[test]
fn a_dry_run_writes_nothing_and_says_what_it_would_do() {
    let (report, rig) = rig().run(dry_run());
    assert_eq!((report.status, report.dry_run), (Status::Completed, true));
    assert_eq!(rig.calls(), [""; 0]);
    assert_eq!(ended(&report), "2 unchanged, 2 not_attempted");
    let total = report.summary().unwrap().total;
    assert_eq!((total.create, total.delete, total.no_change), (1, 1, 2));
    assert_eq!(steps(&report), [Step::LoadSource, Step::LoadTarget, Step::CalculateDiff]);
}

#[test]
fn a_job_is_run_dry_unless_it_says_otherwise() {
    #[job(source = Listed, target = Memory, concurrency = 7)]
    struct Careful {
        rig: Shared,
    }

    impl Job for Careful {
        async fn source_adapter(&self, cx: &JobContext) -> Result<Listed, JobError> {
            self.rig.note(format!("source, dry run: {}", cx.dry_run));
            Ok(Listed(self.rig.clone()))
        }

        async fn target_adapter(&self, cx: &JobContext) -> Result<Memory, JobError> {
            self.rig.note(format!("target, dry run: {}", cx.dry_run));
            Ok(Memory(self.rig.clone()))
        }
    }

    let options = RunOptions::new(&Careful::INFO);
    assert!(options.dry_run && options.continue_on_failure && !options.parallel_loading && !options.memory_profiling);
    assert_eq!(options.concurrency.map(usize::from), Some(7));
    assert!(!RunOptions::new(&SyncWorlds::INFO).dry_run);
    for (options, dry_run, calls) in [(options.clone(), true, 0), (options.apply(), false, 2)] {
        let rig = rig().into_shared();
        let report = run_job(Careful { rig: rig.clone() }, options, Vec::new());
        assert_eq!((report.dry_run, rig.calls().len()), (dry_run, calls));
        assert_eq!(rig.notes()[..2], [format!("source, dry run: {dry_run}"), format!("target, dry run: {dry_run}")]);
    }
}

#[test]
fn four_steps_are_taken_in_order_and_timed() {
    job_with!(Slow {
        async fn load_source_adapter(&self, _: &Listed, data: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
            tokio::time::sleep(Duration::from_millis(30)).await;
            self.rig.source.load(data);
            Ok(())
        }
    });
    for parallel_loading in [false, true] {
        let mut options = apply();
        options.parallel_loading = parallel_loading;
        let report = run_job(Slow { rig: rig().into_shared() }, options, Vec::new());
        assert_eq!(steps(&report), Step::ALL);
        assert!(report.steps[0].duration >= Duration::from_millis(30), "{:?}", report.steps);
        assert!(report.steps[1].duration < report.steps[0].duration, "{:?}", report.steps);
        assert!(report.steps.iter().all(|step| step.duration <= report.duration && step.memory.is_none()));
    }
}

job_with!(Meeting {
    async fn load_source_adapter(&self, source: &Listed, data: &mut World, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        MEETING.attend(cx.side())?;
        source.load(data, cx).await
    }

    async fn load_target_adapter(&self, target: &Memory, data: &mut World, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        MEETING.attend(cx.side())?;
        target.load(data, cx).await
    }
});

/// Where two loaders wait for each other without giving up their threads.
static MEETING: Attendance = Attendance { source: AtomicBool::new(false), target: AtomicBool::new(false) };

struct Attendance {
    source: AtomicBool,
    target: AtomicBool,
}

impl Attendance {
    fn attend(&self, side: Side) -> Result<(), AdapterError> {
        let (own, other) = match side {
            Side::Source => (&self.source, &self.target),
            Side::Target => (&self.target, &self.source),
        };
        own.store(true, Ordering::SeqCst);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !other.load(Ordering::SeqCst) {
            if Instant::now() > deadline {
                return Err(AdapterError::new("nobody came"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

#[test]
fn both_sides_are_loaded_at_the_same_time_when_asked() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let mut options = apply();
    options.parallel_loading = true;
    let job = Arc::new(Meeting { rig: rig().into_shared() });
    let report = runtime.block_on(Run::execute(job, options, Vec::new()));
    assert_eq!((report.status, steps(&report)), (Status::Completed, Step::ALL.to_vec()), "{report:?}");
}

#[test]
fn the_target_is_not_loaded_where_the_source_cannot_be() {
    job_with!(NoSource {
        async fn load_source_adapter(&self, _: &Listed, _: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
            let cause = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
            Err(AdapterError::context("cannot read `world.json`", cause))
        }

        async fn load_target_adapter(&self, _: &Memory, _: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
            self.rig.note("target loaded");
            Err(AdapterError::new("it is gone"))
        }
    });
    let rig = rig().into_shared();
    let report = run_job(NoSource { rig: rig.clone() }, apply(), Vec::new());
    assert_eq!(error(&report), "the source could not be loaded: cannot read `world.json`: no such file");
    assert_eq!((steps(&report), rig.notes().len()), (vec![Step::LoadSource], 0));
    assert!(report.plan().is_none() && report.summary().is_none() && report.problems().is_empty());

    let mut options = apply();
    options.parallel_loading = true;
    let report = run_job(NoSource { rig: rig.clone() }, options, Vec::new());
    assert_eq!(error(&report), "the source could not be loaded: cannot read `world.json`: no such file");
    assert_eq!(steps(&report), [Step::LoadSource], "nobody waits for the target then");
}

#[test]
fn an_adapter_that_cannot_be_made_fails_its_side() {
    #[job(source = Listed, target = Memory)]
    struct NoTarget {
        rig: Shared,
    }

    impl Job for NoTarget {
        async fn source_adapter(&self, _: &JobContext) -> Result<Listed, JobError> {
            Ok(Listed(self.rig.clone()))
        }

        async fn target_adapter(&self, _: &JobContext) -> Result<Memory, JobError> {
            Err(JobError::context("cannot log in", std::io::Error::other("wrong password")))
        }
    }

    for parallel_loading in [false, true] {
        let mut options = apply();
        options.parallel_loading = parallel_loading;
        let report = run_job(NoTarget { rig: rig().into_shared() }, options, Vec::new());
        assert_eq!(error(&report), "the target could not be loaded: cannot log in: wrong password");
        assert_eq!(steps(&report), [Step::LoadSource, Step::LoadTarget]);
    }
}

//! Hooks: what a job does in place of a step, and what is measured and reported all the same.

use super::*;

/// Runs a job whose hooks are overridden, and expects that it goes to its end and all its steps are measured.
fn check_measured<J: Job>(job: J) -> RunReport {
    let _apart = crate::memory::apart();
    let mut options = apply();
    options.memory_profiling = true;
    let report = run_job(job, options, Vec::new());
    assert_eq!(steps(&report), Step::ALL, "{report:?}");
    assert!(report.steps.iter().all(|step| step.memory.is_some_and(|memory| memory.heap.is_some())), "{report:?}");
    report
}

#[test]
fn validate_is_asked_before_anything_is_loaded() {
    job_with!(Valid {
        fn validate(&self) -> Result<(), JobError> {
            self.rig.note("validated");
            Ok(())
        }
    });
    job_with!(Invalid {
        fn validate(&self) -> Result<(), JobError> {
            Err(JobError::new("`region` and `country` exclude each other"))
        }
    });
    let rig = rig().into_shared();
    let report = check_measured(Valid { rig: rig.clone() });
    assert_eq!((report.status, rig.notes()[0].as_str()), (Status::Completed, "validated"));
    let report = run_job(Invalid { rig: rig.clone() }, apply(), Vec::new());
    assert_eq!(error(&report), "the job's variables are not valid: `region` and `country` exclude each other");
    assert_eq!(steps(&report), []);
}

#[test]
fn loading_can_be_overridden_and_stays_measured() {
    job_with!(WithoutX {
        async fn load_source_adapter(&self, source: &Listed, data: &mut World, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
            source.load(data, cx).await?;
            data.countries.remove("france");
            Ok(())
        }

        async fn load_target_adapter(&self, target: &Memory, data: &mut World, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
            target.load(data, cx).await?;
            data.countries.remove("x");
            Ok(())
        }
    });
    let report = check_measured(WithoutX { rig: rig().into_shared() });
    assert_eq!(ended(&report), "2 unchanged");
}

#[test]
fn calculating_the_diff_can_be_overridden_and_stays_measured() {
    job_with!(Picky {
        async fn calculate_diff(&self, loaded: LoadedSides<World>) -> Result<Plan<World>, JobError> {
            self.rig.note(format!("{} and {}", loaded.source().countries.len(), loaded.target().countries.len()));
            tokio::task::yield_now().await;
            let plan = loaded.compare();
            match plan.diff().summary().total.delete {
                0 => Ok(plan),
                deletes => Err(JobError::new(format!("{deletes} deletes are not wanted"))),
            }
        }
    });
    let wanted = Rig::new(records(&["europe", "europe/france"]), Records::default()).into_shared();
    assert_eq!(ended(&check_measured(Picky { rig: wanted.clone() })), "2 created");
    assert_eq!(wanted.notes()[0], "1 and 0");
    let unwanted = rig().into_shared();
    let report = run_job(Picky { rig: unwanted.clone() }, apply(), Vec::new());
    assert_eq!(error(&report), "the diff could not be calculated: 1 deletes are not wanted");
    assert_eq!((steps(&report), unwanted.calls().len()), (Step::ALL[..3].to_vec(), 0));
}

#[test]
fn executing_can_be_overridden_and_stays_measured() {
    job_with!(Announced {
        async fn execute_sync(&self, target: &Memory, permit: WritePermit<'_, '_, World>) -> Result<(), JobError> {
            self.rig.note(format!("{} to do", permit.plan().diff().operations()));
            let outcomes = permit.execute(target).await;
            self.rig.note(format!("{outcomes:?}").matches("Created").count().to_string());
            Ok(())
        }
    });
    let rig = rig().into_shared();
    assert_eq!(check_measured(Announced { rig: rig.clone() }).status, Status::Completed);
    assert_eq!(rig.notes(), ["2 to do", "1", "complete: 2 written, regions europe"]);
}

#[test]
fn what_an_overridden_execution_leaves_undone_is_not_completed() {
    job_with!(Idle {
        async fn execute_sync(&self, _: &Memory, _: WritePermit<'_, '_, World>) -> Result<(), JobError> {
            Ok(())
        }
    });
    job_with!(Broken {
        async fn execute_sync(&self, target: &Memory, permit: WritePermit<'_, '_, World>) -> Result<(), JobError> {
            permit.execute(target).await;
            Err(JobError::new("the ticket could not be closed"))
        }
    });
    let idle = rig().into_shared();
    let events = Arc::new(Recorder::default());
    let report = run_job(Idle { rig: idle.clone() }, apply(), vec![events.clone()]);
    assert_eq!((report.status, ended(&report).as_str()), (Status::Partial, "2 unchanged, 2 not_attempted"));
    assert_eq!((idle.calls().len(), idle.notes().len()), (0, 0));
    assert_eq!(events.events().iter().filter(|event| event.ends_with(": not_attempted")).count(), 2);

    let broken = rig().into_shared();
    let report = run_job(Broken { rig: broken.clone() }, apply(), Vec::new());
    assert_eq!(error(&report), "the sync could not be executed: the ticket could not be closed");
    // What was written is reported and completed nevertheless.
    assert_eq!(ended(&report), "1 created, 1 deleted, 2 unchanged");
    assert_eq!(broken.notes(), ["complete: 2 written, regions europe"]);
}

#[test]
fn an_execution_that_is_cut_short_says_what_it_did_and_what_is_unknown() {
    job_with!(Impatient {
        async fn execute_sync(&self, target: &Memory, permit: WritePermit<'_, '_, World>) -> Result<(), JobError> {
            let limit = std::time::Duration::from_millis(50);
            tokio::time::timeout(limit, permit.execute(target)).await.map(drop)?;
            Ok(())
        }
    });
    let rig = Rig::new(records(&["a", "b", "c", "a/x"]), records(&["z"]))
        .answering("create region b", Answer::Hang)
        .into_shared();
    let report = run_job(Impatient { rig: rig.clone() }, apply(), Vec::new());
    assert!(error(&report).starts_with("the sync could not be executed: "), "{}", error(&report));
    assert_eq!(ended(&report), "1 created, 1 unknown, 3 not_attempted");
    assert_eq!(rig.notes(), ["complete: 1 written, regions z a"]);
}

#[test]
fn a_loader_that_panics_fails_its_side() {
    for parallel_loading in [false, true] {
        let mut options = apply();
        options.parallel_loading = parallel_loading;
        let (report, rig) = rig().source_then(|_| panic!("index out of bounds")).run(options);
        assert_eq!(error(&report), "the source could not be loaded: the loader panicked: index out of bounds");
        assert_eq!(rig.calls(), [""; 0]);
    }
}

#[test]
fn sync_data_can_be_overridden_and_its_steps_stay_measured() {
    job_with!(Noted {
        async fn sync_data(&self, run: &mut Run<Self>) -> Result<(), RunError> {
            assert!(run.plan().is_none() && !run.options().dry_run);
            run.load().await?;
            run.calculate_diff().await?;
            self.rig.note(format!("{} operations", run.plan().map_or(0, |plan| plan.diff().operations())));
            tokio::time::sleep(Duration::from_millis(20)).await;
            run.execute_sync().await
        }
    });
    let rig = rig().into_shared();
    let report = check_measured(Noted { rig: rig.clone() });
    assert_eq!((report.status, rig.notes()[0].as_str()), (Status::Completed, "2 operations"));
    let measured: Duration = report.steps.iter().map(|step| step.duration).sum();
    assert!(report.duration >= measured + Duration::from_millis(20), "{report:?}");
}

#[test]
fn steps_in_another_order_are_an_error_that_says_so() {
    job_with!(Muddled {
        async fn sync_data(&self, run: &mut Run<Self>) -> Result<(), RunError> {
            for step in self.rig.notes() {
                match step.as_str() {
                    "load" => run.load().await?,
                    "diff" => run.calculate_diff().await?,
                    "sync" => run.execute_sync().await?,
                    other => panic!("{other}"),
                }
            }
            Ok(())
        }
    });
    let check = |steps: &[&str], expected: &str, ends: &str| {
        let rig = rig().into_shared();
        *locked(&rig.notes) = steps.iter().map(ToString::to_string).collect();
        let report = run_job(Muddled { rig }, apply(), Vec::new());
        assert_eq!((error(&report).as_str(), ended(&report).as_str()), (expected, ends), "{steps:?}");
    };
    check(&["diff"], "`sync_data` called `calculate_diff` before `load`", "");
    check(&["sync"], "`sync_data` called `execute_sync` before `calculate_diff`", "");
    check(&["load", "sync"], "`sync_data` called `execute_sync` before `calculate_diff`", "");
    check(&["load", "load"], "`sync_data` called `load` a second time", "");
    let (undone, done) = ("2 unchanged, 2 not_attempted", "1 created, 1 deleted, 2 unchanged");
    check(&["load", "diff", "diff"], "`sync_data` called `calculate_diff` a second time", undone);
    check(&["load", "diff", "load"], "`sync_data` called `load` a second time", undone);
    check(&["load", "diff", "sync", "sync"], "`sync_data` called `execute_sync` a second time", done);
    check(&["load", "diff", "sync", "diff"], "`sync_data` called `calculate_diff` a second time", done);
    for steps in [&[][..], &["load"]] {
        check(steps, "`sync_data` returned without a diff; call the steps there and return their errors", "");
    }
}

#[test]
fn an_error_that_sync_data_swallows_does_not_make_the_run_completed() {
    job_with!(Careless {
        async fn sync_data(&self, run: &mut Run<Self>) -> Result<(), RunError> {
            // A run that may not be executed is not, whether or not its errors are looked at.
            let _ = run.load().await;
            let _ = run.calculate_diff().await;
            let _ = run.execute_sync().await;
            Ok(())
        }
    });
    let careless = |rig: Rig| {
        let rig = rig.into_shared();
        let report = run_job(Careless { rig: rig.clone() }, RunOptions::new(&SyncWorlds::INFO), Vec::new());
        (report.status, rig.calls().len())
    };
    assert_eq!(careless(rig()), (Status::Completed, 2));
    assert_eq!(careless(rig().source_then(|world| *world = World::default())), (Status::Failed, 0));
    let duplicate = rig().source_then(|world| world.countries.insert(crate::world::country("spain", "europe")));
    assert_eq!(careless(duplicate), (Status::Partial, 0));
    assert_eq!(careless(rig().answering("create country france", Answer::Fatal)), (Status::Partial, 1));
}

#[test]
fn sync_complete_is_called_after_a_run_that_wrote_and_no_other() {
    job_with!(Completing {
        async fn sync_complete(&self, source: &Listed, target: &Memory, synced: &CompleteContext<'_, World>) -> Result<(), JobError> {
            let names = synced.outcomes().iter(synced.plan().diff()).filter(|(_, _, outcome)| outcome.is_written()).count();
            self.rig.note(format!("{names} of {} written", source.0.source.countries.len()));
            // The generated version.
            Ok(target.sync_complete(synced).await?)
        }
    });
    let run = |rig: Rig, options| {
        let rig = rig.into_shared();
        let report = run_job(Completing { rig: rig.clone() }, options, Vec::new());
        (report.status, rig.notes())
    };
    let generated = |written| format!("complete: {written} written, regions europe");
    assert_eq!(run(rig(), apply()), (Status::Completed, vec!["2 of 2 written".into(), generated(2)]));
    assert_eq!(run(rig(), dry_run()), (Status::Completed, vec![]));
    let lines = ["europe", "europe/france"];
    assert_eq!(run(Rig::new(records(&lines), records(&lines)), apply()), (Status::Completed, vec![]));
    let partial = || rig().answering("create country france", Answer::Fail);
    assert_eq!(run(partial(), apply()), (Status::Partial, vec!["1 of 2 written".into(), generated(1)]));
    let nothing = partial().answering("delete country x", Answer::Fail);
    assert_eq!(run(nothing, apply()), (Status::Partial, vec![]));
    let ended_early = rig().answering("delete country x", Answer::Fatal);
    assert_eq!(run(ended_early, apply()), (Status::Failed, vec!["1 of 2 written".into(), generated(1)]));
}

#[test]
fn a_target_that_cannot_complete_the_run_fails_it() {
    let rig = rig().answering("sync complete", Answer::Fail).into_shared();
    let events = Arc::new(Recorder::default());
    let report = rig.run_observed(apply(), vec![events.clone()]);
    assert_eq!(error(&report), "the target could not complete the run: the disk is full");
    // It had written before, and said so.
    assert_eq!(ended(&report), "1 created, 1 deleted, 2 unchanged");
    assert!(events.events().contains(&"create: created".to_owned()));
    assert_eq!(steps(&report), Step::ALL);
}

#[test]
fn looking_up_a_record_can_be_overridden() {
    job_with!(Linked {
        fn lookup_object(&self, record: &RecordLookup<'_, Listed, Memory>) -> Option<Url> {
            let mut url = self.generated_lookup_object(record)?;
            url.set_fragment(Some(if record.in_target { "there" } else { "missing" }));
            Some(url)
        }
    });
    let rig = rig().answering("create country france", Answer::Fail).answering("delete country x", Answer::Fail);
    let report = check_measured(Linked { rig: rig.into_shared() });
    let urls: Vec<_> = report.failures().map(|failed| failed.url.unwrap().to_string()).collect();
    assert_eq!(urls, ["https://source/country/france#missing", "https://target/country/x#there"]);
}

#[test]
fn mappings_and_configuration_can_be_overridden_and_built_upon() {
    job_with!(Described {
        fn data_mappings() -> Vec<DataMapping> {
            let mut mappings = Self::generated_data_mappings();
            mappings.retain(|mapping| mapping.model != "place");
            mappings
        }

        fn config_information(&self) -> Vec<ConfigItem> {
            let mut items = self.generated_config_information();
            items.push(ConfigItem { name: "regions".into(), help: String::new(), value: json!(self.rig.source.regions.len()) });
            items
        }
    });
    let report = check_measured(Described { rig: rig().into_shared() });
    let config: Vec<_> = report.config.iter().map(|item| (item.name.as_str(), item.value.clone())).collect();
    assert_eq!(config, [("rig", json!("a rig")), ("regions", json!(1))]);
    let mappings: Vec<_> = Described::data_mappings().into_iter().map(|mapping| mapping.model).collect();
    assert_eq!(mappings, ["city", "country", "region"]);
    let generated = SyncWorlds::data_mappings();
    assert_eq!(
        generated[1],
        DataMapping {
            model: "country".into(),
            description: "A country, which can move to another region.".into(),
            source: "Listed".into(),
            target: "Memory".into(),
            identifiers: vec!["slug".into()],
            attributes: vec!["region".into(), "population".into(), "community".into()],
            parent: Some("region".into()),
        }
    );
}

//! What a target that writes when the run is complete says of single models, and a dry run that tries the plan on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use diffsync_core::adapter::{AdapterError, CompleteContext, Completion, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobSpec, Variable, VariableKind};
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, ModelExt, SyncModel, Table, Target, job};

use crate::fake_target::{Recorder, locked, run_job};
use crate::plan_file::key;

#[derive(SyncModel, Clone)]
struct Site {
    #[sync(id)]
    name: String,
}

#[derive(SyncModel, Clone)]
struct Rack {
    #[sync(id)]
    name: String,
}

#[derive(Dataset, Default)]
struct Network {
    sites: Table<Site>,
    racks: Table<Rack>,
}

/// A site and a rack.
struct Given;

impl Adapter for Given {
    type Data = Network;

    async fn load(&self, data: &mut Network, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.sites.insert(Site { name: "ams".into() });
        data.racks.insert(Rack { name: "r1".into() });
        Ok(())
    }
}

/// What the target says when it completes the run, of sites, racks and all.
type Said = (Option<Completion>, Option<Completion>, Result<(), AdapterError>);

/// Two files that are empty.
#[derive(Clone, Default)]
struct Files(Arc<Mutex<Option<Said>>>, Arc<AtomicUsize>);

impl Files {
    fn say(&self, synced: &CompleteContext<'_, Network>) -> Result<(), AdapterError> {
        let (sites, racks, all) = locked(&self.0).take().unwrap();
        if let Some(completion) = sites {
            synced.settle::<Site>(completion);
        }
        if let Some(completion) = racks {
            synced.settle::<Rack>(completion);
        }
        all
    }
}

impl Variable for Files {
    const KIND: VariableKind = VariableKind::Path;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> serde_json::Value {
        "files".into()
    }
}

impl Adapter for Files {
    type Data = Network;

    const WRITES_AT_COMPLETE: bool = true;

    async fn load(&self, data: &mut Network, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.sites.mark_loaded();
        data.racks.mark_loaded();
        Ok(())
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, Network>) -> Result<(), AdapterError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.say(synced)
    }

    fn rehearses(&self) -> bool {
        true
    }

    async fn rehearse(&self, synced: &CompleteContext<'_, Network>) -> Result<(), AdapterError> {
        self.say(synced)
    }
}

macro_rules! echoes {
    ($($model:ident $patch:ident)*) => {$(
        impl Target<$model> for Files {
            async fn create(&self, new: &$model, _: &WriteContext<'_, Network>) -> Result<$model, TargetError> {
                Ok(new.clone())
            }

            async fn update(&self, old: &$model, patch: &$patch, _: &WriteContext<'_, Network>) -> Result<$model, TargetError> {
                Ok(old.patched(patch))
            }

            async fn delete(&self, _: &$model, _: &WriteContext<'_, Network>) -> Result<(), TargetError> {
                Ok(())
            }
        }
    )*};
}

echoes!(Site SitePatch Rack RackPatch);

#[job(source = Given, target = Files)]
struct ToFiles {
    target: Files,
}

opens!(ToFiles: Given = |_| Given, Files = |job| job.target.clone());

fn given(said: Said, options: RunOptions) -> (RunReport, Files, Vec<String>) {
    let files = Files::default();
    *locked(&files.0) = Some(said);
    let recorder = Arc::new(Recorder::default());
    let report = run_job(ToFiles { target: files.clone() }, options, vec![recorder.clone()]);
    (report, files, recorder.events())
}

#[allow(clippy::unnecessary_wraps, reason = "as a part of what is said of a model")]
fn failed(text: &str) -> Option<Completion> {
    Some(Completion::Failed(AdapterError::new(text)))
}

#[test]
fn one_model_that_fails_does_not_make_the_records_of_the_others_failed() {
    let check = |said: Said, expected: [usize; 4], undo: Option<usize>| {
        let mut options = RunOptions::new(&ToFiles::INFO).apply();
        options.undo = Some(key());
        let (report, ..) = given(said, options);
        let counts = report.counts;
        assert_eq!([counts.created, counts.failed, counts.unknown, counts.not_attempted], expected);
        assert_eq!(report.undo.as_ref().map(diffsync_core::plan_file::UndoPlan::operations), undo);
        report
    };
    let all = || Err(AdapterError::new("the racks could not be written"));
    let report = check((Some(Completion::Written), failed("full"), all()), [1, 1, 0, 0], Some(1));
    assert_eq!(report.status, Status::Failed);
    assert_eq!(report.failures().map(|it| it.reason).collect::<Vec<_>>(), ["full"]);
    check((Some(Completion::NotAttempted), failed("full"), all()), [0, 1, 0, 1], None);
    check((None, failed("full"), all()), [0, 2, 0, 0], None);
    let lost = Some(Completion::Failed(AdapterError::unknown("lost")));
    check((Some(Completion::NotAttempted), lost, all()), [0, 0, 1, 1], Some(0));
    let report = check((None, failed("full"), Ok(())), [1, 1, 0, 0], Some(1));
    assert_eq!(report.status, Status::Partial);
    check((None, None, Ok(())), [2, 0, 0, 0], Some(2));
}

#[test]
fn a_dry_run_tries_its_plan_on_a_target_that_lets_it() {
    let all = Err(AdapterError::new("the racks could not be written"));
    let said = (Some(Completion::NotAttempted), failed("too long"), all);
    let (report, files, heard) = given(said, RunOptions::new(&ToFiles::INFO));
    assert_eq!((report.status, report.counts.failed, report.counts.not_attempted), (Status::Failed, 1, 1));
    assert_eq!(report.failures().map(|it| it.reason).collect::<Vec<_>>(), ["too long"]);
    assert!(report.error_text().unwrap().contains("the racks could not be written"));
    assert_eq!(files.1.load(Ordering::Relaxed), 0, "nothing is completed");
    assert!(!heard.iter().any(|event| event.contains("execute sync") || event.contains("done")), "{heard:?}");

    let (report, files, _) = given((None, None, Ok(())), RunOptions::new(&ToFiles::INFO));
    assert_eq!((report.status, report.counts.not_attempted), (Status::Completed, 2));
    assert_eq!(files.1.load(Ordering::Relaxed), 0);
}

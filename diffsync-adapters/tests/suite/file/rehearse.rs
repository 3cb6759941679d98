//! A dry run finds what a file cannot hold, and one file that fails does not make the records of the others failed.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::job::JobSpec;
use diffsync_core::plan::OutcomeKind;
use diffsync_core::report::{Event, Observer, RunReport, Status, Step};
use diffsync_core::run::RunOptions;
use diffsync_core::{Dataset, Run, SyncModel, Table, job};

use super::{Folders, block_on, run};

#[derive(SyncModel, FileModel, Clone)]
#[file(path = "hosts.yml")]
struct Host {
    #[sync(id)]
    name: String,
    site: Option<String>,
}

#[derive(SyncModel, FileModel, Clone)]
#[file(path = "racks.csv")]
struct Rack {
    #[sync(id)]
    name: String,
    note: Option<String>,
}

#[derive(Dataset, Default)]
struct Inventory {
    hosts: Table<Host>,
    racks: Table<Rack>,
}

#[job(source = Folder<Inventory>, target = Folder<Inventory>)]
struct Copying {
    source: PathBuf,
    target: PathBuf,
}

opens!(Copying: Folder<Inventory> = |job| Folder::new(&job.source), Folder<Inventory> = |job| Folder::new(&job.target));

/// A list in brackets, to which no record can be added.
const FLOW: &str = "[{name: a, site: ams}]\n";
const RACKS: &str = "name,note\nr1,x\n";

/// The new host cannot be added to the target's list, and all else can be written.
fn folders() -> Folders {
    let hosts = "- {name: a, site: ams}\n- {name: b, site: fra}\n";
    Folders::new().with("hosts.yml", hosts, FLOW).with("racks.csv", RACKS, "name,note\n")
}

/// Which records of the report failed, and how many were not attempted.
fn ended(report: &RunReport) -> (Vec<(String, OutcomeKind)>, usize) {
    let failed = report.failures().map(|failure| (failure.record.clone(), failure.outcome)).collect();
    (failed, report.counts.not_attempted)
}

/// Notes whether anything is reported as done.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::RecordDone { .. } => self.0.lock().unwrap().push("a record is done".to_owned()),
            Event::StepStarted(Step::ExecuteSync) => self.0.lock().unwrap().push("the plan is carried out".to_owned()),
            _ => {}
        }
    }
}

fn dry_run(folders: &Folders) -> (RunReport, Vec<String>) {
    let heard = Arc::new(Heard::default());
    let job = Copying { source: folders.source(), target: folders.target() };
    let report = block_on(Run::execute(Arc::new(job), RunOptions::new(&Copying::INFO), vec![heard.clone()]));
    let heard = std::mem::take(&mut *heard.0.lock().unwrap());
    (report, heard)
}

/// All that is in the target's folder.
fn contents(folders: &Folders) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folders.target()).unwrap().map(|entry| entry.unwrap().path());
    let mut contents: Vec<_> = entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    contents.sort();
    contents
}

#[test]
fn a_dry_run_fails_where_the_run_would() {
    let folders = folders();
    let before = contents(&folders);
    let (dry, heard) = dry_run(&folders);
    assert_eq!(contents(&folders), before);
    assert_eq!(heard, Vec::<String>::new(), "nothing is done");
    assert_eq!(dry.status, Status::Failed);
    assert_eq!(ended(&dry), (vec![("b".to_owned(), OutcomeKind::Failed)], 1));
    let error = dry.error_text().unwrap();
    assert!(error.contains("could not apply the plan") && error.contains("hosts.yml"), "{error}");

    let real = run(Copying { source: folders.source(), target: folders.target() });
    assert_eq!(contents(&folders), before);
    assert_eq!((real.status, ended(&real)), (Status::Failed, ended(&dry)));
}

#[test]
fn a_dry_run_fails_for_the_records_that_the_run_would_fail_for() {
    // CSV cannot tell an empty text from none.
    let folders =
        Folders::new().with("hosts.yml", "[]\n", "[]\n").with("racks.csv", "name,note\nr1,x\nr2,y\n", "name,note\n");
    fs::write(folders.source().join("racks.csv"), "name,note\nr1,x\n\"\",y\n").unwrap();
    let (dry, _) = dry_run(&folders);
    let real = run(Copying { source: folders.source(), target: folders.target() });
    let failed = |report: &RunReport| -> Vec<String> {
        report.failures().map(|failure| format!("{}: {:?}", failure.record, failure.outcome)).collect()
    };
    assert_eq!(failed(&dry), failed(&real));
    assert_eq!((dry.status, dry.counts.failed), (real.status, real.counts.failed));
}

#[test]
fn a_dry_run_of_what_can_be_written_is_completed_and_writes_nothing() {
    let folders = folders().with("hosts.yml", "- {name: a, site: fra}\n", "- {name: a, site: ams}\n");
    let before = contents(&folders);
    let (dry, heard) = dry_run(&folders);
    assert_eq!((dry.status, dry.counts.not_attempted, heard.len()), (Status::Completed, 2, 0));
    assert_eq!(contents(&folders), before);
    let real = run(Copying { source: folders.source(), target: folders.target() });
    assert_eq!(real.status, Status::Completed);
}

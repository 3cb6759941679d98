//! A file is replaced as a whole or not at all.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::data::Side;
use diffsync_core::job::JobSpec;
use diffsync_core::model::Flags;
use diffsync_core::report::{Event, Observer, RunReport, Status, Step};
use diffsync_core::run::RunOptions;
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, Run, SyncModel, Table, job};

use super::{Folders, block_on, load, run};

#[derive(SyncModel, FileModel, Clone)]
#[file(path = "racks.csv")]
struct Rack {
    #[sync(id)]
    name: String,
    height: u16,
}

#[derive(SyncModel, FileModel, Clone)]
#[file(path = "logins.json")]
struct Login {
    #[sync(id)]
    name: String,
    password: Secret<String>,
}

#[derive(Dataset, Default)]
struct Inventory {
    racks: Table<Rack>,
    logins: Table<Login>,
}

#[job(source = Folder<Inventory>, target = Folder<Inventory>)]
struct Copying {
    source: PathBuf,
    target: PathBuf,
}

opens!(Copying: Folder<Inventory> = |job| Folder::new(&job.source), Folder<Inventory> = |job| Folder::new(&job.target));

const OLD: &str = "name,height\na,42\n";
const NEW: &str = "name,height\na,47\n";
const NOBODY: &str = "[]\n";

/// Folders with different racks in the target.
fn folders() -> Folders {
    Folders::new().with("racks.csv", NEW, OLD).with("logins.json", NOBODY, NOBODY)
}

fn copy(folders: &Folders) -> RunReport {
    run(Copying { source: folders.source(), target: folders.target() })
}

/// The names in the target's folder.
fn names(folders: &Folders) -> Vec<String> {
    let entries = fs::read_dir(folders.target()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn only_files_that_change_are_written() {
    let folders = folders();
    let number = |name| fs::metadata(folders.target().join(name)).unwrap().ino();
    let before = (number("racks.csv"), number("logins.json"));
    assert_eq!(copy(&folders).status, Status::Completed);
    assert_eq!(folders.read("racks.csv"), NEW);
    assert!(number("racks.csv") != before.0 && number("logins.json") == before.1);
    let before = number("racks.csv");
    assert_eq!(copy(&folders).status, Status::Completed);
    assert_eq!(number("racks.csv"), before);
}

#[test]
fn the_permissions_of_a_file_stay() {
    let folders = folders();
    fs::set_permissions(folders.target().join("racks.csv"), fs::Permissions::from_mode(0o604)).unwrap();
    copy(&folders);
    assert_eq!(fs::metadata(folders.target().join("racks.csv")).unwrap().permissions().mode() & 0o777, 0o604);
}

#[test]
fn a_new_file_with_secrets_is_for_its_owner_only() {
    let folders = folders().with("logins.json", r#"[{"name": "admin", "password": "hunter2"}]"#, "");
    fs::remove_file(folders.target().join("logins.json")).unwrap();
    fs::remove_file(folders.target().join("racks.csv")).unwrap();
    assert_eq!(copy(&folders).status, Status::Completed);
    let mode = |name| fs::metadata(folders.target().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("logins.json"), 0o600);
    assert_ne!(mode("racks.csv"), 0o600, "a file without secrets is as the user's mask says");
    assert!(folders.read("logins.json").contains("hunter2"));
}

#[test]
fn a_file_that_is_not_there_is_made_even_if_it_is_empty() {
    let folders = folders();
    fs::remove_file(folders.target().join("logins.json")).unwrap();
    assert_eq!(copy(&folders).status, Status::Completed);
    assert_eq!(folders.read("logins.json"), NOBODY);
    assert!(load::<Inventory>(&folders.target(), Side::Source).is_ok());
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let folders = folders();
    let (link, elsewhere) = (folders.target().join("racks.csv"), folders.source().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(&link, elsewhere.join("real.csv")).unwrap();
    symlink(elsewhere.join("real.csv"), &link).unwrap();
    assert_eq!(copy(&folders).status, Status::Completed);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(elsewhere.join("real.csv")).unwrap(), NEW);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
    struct Meanwhile(PathBuf);
    impl Observer for Meanwhile {
        fn observe(&self, event: &Event<'_>) {
            if matches!(event, Event::StepStarted(Step::ExecuteSync)) {
                fs::write(&self.0, "name,height\na,42\nb,1\n").unwrap();
            }
        }
    }
    let folders = folders();
    let job = Copying { source: folders.source(), target: folders.target() };
    let options = RunOptions::new(&Copying::INFO).apply();
    let meanwhile = Arc::new(Meanwhile(folders.target().join("racks.csv")));
    let report = block_on(Run::execute(Arc::new(job), options, vec![meanwhile]));
    let error = report.error_text().unwrap();
    assert!(error.contains("somebody else changed it since it was loaded"), "{error}");
    assert_eq!(folders.read("racks.csv"), "name,height\na,42\nb,1\n");
    assert_eq!((report.counts.updated, report.counts.failed), (0, 1));
}

/// A process that adds the source's records to the target's.
fn adding(folders: &Folders, source: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "file::replace::adding_child", "--ignored", "--nocapture"]);
    command.env("SOURCE", folders.0.path().join(source)).env("TARGET", folders.target());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
#[ignore = "run by the tests of two runs at once"]
fn adding_child() {
    let folder = |side| PathBuf::from(std::env::var_os(side).unwrap());
    let mut options = RunOptions::new(&Copying::INFO).apply();
    options.flags |= Flags::SKIP_UNMATCHED_DST;
    let job = Copying { source: folder("SOURCE"), target: folder("TARGET") };
    let report = block_on(Run::execute(Arc::new(job), options, Vec::new()));
    println!("{:?}: {}", report.status, report.error_text().unwrap_or_default());
}

#[test]
fn two_runs_at_once_lose_nothing() {
    let rows = |name: &str| (0..300).map(|number| format!("{name}-{number},42\n")).collect::<Vec<_>>().concat();
    let mut refused = 0;
    for attempt in 0..20 {
        let folders = Folders::new().with("logins.json", NOBODY, NOBODY);
        let runs = ["one", "other"].map(|name| {
            let source = folders.0.path().join(name);
            fs::create_dir(&source).unwrap();
            fs::write(source.join("racks.csv"), format!("name,height\n{}", rows(name))).unwrap();
            fs::write(source.join("logins.json"), NOBODY).unwrap();
            name
        });
        // In every other attempt the file is not there yet, so that there is nothing to be locked.
        if attempt % 2 == 0 {
            fs::write(folders.target().join("racks.csv"), format!("name,height\n{}", rows("old"))).unwrap();
        }
        let ended = runs.map(|name| (name, adding(&folders, name)));
        let ended = ended.map(|(name, child)| (name, child.wait_with_output().unwrap()));

        let mut completed = 0;
        for (name, output) in ended {
            let output_text = String::from_utf8_lossy(&output.stdout);
            let is_there = folders.read("racks.csv").contains(&rows(name));
            if output_text.contains("Completed: ") {
                assert!(is_there, "{name} ended with success, and its records are gone");
                completed += 1;
            } else {
                let why = ["another run is writing it", "somebody else changed it since it was loaded"];
                assert!(
                    output_text.contains("Failed: ") && why.iter().any(|why| output_text.contains(why)),
                    "{output_text}"
                );
                assert!(!is_there, "{name} failed, and wrote its records");
                refused += 1;
            }
        }
        assert!(completed > 0, "one of the two is done");
        assert_eq!(folders.read("racks.csv").contains(&rows("old")), attempt % 2 == 0);
        assert_eq!(names(&folders), ["logins.json", "racks.csv"], "nothing is left behind");
    }
    println!("{refused} of 40 runs were refused");
}

#[test]
fn a_file_that_another_run_is_writing_is_not_loaded_to_be_written() {
    let folders = folders();
    let file = File::open(folders.target().join("racks.csv")).unwrap();
    file.lock().unwrap();
    let report = copy(&folders);
    assert_eq!(report.status, Status::Failed);
    let error = report.error_text().unwrap();
    let expected = format!("another run is writing it (process {}", std::process::id());
    assert!(error.contains(&expected) && error.contains("run again when that has ended"), "{error}");

    // A dry run writes nothing, so it need not wait.
    let job = Copying { source: folders.source(), target: folders.target() };
    let report = block_on(Run::execute(Arc::new(job), RunOptions::new(&Copying::INFO), Vec::new()));
    assert_eq!(report.status, Status::Completed);

    drop(file);
    assert_eq!(copy(&folders).status, Status::Completed);
}

#[test]
fn two_adapters_of_one_process_are_two_runs_and_one_that_is_dropped_holds_nothing() {
    /// Runs the job a second time while the first run has its target loaded.
    struct Second(PathBuf, PathBuf, Mutex<Option<RunReport>>);
    impl Observer for Second {
        fn observe(&self, event: &Event<'_>) {
            if matches!(event, Event::StepStarted(Step::ExecuteSync)) {
                let (source, target) = (self.0.clone(), self.1.clone());
                let report = std::thread::spawn(|| run(Copying { source, target })).join().unwrap();
                *self.2.lock().unwrap() = Some(report);
            }
        }
    }
    let folders = folders();
    let job = Copying { source: folders.source(), target: folders.target() };
    let second = Arc::new(Second(folders.source(), folders.target(), Mutex::default()));
    let options = RunOptions::new(&Copying::INFO).apply();
    let first = block_on(Run::execute(Arc::new(job), options, vec![second.clone()]));
    assert_eq!((first.status, first.counts.updated), (Status::Completed, 1));
    let second = second.2.lock().unwrap().take().unwrap();
    let error = second.error_text().unwrap();
    assert!(error.contains(&format!("another run is writing it (process {}", std::process::id())), "{error}");

    // A run that ends before it writes has its adapters dropped.
    fs::write(folders.source().join("racks.csv"), "name\n").unwrap();
    assert_eq!(copy(&folders).status, Status::Failed);
    for name in ["racks.csv", "logins.json"] {
        assert!(File::open(folders.target().join(name)).unwrap().try_lock().is_ok(), "{name} is still locked");
    }
}

/// Runs the job in a process of its own that may write files of no more than a thousand bytes or so.
fn copy_with_a_full_disk(folders: &Folders, before: &str) -> std::process::Output {
    let binary = std::env::current_exe().unwrap();
    let script =
        format!("{before} ulimit -f 1; exec '{}' --exact file::replace::child --ignored --nocapture", binary.display());
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).env("SOURCE", folders.source()).env("TARGET", folders.target());
    command.output().unwrap()
}

#[test]
#[ignore = "run by the tests of full disks"]
fn child() {
    let folder = |side| PathBuf::from(std::env::var_os(side).unwrap());
    let report = run(Copying { source: folder("SOURCE"), target: folder("TARGET") });
    println!("{:?}: {}", report.status, report.error_text().unwrap_or_default());
}

/// Racks that are too large for the limit.
fn large() -> String {
    let rows = (0..10_000).map(|number| format!("rack-{number},42\n"));
    format!("name,height\n{}", rows.collect::<String>())
}

#[test]
fn on_a_full_disk_the_old_file_stays() {
    let folders = Folders::new().with("racks.csv", &large(), OLD).with("logins.json", NOBODY, NOBODY);
    let output = copy_with_a_full_disk(&folders, "trap '' XFSZ;");
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(output_text.contains("Failed: ") && output_text.contains("cannot write `"), "{output_text}");
    assert_eq!(folders.read("racks.csv"), OLD);
    assert_eq!(names(&folders), ["logins.json", "racks.csv"], "nothing is left behind");
}

#[test]
fn if_one_file_cannot_be_written_none_is_replaced() {
    let logins = format!(r#"[{{"name": "admin", "password": "{}"}}]"#, "x".repeat(10_000));
    let folders = folders().with("logins.json", &logins, NOBODY);
    let output = copy_with_a_full_disk(&folders, "trap '' XFSZ;");
    let output_text = String::from_utf8_lossy(&output.stdout);
    let (start, file) = ("Failed: ", folders.target().join("logins.json"));
    assert!(
        output_text.contains(start) && output_text.contains(&format!("cannot write `{}`", file.display())),
        "{output_text}"
    );
    assert_eq!((folders.read("racks.csv"), folders.read("logins.json")), (OLD.to_owned(), NOBODY.to_owned()));
    assert_eq!(names(&folders), ["logins.json", "racks.csv"], "nothing is left behind");
}

#[test]
fn if_the_process_is_killed_while_it_writes_the_old_file_stays() {
    /// What kills a process that writes a larger file than it may.
    const SIGXFSZ: i32 = 25;
    let folders = Folders::new().with("racks.csv", &large(), OLD).with("logins.json", NOBODY, NOBODY);
    let output = copy_with_a_full_disk(&folders, "");
    assert_eq!(output.status.signal(), Some(SIGXFSZ), "{output:?}");
    assert_eq!(folders.read("racks.csv"), OLD);

    assert_eq!(names(&folders).len(), 3, "a temporary file is left");
    assert_eq!(copy(&folders).status, Status::Completed);
    assert_eq!(names(&folders), ["logins.json", "racks.csv"], "the next run removes it");
}

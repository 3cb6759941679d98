//! Exact preservation of nested keys, numbers, line breaks, comments and quotation marks.

mod line_ends;
pub(super) mod nested;
mod numbers;
mod random;
mod yaml;

use std::fs;

use diffsync_core::Job;
use diffsync_core::job::JobSpec;
use diffsync_core::report::{RunReport, Status};

use super::{Folders, run};

/// A data set of one model that is kept in a file of two folders, and a job between them.
macro_rules! model {
    ($module:ident, $file:literal $(, $($key:ident = $value:literal),*)? { $($fields:tt)* }) => {
        mod $module {
            #[allow(unused_imports, reason = "not every model has fields of these types")]
            use super::*;
            use diffsync_adapters::file::{FileModel, Folder};
            use diffsync_core::{Dataset, SyncModel, Table, job};
            use std::path::PathBuf;

            #[derive(SyncModel, FileModel, Clone, Debug)]
            #[file(path = $file $(, $($key = $value),*)?)]
            pub(super) struct Device {
                #[sync(id)]
                pub(super) name: String,
                $($fields)*
            }

            #[derive(Dataset, Default, Debug)]
            pub(super) struct Devices {
                pub(super) devices: Table<Device>,
            }

            #[job(source = Folder<Devices>, target = Folder<Devices>)]
            pub(super) struct Copy {
                pub(super) source: PathBuf,
                pub(super) target: PathBuf,
            }

            opens!(
                Copy: Folder<Devices> = |job| Folder::new(&job.source),
                Folder<Devices> = |job| Folder::new(&job.target)
            );

            /// What becomes of the target's file if the source's is that, which takes one run.
            #[allow(dead_code, reason = "not used for every model")]
            #[track_caller]
            pub(super) fn check(source: &str, target: &str, expected: &str) {
                let copy = |folders: &$crate::file::Folders| Copy { source: folders.source(), target: folders.target() };
                $crate::file::kept::check($file, source, target, expected, copy);
            }

            /// Why the target's file cannot be brought in line with the source's, and stays as it is.
            #[allow(dead_code, reason = "not used for every model")]
            #[track_caller]
            pub(super) fn refused(source: &str, target: &str) -> String {
                let copy = |folders: &$crate::file::Folders| Copy { source: folders.source(), target: folders.target() };
                $crate::file::kept::refused($file, source, target, copy)
            }
        }
    };
}
pub(crate) use model;

#[track_caller]
fn check<J: Job + JobSpec>(file: &str, source: &str, target: &str, expected: &str, job: impl Fn(&Folders) -> J) {
    let folders = Folders::new().with(file, source, target);
    let report = run(job(&folders));
    assert_eq!(report.status, Status::Completed, "{:?} {:?}", report.error_text(), problems(&report));
    assert_eq!(folders.read(file), expected, "got:\n{}\nexpected:\n{expected}", folders.read(file));
    let again = run(job(&folders));
    assert_eq!((again.status, again.counts.updated, again.counts.created), (Status::Completed, 0, 0));
}

#[track_caller]
fn refused<J: Job + JobSpec>(file: &str, source: &str, target: &str, job: impl Fn(&Folders) -> J) -> String {
    let folders = Folders::new().with(file, source, target);
    let report = run(job(&folders));
    assert_ne!(report.status, Status::Completed, "{}", folders.read(file));
    assert_eq!(fs::read_to_string(folders.target().join(file)).unwrap(), target);
    // A record that cannot be read is a problem, which the error only counts.
    let messages = report.error_text().into_iter().chain(report.problems().iter().map(ToString::to_string));
    let error = match messages.collect::<Vec<_>>() {
        messages if messages.is_empty() => problems(&report),
        messages => messages.join("; "),
    };
    error.replace(&format!("{}/", folders.0.path().display()), "")
}

fn problems(report: &RunReport) -> String {
    format!("{:?} {:?}", report.problems(), report.failures().collect::<Vec<_>>())
}

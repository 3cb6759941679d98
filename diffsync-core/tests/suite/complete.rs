//! Targets that write only when the run is complete, as a file.

use std::sync::{Arc, Mutex};

use diffsync_core::adapter::{AdapterError, CompleteContext, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobSpec, Variable, VariableKind};
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, ModelExt, SyncModel, Table, Target, job};

use crate::fake_target::{Recorder, ended, failures, locked, run_job};
use crate::plan_file::key;

/// A line of a file.
#[derive(SyncModel, Clone)]
struct Line {
    #[sync(id)]
    number: u32,
    text: String,
}

#[derive(Dataset, Default)]
struct Lines {
    lines: Table<Line>,
}

/// A file of lines.
#[derive(Clone, Default)]
struct File(Arc<FileState>);

#[derive(Default)]
struct FileState {
    lines: Mutex<Vec<(u32, String)>>,
    /// The number of the line that it refuses.
    refused: Option<u32>,
    /// The number of a line that its loader cannot read.
    unreadable: Option<u32>,
    /// Whether it forgets what an update changes.
    forgetful: bool,
    full: bool,
    /// Whether it is written without an answer.
    silent: bool,
}

impl File {
    fn new(lines: &[(u32, &str)]) -> Self {
        Self::with(lines, FileState::default())
    }

    fn with(lines: &[(u32, &str)], state: FileState) -> Self {
        *locked(&state.lines) = lines.iter().map(|&(number, text)| (number, text.to_owned())).collect();
        Self(Arc::new(state))
    }
}

impl Variable for File {
    const KIND: VariableKind = VariableKind::Path;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> serde_json::Value {
        "a file".into()
    }
}

impl Adapter for File {
    type Data = Lines;

    const WRITES_AT_COMPLETE: bool = true;

    async fn load(&self, data: &mut Lines, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.lines
            .extend(locked(&self.0.lines).iter().map(|(number, text)| Line { number: *number, text: text.clone() }));
        if let Some(number) = self.0.unreadable {
            data.lines.reject(LineId::new(number), "it has no text");
        }
        Ok(())
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, Lines>) -> Result<(), AdapterError> {
        if self.0.full {
            return Err(AdapterError::context("cannot write the file", std::io::Error::other("the disk is full")));
        }
        *locked(&self.0.lines) = synced.records::<Line>().map(|line| (line.number, line.text.clone())).collect();
        if self.0.silent {
            return Err(AdapterError::unknown("the answer was lost"));
        }
        Ok(())
    }
}

impl Target<Line> for File {
    async fn create(&self, new: &Line, _: &WriteContext<'_, Lines>) -> Result<Line, TargetError> {
        if self.0.refused == Some(new.number) {
            return Err(TargetError::new("it is too long"));
        }
        Ok(new.clone())
    }

    async fn update(&self, old: &Line, patch: &LinePatch, _: &WriteContext<'_, Lines>) -> Result<Line, TargetError> {
        if self.0.forgetful {
            return Ok(old.clone());
        }
        Ok(old.patched(patch))
    }

    async fn delete(&self, _: &Line, _: &WriteContext<'_, Lines>) -> Result<(), TargetError> {
        Ok(())
    }
}

/// Copies a file's lines.
#[job(source = File, target = File)]
struct CopyFile {
    from: File,
    to: File,
}

opens!(CopyFile: File = |job| job.from.clone(), File = |job| job.to.clone());

/// Copies the lines, and expects the file to hold these then. Gives the report and the events about single records and
/// the end of the last step.
#[track_caller]
fn copy(from: &[(u32, &str)], to: &File, expected: &[(u32, &str)]) -> (RunReport, Vec<String>) {
    let mut options = RunOptions::new(&CopyFile::INFO).apply();
    options.max_rejected = 1.0;
    options.undo = Some(key());
    let recorder = Arc::new(Recorder::default());
    let report = run_job(CopyFile { from: File::new(from), to: to.clone() }, options, vec![recorder.clone()]);
    let lines = locked(&to.0.lines).clone();
    let lines: Vec<_> = lines.iter().map(|(number, text)| (*number, text.as_str())).collect();
    assert_eq!(lines, expected);
    assert_eq!(report.counts.records(), report.summary().unwrap().total.records());
    let mut events = recorder.events();
    events.retain(|event| !event.starts_with("execute sync: ") && !event.contains("started"));
    let begin = events.iter().position(|event| event.ends_with("operations")).unwrap();
    (report, events.split_off(begin + 1))
}

#[test]
fn a_file_is_written_from_what_the_target_holds_now() {
    let file = File::new(&[(3, "three"), (1, "one"), (2, "too"), (9, "nine")]);
    let (report, events) = copy(
        &[(1, "one"), (2, "two"), (3, "three"), (5, "five"), (4, "four")],
        &file,
        &[(3, "three"), (1, "one"), (2, "two"), (5, "five"), (4, "four")],
    );
    assert_eq!(ended(&report), "2 created, 1 updated, 1 deleted, 2 unchanged");
    let expected = [
        "create: created",
        "create: created",
        "update: updated",
        "delete: deleted",
        "execute sync finished",
        "copy-file completed",
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_file_that_cannot_be_written_makes_all_that_seemed_written_failed() {
    let file =
        File::with(&[(1, "won"), (9, "nine")], FileState { full: true, refused: Some(3), ..FileState::default() });
    let (report, events) = copy(&[(1, "one"), (2, "two"), (3, "three")], &file, &[(1, "won"), (9, "nine")]);
    assert_eq!(report.status, Status::Failed);
    let said = "cannot write the file: the disk is full";
    assert_eq!(report.error_text().unwrap(), format!("the target could not complete the run: {said}"));
    assert_eq!(
        failures(&report),
        [
            format!("create line 2 failed: {said}"),
            "create line 3 failed: it is too long".to_owned(),
            format!("update line 1 failed: {said}"),
            format!("delete line 9 failed: {said}"),
        ]
    );
    assert_eq!(ended(&report), "4 failed");
    // None was announced as written.
    let failed = ["create: failed", "create: failed", "update: failed", "delete: failed"];
    assert_eq!(events, [&failed[..], &["execute sync finished", "copy-file failed"]].concat());
}

#[test]
fn a_file_that_was_perhaps_written_leaves_unknown_what_became_of_its_lines() {
    let before = [(1, "won"), (9, "nine")];
    let file = File::with(&before, FileState { silent: true, refused: Some(3), ..FileState::default() });
    let (report, events) = copy(&[(1, "one"), (2, "two"), (3, "three")], &file, &[(1, "one"), (2, "two")]);
    assert_eq!((report.status, ended(&report).as_str()), (Status::Failed, "1 failed, 3 unknown"));
    let said = "the answer was lost";
    assert_eq!(report.error_text().unwrap(), format!("the target could not complete the run: {said}"));
    assert_eq!(
        failures(&report),
        [
            format!("create line 2 unknown: {said}"),
            "create line 3 failed: it is too long".to_owned(),
            format!("update line 1 unknown: {said}"),
            format!("delete line 9 unknown: {said}"),
        ]
    );
    let unknown = ["create: unknown", "create: failed", "update: unknown", "delete: unknown"];
    assert_eq!(events, [&unknown[..], &["execute sync finished", "copy-file failed"]].concat());
    // What takes the run back says so too, and does nothing.
    let undo = report.undo.unwrap();
    let lost: Vec<_> = undo.unrestorable.iter().map(ToString::to_string).collect();
    let expected = [
        "line 2: it is unknown whether it was created",
        "line 1: it is unknown whether it was updated",
        "line 9: it is unknown whether it was deleted",
    ];
    assert_eq!((undo.operations(), lost.as_slice()), (0, &expected.map(str::to_owned)[..]));
}

#[test]
fn a_file_is_not_written_if_nothing_was_changed() {
    let file = File::with(&[(1, "one")], FileState { full: true, refused: Some(2), ..FileState::default() });
    let (report, events) = copy(&[(1, "one"), (2, "two")], &file, &[(1, "one")]);
    assert_eq!((report.status, ended(&report).as_str()), (Status::Partial, "1 unchanged, 1 failed"));
    assert_eq!(events, ["create: failed", "execute sync finished", "copy-file partial"]);
}

#[test]
fn a_file_keeps_the_lines_that_cannot_be_used() {
    let file = File::new(&[(1, "one"), (2, "two"), (1, "uno")]);
    let (report, _) =
        copy(&[(1, "ein"), (2, "zwei"), (3, "drei")], &file, &[(1, "one"), (2, "zwei"), (1, "uno"), (3, "drei")]);
    assert_eq!((report.status, ended(&report).as_str()), (Status::Partial, "1 created, 1 updated, 1 rejected"));
}

#[test]
fn a_file_whose_line_could_not_be_loaded_is_not_written_since_that_would_lose_it() {
    for unreadable in [2, 7] {
        let file = File::with(&[(1, "won")], FileState { unreadable: Some(unreadable), ..FileState::default() });
        let (from, before) = ([(1, "one"), (2, "two")], [(1, "won")]);
        let mut options = RunOptions::new(&CopyFile::INFO).apply();
        options.max_rejected = 1.0;
        let report = run_job(CopyFile { from: File::new(&from), to: file.clone() }, options, Vec::new());
        assert_eq!(report.status, Status::Refused);
        let said = "the target is written as a whole, and 1 of its line records could not be loaded: writing it would lose them; fix them in the target first";
        assert_eq!(report.error_text().unwrap(), said);
        assert_eq!(*locked(&file.0.lines), before.map(|(number, text)| (number, text.to_owned())));
    }
}

#[test]
fn a_target_that_does_not_keep_what_it_is_given_is_found_out() {
    let file = File::with(&[(1, "won"), (2, "two")], FileState { forgetful: true, ..FileState::default() });
    let (report, _) = copy(&[(1, "one"), (2, "two")], &file, &[(1, "won"), (2, "two")]);
    assert_eq!(report.status, Status::Partial);
    let problems: Vec<_> = report.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["target: line \"1\" was stored with another value than it was given: text"]);
}

//! The file for a run's undo plan.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ArgMatches;
use diffsync_core::job::{JobInfo, VariableValues};
use diffsync_core::plan_file::{PlanHeader, PlanKey, PlanKind, Signature, UndoLog, UndoSink};
use diffsync_core::report::{Event, Observer, RunReport};
use diffsync_core::run::RunOptions;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::key;
use crate::plan_file::{NewPlan, keep};
use crate::profile::Selected;
use crate::signature::signature;

/// The file for the undo plan, opened before the run, so that no run begins that could not be undone.
pub(crate) struct UndoFile {
    path: PathBuf,
    file: NewPlan,
    key: PlanKey,
    made: Signature,
    log: Option<Arc<Log>>,
}

impl UndoFile {
    /// The file, if `--undo-file` was given.
    pub(crate) fn wanted(matches: &ArgMatches) -> Result<Option<Self>, String> {
        let Some(path) = matches.get_one::<PathBuf>("undo-file") else { return Ok(None) };
        keep(path)?;
        let file = NewPlan::begin(path)?;
        let (key, made) = (key::made(matches)?, signature(matches));
        Ok(Some(Self { path: path.clone(), file, key, made, log: None }))
    }

    /// Makes a run with these options write the file as it proceeds. The returned observer must be given to the run.
    pub(crate) fn follow(
        &mut self,
        selected: &Selected<'_>,
        options: &mut RunOptions,
        values: &VariableValues,
        program: &str,
    ) -> Arc<dyn Observer> {
        options.undo = Some(self.key.clone());
        let log = Arc::new(Log {
            path: self.path.clone(),
            job: selected.job.info(),
            profile: selected.profile_name().map(str::to_owned),
            options: options.clone(),
            variables: values.to_save(selected.job.variables()),
            made: self.made.clone(),
            program: program.to_owned(),
            head: Mutex::default(),
            file: Mutex::default(),
        });
        options.undo_log = Some(UndoLog::new(Arc::clone(&log) as Arc<dyn UndoSink>));
        self.log = Some(Arc::clone(&log));
        log
    }

    /// Writes the undo plan of the whole run, if it did anything, and adds the next step to the report.
    pub(crate) fn write(self, report: &RunReport, closing: &mut Vec<String>) -> Result<(), String> {
        let path = self.path.display();
        let is_begun = self.log.as_ref().is_some_and(|log| log.is_begun());
        let is_empty = report.undo.as_ref().is_none_or(|undo| undo.operations() == 0 && undo.unrestorable.is_empty());
        let head = self.log.as_ref().and_then(|log| log.head());

        // A file that was begun is replaced even if the run undid all of its writes itself.
        let (Some(undo), Some(head), true) = (&report.undo, head, is_begun || !is_empty) else {
            closing.push(format!("nothing to undo: `{path}` was not written"));
            return Ok(());
        };
        self.file.write(|out| undo.write(&head, out)).map_err(|error: io::Error| {
            let begun = if is_begun {
                "; what was written of it during the run is kept, and may lack the last writes"
            } else {
                ""
            };
            format!("the undo plan cannot be written to `{path}`: {error}{begun}")
        })?;
        closing.push(format!("undo it with `apply {path}`"));
        Ok(())
    }
}

/// The undo plan during the run.
struct Log {
    path: PathBuf,
    job: &'static JobInfo,
    profile: Option<String>,
    options: RunOptions,
    variables: Vec<(String, Vec<String>)>,
    made: Signature,
    program: String,
    /// Known once the diff is.
    head: Mutex<Option<PlanHeader>>,
    /// Opened with the first record that is written, so that a run that writes nothing leaves an older file alone.
    file: Mutex<Option<File>>,
}

impl Log {
    fn head(&self) -> Option<PlanHeader> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_begun(&self) -> bool {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Writes a file with only the header, and opens it to append to it.
    fn begin(&self) -> io::Result<File> {
        let head = self.head().ok_or_else(|| io::Error::other("the diff is not known"))?;
        let head = self.packed(&UndoLog::header(&head)?)?;
        let new = NewPlan::begin(&self.path).map_err(io::Error::other)?;
        new.write_raw(&head)?;
        OpenOptions::new().append(true).open(&self.path)
    }

    /// Lines as they are stored: a compressed file is a sequence of independent parts, so that it can be appended to.
    fn packed(&self, lines: &[u8]) -> io::Result<Vec<u8>> {
        if !is_compressed(&self.path) {
            return Ok(lines.to_vec());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(lines)?;
        encoder.finish()
    }
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

impl UndoSink for Log {
    fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *file {
            Some(file) => file,
            none => none.insert(self.begin()?),
        };
        let lines = self.packed(lines)?;

        let whole = file.metadata()?.len();
        let written = file.write_all(&lines);
        if written.is_err() {
            // A partial line, as left by a full disk, would make the lines before it unreadable.
            file.set_len(whole)?;
        }
        written
    }
}

impl Observer for Log {
    fn observe(&self, event: &Event<'_>) {
        if let Event::DiffReady(plan) = event {
            let (variables, made) = (self.variables.clone(), self.made.clone());
            let mut head = self.options.plan_header(self.job, PlanKind::Undo, variables, made, &***plan);
            head.program.clone_from(&self.program);
            head.profile.clone_from(&self.profile);
            *self.head.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
        }
    }
}

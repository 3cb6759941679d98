//! The file with which a run can be taken back.

use std::io;
use std::path::PathBuf;

use clap::ArgMatches;
use diffsync_core::{JobEntry, PlanKey, PlanKind, RunOptions, RunReport, Signature, VariableValues};

use crate::key;
use crate::plan_file::{NewPlan, keep};
use crate::signature::signature;

/// A file that a run is to leave behind, begun before the run, so that none is done that could not be taken back.
pub(crate) struct UndoFile {
    path: PathBuf,
    file: NewPlan,
    key: PlanKey,
    made: Signature,
}

impl UndoFile {
    /// The file, if one is asked for.
    pub(crate) fn wanted(matches: &ArgMatches) -> Result<Option<Self>, String> {
        let Some(path) = matches.get_one::<PathBuf>("undo-file") else { return Ok(None) };
        keep(path)?;
        let file = NewPlan::begin(path)?;
        Ok(Some(Self { path: path.clone(), file, key: key::made(matches)?, made: signature(matches) }))
    }

    pub(crate) fn key(&self) -> PlanKey {
        self.key.clone()
    }

    /// Writes what takes back the run, if it did anything, and says what comes next.
    pub(crate) fn write(
        self,
        job: &JobEntry,
        options: &RunOptions,
        values: &VariableValues,
        program: &str,
        report: &RunReport,
        closing: &mut Vec<String>,
    ) -> Result<(), String> {
        let path = self.path.display();
        let undo = report.undo.as_ref().filter(|undo| undo.operations() > 0 || !undo.lost.is_empty());
        let (Some(undo), Some(plan)) = (undo, report.plan()) else {
            closing.push(format!("there is nothing to take back, and `{path}` was not written"));
            return Ok(());
        };
        let variables = values.to_save(job.variables());
        let mut head = options.plan_head(job.info(), PlanKind::Undo, variables, self.made, plan);
        program.clone_into(&mut head.program);
        let written = self.file.write(|out| undo.write(&head, out));
        written
            .map_err(|error: io::Error| format!("what takes the run back cannot be written to `{path}`: {error}"))?;
        closing.push(format!("take it back with `apply {path}`"));
        Ok(())
    }
}

//! Saves plans of runs, and carries them out.

mod carried_out;
mod drift;
mod file;
mod hook;
mod log;
mod models;
mod nets;
mod random;
mod undo;
mod undo_left_out;
mod undo_lost;
mod values;

use std::sync::Arc;

use diffsync_core::apply::write_plan;
use diffsync_core::plan_file::{ApplyRequest, DriftPolicy, PlanFileError, PlanKey, PlanKind, SavedPlan, Signature};
use diffsync_core::report::RunReport;
use diffsync_core::run::RunOptions;

use crate::fake_target::{Rig, Shared, SyncWorlds, apply, dry_run};
use crate::world::Records;
use diffsync_core::job::JobSpec;

/// The key with which the tests seal secrets.
pub(crate) fn key() -> PlanKey {
    PlanKey::new(b"0123456789abcdef").unwrap()
}

pub(crate) fn signature(by: &str) -> Signature {
    Signature { by: by.into(), at: "2026-11-22T17:13:37Z".into() }
}

/// The plan of a run as a file.
pub(crate) fn saved<J: JobSpec>(report: &RunReport, options: &RunOptions) -> String {
    let plan = report.plan().unwrap();
    let variables = vec![("file".to_owned(), vec!["countries.json".to_owned()])];
    let header = options.plan_header(&J::INFO, PlanKind::Sync, variables, signature("ada"), plan);
    let mut text = Vec::new();
    write_plan(plan, &header, &key(), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// What takes back a run as a file.
pub(crate) fn inverse<J: JobSpec>(report: &RunReport, options: &RunOptions) -> String {
    let header = options.plan_header(&J::INFO, PlanKind::Undo, Vec::new(), signature("ada"), report.plan().unwrap());
    let mut text = Vec::new();
    report.undo.as_ref().unwrap().write(&header, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

pub(crate) fn read(text: &str) -> Result<SavedPlan, PlanFileError> {
    SavedPlan::read(&mut text.as_bytes())
}

/// These options for a run that carries out a plan.
pub(crate) fn apply_plan(options: RunOptions, text: &str, policy: DriftPolicy) -> RunOptions {
    let plan = Arc::new(read(text).unwrap());
    options.apply_plan(ApplyRequest { plan, key: key(), policy }).unwrap()
}

/// The plan that brings one world in line with another.
pub(crate) fn plan(source: &Records, target: &Records) -> String {
    plan_of(Rig::new(source.clone(), target.clone()), &dry_run())
}

pub(crate) fn plan_of(rig: Rig, options: &RunOptions) -> String {
    let (report, _) = rig.run(options.clone());
    saved::<SyncWorlds>(&report, options)
}

/// Carries a plan out on what the two sides hold now.
pub(crate) fn carry_out(text: &str, rig: Rig, policy: DriftPolicy) -> (RunReport, Shared) {
    rig.run(apply_plan(apply(), text, policy))
}

/// Options of a run that can be taken back.
pub(crate) fn undoable() -> RunOptions {
    let mut options = apply();
    options.undo = Some(key());
    options
}

/// What was found to be different.
pub(crate) fn drift(report: &RunReport) -> Vec<String> {
    report.drift.iter().map(ToString::to_string).collect()
}

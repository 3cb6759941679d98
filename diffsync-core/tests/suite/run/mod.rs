//! Runs: the four measured steps, the hooks around them, and what is reported.

mod hooks;
mod lock;
mod report;
mod steps;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diffsync_core::adapter::{AdapterError, CompleteContext, LoadContext};
use diffsync_core::apply::LoadedSides;
use diffsync_core::data::Side;
use diffsync_core::job::{DataMapping, JobContext, JobError, JobSpec, RecordLookup};
use diffsync_core::report::{ConfigItem, RunError, RunReport, Status, Step, TracingObserver};
use diffsync_core::run::{RunOptions, WritePermit};
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Job, Plan, Run, job};
use serde_json::{Value, json};

use crate::fake_target::{
    Answer, Listed, Memory, Recorder, Rig, Shared, SyncWorlds, apply, dry_run, ended, failures, job_with, locked,
    run_job,
};
use crate::world::{Records, World, records};

/// A world to be created, of which one country is there and one too many.
fn rig() -> Rig {
    Rig::new(records(&["europe", "europe/france", "europe/spain"]), records(&["europe", "europe/spain", "europe/x"]))
}

fn steps(report: &RunReport) -> Vec<Step> {
    report.steps.iter().map(|step| step.step).collect()
}

fn error(report: &RunReport) -> String {
    assert_eq!(report.status, Status::Failed, "{report:?}");
    report.error_text().unwrap()
}

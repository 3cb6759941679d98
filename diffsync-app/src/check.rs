//! `check JOB`: whether both systems of a job can be used, before anything is loaded from them.

use std::fmt::Write;

use clap::ArgMatches;
use diffsync_core::JobRegistry;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::job::JobInfo;
use serde::Serialize;

use crate::command::{variable_values, wants_json};
use crate::exit::Exit;
use crate::run::{prepare, runtime};
use crate::terminal::{self, indented, one_line};

/// What was found at both systems of a job.
#[derive(Serialize)]
struct Report<'a> {
    job: &'static str,
    #[serde(skip)]
    info: &'static JobInfo,
    healthy: bool,
    systems: &'a [HealthCheck],
}

pub(crate) fn check(registry: &JobRegistry, matches: &ArgMatches) -> Exit {
    let Some((id, matches)) = matches.subcommand() else { return Exit::Failed };
    check_job(registry, id, matches).unwrap_or_else(|error| terminal::fail(&error))
}

fn check_job(registry: &JobRegistry, id: &str, matches: &ArgMatches) -> Result<Exit, String> {
    let job = registry.get(id).map_err(|error| error.to_string())?;
    let prepared = prepare(job, &variable_values(job, matches), |name| format!("--{name}"))?;
    let runtime = runtime()?;
    let systems = runtime.block_on(prepared.check()).map_err(|error| indented(&error.to_string()))?;
    runtime.shutdown_background();
    let healthy = systems.iter().all(HealthCheck::is_healthy);
    let report = Report { job: job.info().id, info: job.info(), healthy, systems: &systems };
    let printed = if wants_json(matches) { terminal::print_json(&report) } else { terminal::print(&report.text()) };
    Ok(if healthy { printed } else { Exit::Failed })
}

impl Report<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for checkup in self.systems {
            let label = match checkup.side() {
                Side::Source => self.info.source_label,
                Side::Target => self.info.target_label,
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}: {label}", checkup.side());
            let width = checkup.findings().iter().map(|finding| finding.what.len()).max().unwrap_or(0);
            for finding in checkup.findings() {
                let mark = if finding.passed { "ok    " } else { "FAILED" };
                let _ = writeln!(text, "  {mark}  {:width$}  {}", one_line(&finding.what), indented(&finding.detail));
            }
            if checkup.findings().is_empty() {
                text.push_str("  its adapter has nothing to look at\n");
            }
        }
        let failed = self.systems.iter().flat_map(HealthCheck::findings).filter(|finding| !finding.passed).count();
        let _ = match failed {
            0 if self.systems.iter().any(|checkup| checkup.findings().is_empty()) => writeln!(text, "\nnothing failed"),
            0 => writeln!(text, "\nboth systems can be used"),
            _ => writeln!(text, "\n{failed} failed; nothing was loaded or written"),
        };
        text
    }
}

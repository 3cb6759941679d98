//! The command `check JOB`: the health checks of both systems, before anything is loaded from them.

use std::fmt::Write;

use clap::ArgMatches;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::job::JobInfo;
use serde::Serialize;

use crate::exit::Exit;
use crate::flags::{Output, is_set, output_of};
use crate::jobs::Jobs;
use crate::profile::Profiles;
use crate::run::prepare;
use crate::runtime::runtime;
use crate::terminal::{self, indented, one_line};

/// The health checks of both systems of a job.
#[derive(Serialize)]
struct Report<'a> {
    job: &'static str,
    profile: Option<&'a str>,
    #[serde(skip)]
    info: &'static JobInfo,
    healthy: bool,
    systems: &'a [HealthCheck],
}

pub(crate) fn check(jobs: &Jobs, profiles: &Profiles, matches: &ArgMatches) -> Exit {
    let Some((name, matches)) = matches.subcommand() else { return Exit::Failed };
    check_job(jobs, profiles, name, matches).unwrap_or_else(|error| terminal::fail(&error))
}

fn check_job(jobs: &Jobs, profiles: &Profiles, name: &str, matches: &ArgMatches) -> Result<Exit, String> {
    let selected = profiles.select(jobs, name)?;
    let (job, profile) = (selected.job.linked("check")?, selected.profile_name());
    let prepared = prepare(job, &selected.values(matches)?, |spec| selected.how_to_set(spec))?;

    let runtime = runtime()?;
    let systems = runtime.block_on(prepared.check()).map_err(|error| indented(&error.to_string()))?;
    runtime.shutdown_background();

    let healthy = systems.iter().all(HealthCheck::is_healthy);
    let report = Report { job: job.info().id, profile, info: job.info(), healthy, systems: &systems };
    let printed = match output_of(matches) {
        Output::Text if healthy && is_set(matches, "quiet") => Exit::Done,
        Output::Text => terminal::print(&report.text()),
        _ => terminal::print_json(&report),
    };
    Ok(if healthy { printed } else { Exit::Failed })
}

impl Report<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for health in self.systems {
            let label = match health.side() {
                Side::Source => self.info.source_label,
                Side::Target => self.info.target_label,
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}: {label}", health.side());

            let width = health.findings().iter().map(|finding| finding.what.len()).max().unwrap_or(0);
            for finding in health.findings() {
                let mark = if finding.passed { "ok    " } else { "FAILED" };
                let _ = writeln!(text, "  {mark}  {:width$}  {}", one_line(&finding.what), indented(&finding.detail));
            }
            if health.findings().is_empty() {
                text.push_str("  not checked: its adapter has no health check\n");
            }
        }

        let failed = self.systems.iter().flat_map(HealthCheck::findings).filter(|finding| !finding.passed).count();
        let checked: Vec<_> = self.systems.iter().filter(|health| !health.findings().is_empty()).collect();
        let _ = match (failed, &*checked) {
            (0, []) => writeln!(text, "\nnothing could be checked"),
            (0, [only]) => writeln!(text, "\nthe {} can be used; the other system was not checked", only.side()),
            (0, _) => writeln!(text, "\nboth systems can be used"),
            _ => writeln!(text, "\n{failed} failed; nothing was loaded or written"),
        };
        text
    }
}

#[cfg(test)]
mod tests {
    use diffsync_core::job::JobEntry;

    use super::*;
    use crate::example::NowhereToNowhere;

    fn conclusion(checked: &[Side]) -> String {
        let info = JobEntry::new::<NowhereToNowhere>().info();
        let systems = [Side::Source, Side::Target].map(|side| {
            let mut health = HealthCheck::new(side);
            if checked.contains(&side) {
                health.passed("connection", "here");
            }
            health
        });
        let text = Report { job: info.id, profile: None, info, healthy: true, systems: &systems }.text();
        assert_eq!(text.matches("  not checked: its adapter has no health check\n").count(), 2 - checked.len());
        text.lines().last().unwrap().to_owned()
    }

    #[test]
    fn a_system_that_was_not_checked_is_not_said_to_be_usable() {
        assert_eq!(conclusion(&[]), "nothing could be checked");
        assert_eq!(conclusion(&[Side::Target]), "the target can be used; the other system was not checked");
        assert_eq!(conclusion(&[Side::Source, Side::Target]), "both systems can be used");
    }
}

//! The commands `plan JOB -o FILE`, which writes a plan file to be reviewed and applied later, and `plan --approve FILE`.

use std::io;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use diffsync_core::apply::write_plan;
use diffsync_core::plan_file::{PlanFileError, PlanKind, approve};

use crate::advice::on_plan_file;
use crate::exit::{Exit, NotRun};
use crate::flags;
use crate::history::Started;
use crate::jobs::Jobs;
use crate::key;
use crate::plan_file::{NewPlan, keep, lock, open};
use crate::profile::Profiles;
use crate::report::Report;
use crate::run::{execute, prepare, print};
use crate::signature::signature;
use crate::terminal;

pub(crate) fn plan(jobs: &Jobs, profiles: &Profiles, matches: &ArgMatches, program: &str) -> Exit {
    if let Some(path) = matches.get_one::<PathBuf>("approve") {
        return approve_plan(path, matches);
    }
    let Some((name, matches)) = matches.subcommand() else { return Exit::Failed };
    plan_job(jobs, profiles, name, matches, program)
        .unwrap_or_else(|NotRun(exit, error)| terminal::fail_as(exit, &error))
}

fn plan_job(jobs: &Jobs, profiles: &Profiles, name: &str, matches: &ArgMatches, program: &str) -> Result<Exit, NotRun> {
    let selected = profiles.select(jobs, name)?;
    let (job, profile) = (selected.job.linked("plan")?, selected.profile_name());
    let values = selected.values(matches)?;
    let prepared = prepare(job, &values, |spec| selected.how_to_set(spec))?;

    let path = matches.get_one::<PathBuf>("out").ok_or("`-o FILE` is missing")?;
    keep(path)?;
    let file = NewPlan::begin(path)?;
    let key = key::made(matches)?;

    let mut options = flags::options(selected.options(), matches);
    options.dry_run = true;
    let run = Started { selected: &selected, values: &values, plan: None, program, kept: profiles.retention() };
    let (report, sync, streamed) = execute(&run, &*prepared, &options, None, matches)?;

    let mut closing = Vec::new();
    // A plan that was refused could not be applied either.
    if let Some(plan) = report.plan().filter(|_| report.error.is_none()) {
        let operations = plan.diff().summary().total.operations();
        let path = path.display();
        if operations == 0 {
            closing.push(format!("nothing to do: `{path}` was not written"));
        } else {
            let variables = values.to_save(job.variables());
            let mut head = options.plan_header(job.info(), PlanKind::Sync, variables, signature(matches), plan);
            program.clone_into(&mut head.program);
            head.profile = profile.map(str::to_owned);
            let written = file.write(|out| write_plan(plan, &head, &key, out));
            written.map_err(|error: io::Error| format!("the plan cannot be written to `{path}`: {error}"))?;
            let these =
                if operations == 1 { "this operation".into() } else { format!("these {operations} operations") };
            closing.push(format!("apply {these} with `apply {path}`"));
        }
    }
    let report = Report { job: job.info(), profile, run: &report, plan: None, sync, streamed, closing: &closing };
    Ok(print(&report, matches))
}

fn approve_plan(path: &Path, matches: &ArgMatches) -> Exit {
    let approval = signature(matches);
    let approved = format!("approved by {approval}");
    let shown = path.display();
    let failed = |error: PlanFileError| (on_plan_file(path, &error), refusing(&error));

    // Without the lock, one of two approvals at the same moment would be lost.
    let added = lock(path).map_err(|error| failed(error.into())).and_then(|_lock| {
        let file = NewPlan::begin(path).map_err(|error| (error, Exit::Failed))?;
        file.write(|out| approve(&mut open(path)?, approval, out)).map_err(failed)
    });

    match added {
        Ok(()) => terminal::print(&format!("`{shown}` is {}\n", terminal::one_line(&approved))),
        Err((error, exit)) => terminal::fail_as(exit, &terminal::indented(&error)),
    }
}

/// The exit code for a plan file: failed if it cannot be read, refused if it is not accepted.
pub(crate) fn refusing(error: &PlanFileError) -> Exit {
    if matches!(error, PlanFileError::Io(_)) { Exit::Failed } else { Exit::Refused }
}

//! The command `apply FILE`: applies a plan file.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;
use diffsync_core::job::{JobEntry, VariableValues};
use diffsync_core::plan_file::{ApplyRequest, DriftPolicy, PlanKey, SavedPlan};
use diffsync_core::run::RunOptions;

use crate::advice::on_plan_file;
use crate::exit::{Exit, NotRun};
use crate::flags;
use crate::history::Started;
use crate::jobs::{AnyJob, Jobs};
use crate::key;
use crate::plan::refusing;
use crate::plan_file::open;
use crate::profile::{Profile, Profiles, Selected};
use crate::prompt::Prompt;
use crate::report::Report;
use crate::run::{execute, prepare, print};
use crate::terminal;
use crate::undo::UndoFile;
use crate::variables::{flag_name, or_in_environment};

pub(crate) fn apply(jobs: &Jobs, profiles: &Profiles, matches: &ArgMatches, program: &str) -> Exit {
    carry_out(jobs, profiles, matches, program)
        .unwrap_or_else(|NotRun(exit, error)| terminal::fail_as(exit, &terminal::indented(&error)))
}

fn carry_out(jobs: &Jobs, profiles: &Profiles, matches: &ArgMatches, program: &str) -> Result<Exit, NotRun> {
    let path = matches.get_one::<PathBuf>("file").ok_or_else(|| "the plan file is missing".to_owned())?;
    let shown = path.display();
    let refused = |text: String| NotRun(Exit::Refused, format!("`{shown}`: {text}"));
    let not_taken = |error| NotRun(refusing(&error), on_plan_file(path, &error));

    let read = open(path).map_err(Into::into).and_then(|mut input| SavedPlan::read(&mut input));
    let plan = Arc::new(read.map_err(not_taken)?);
    let head = &plan.header;
    let job =
        jobs.linked().get(&head.job).map_err(|error| refused(format!("the plan is from another program: {error}")))?;
    plan.check(job.info().id, job.models()).map_err(not_taken)?;

    if head.unfinished {
        terminal::warn(
            "this undo plan is from a run that was interrupted: it covers what was recorded until then, and writes in flight \
             may be missing",
        );
    }
    if head.program != program {
        let made_with = terminal::one_line(&head.program).into_owned();
        terminal::warn(&format!("the plan was made by version {made_with} of the program, and this is {program}"));
    }

    let profile = match &head.profile {
        Some(name) => {
            let selected = profiles.select(jobs, &format!("{}@{name}", head.job));
            selected.map_err(|error| refused(format!("the profile of the plan is missing: {error}")))?.profile
        }
        None => None,
    };
    let selected = Selected { job: AnyJob::Linked(job), profile };

    let values = values(job, &plan, matches).map_err(refused)?;
    let prompt = Prompt::new(matches);
    let values = match profile {
        Some(profile) => with_profile(profile, prompt, &plan, values)?,
        None => values,
    };
    left_out(job, &plan, &values).map_err(refused)?;
    let values = prompt.add_missing(AnyJob::Linked(job), values)?;
    let prepared = prepare(job, &values, |spec| format!("`--set {}=…`{}", flag_name(spec), or_in_environment(spec)))?;
    let request = ApplyRequest { key: key_of(&plan, matches)?, policy: policy(matches), plan: Arc::clone(&plan) };
    let mut undo_file = UndoFile::wanted(matches)?;
    let mut options = RunOptions::new(job.info()).apply();
    if let Some(profile) = profile {
        profile.set_options(&mut options);
    }
    let options = flags::options(options, matches);
    let mut options = options.apply_plan(request).map_err(|error| refused(error.to_string()))?;
    let log = undo_file.as_mut().map(|file| file.follow(&selected, &mut options, &values, program));
    let (plan_file, kept) = (Some(shown.to_string()), profiles.retention());
    let run = Started { selected: &selected, values: &values, plan: plan_file, program, kept };
    let (report, sync, streamed) = execute(&run, &*prepared, &options, log, matches)?;

    let mut closing = Vec::new();
    if options.dry_run && report.error.is_none() {
        closing.push("apply it without --dry-run to write this".to_owned());
    }

    // The report is printed even if the undo plan could not be written.
    let mut undo_written = Ok(());
    if let Some(file) = undo_file {
        undo_written = file.write(&report, &mut closing);
    }
    let exit = print(
        &Report {
            job: job.info(),
            profile: selected.profile_name(),
            run: &report,
            plan: Some(&plan),
            sync,
            streamed,
            closing: &closing,
        },
        matches,
    );
    undo_written?;
    Ok(exit)
}

fn policy(matches: &ArgMatches) -> DriftPolicy {
    let skips = matches.get_one::<String>("policy").is_some_and(|policy| policy == "skip-stale");
    if skips { DriftPolicy::Skip } else { DriftPolicy::Refuse }
}

/// The key that sealed the plan's secrets.
fn key_of(plan: &SavedPlan, matches: &ArgMatches) -> Result<PlanKey, String> {
    match key::existing(matches)? {
        Ok(key) => Ok(key),
        Err(_) if !plan.holds_secrets() => key::unused(),
        Err(path) => Err(format!(
            "the key that sealed the plan's secrets is not in `{}`; copy it there, or set --key-file or DIFFSYNC_PLAN_KEY",
            path.display()
        )),
    }
}

/// The values of the job's variables: those in the plan, and those that were left out because they may be secret.
fn values(job: &JobEntry, plan: &SavedPlan, matches: &ArgMatches) -> Result<VariableValues, String> {
    let mut values = VariableValues::new();
    for (name, texts) in &plan.header.variables {
        let Some(spec) = job.variables().iter().find(|spec| spec.name == name) else {
            return Err(format!("the job no longer has a variable `{name}`; make the plan again"));
        };
        if let (true, Some(env)) = (texts.is_empty(), spec.env.filter(|env| std::env::var_os(env).is_some())) {
            return Err(format!("the plan was made without a value for `{name}`, and {env} sets one now; unset it"));
        }
        values = texts.iter().fold(values, |values, text| values.with(name, text));
    }

    for set in matches.get_many::<(String, String)>("set").into_iter().flatten() {
        let name = set.0.replace('-', "_");
        if !job.variables().iter().any(|spec| spec.name == name) {
            return Err(format!("the job has no variable `{name}`"));
        }
        if plan.header.variables.iter().any(|(saved, _)| *saved == name) {
            return Err(format!("the plan already holds a value for `{name}`; make another plan for another value"));
        }
        values = values.with(name, &set.1);
    }
    Ok(values)
}

/// Adds the profile's values of the variables that were left out of the plan.
fn with_profile(
    profile: &Profile,
    prompt: Prompt,
    plan: &SavedPlan,
    values: VariableValues,
) -> Result<VariableValues, String> {
    let given = values.clone();
    profile.add_values(values, prompt, |spec| {
        let is_saved = plan.header.variables.iter().any(|(saved, _)| *saved == spec.name);
        !is_saved && given.get(spec.name).is_empty()
    })
}

/// Refuses a plan without the value of a variable that is no secret, since it may hold one.
fn left_out(job: &JobEntry, plan: &SavedPlan, values: &VariableValues) -> Result<(), String> {
    // Its default might be another system than the one that the plan was made for.
    let left_out = job.variables().iter().find(|spec| {
        let saved = plan.header.variables.iter().any(|(saved, _)| *saved == spec.name);
        let in_env = || spec.env.is_some_and(|env| std::env::var_os(env).is_some());
        !spec.secret && !saved && values.get(spec.name).is_empty() && !in_env()
    });
    if let Some(spec) = left_out {
        let flag = flag_name(spec);
        return Err(format!(
            "the plan leaves out `{}` because it may hold a secret; set it with `--set {flag}=…`{}",
            spec.name,
            or_in_environment(spec)
        ));
    }
    Ok(())
}

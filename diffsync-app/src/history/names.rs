//! The names that syncs, changes and log entries are selected by. An unknown name is a mistake; a known one that selects
//! nothing is not.

use clap::ArgMatches;
use diffsync_core::value::suggest;
use diffsync_history::{History, SavedSync};

use crate::exit::NotRun;
use crate::jobs::{AnyJob, Jobs};
use crate::profile::Profiles;

/// The names that the program knows.
pub(super) struct Names<'a> {
    jobs: &'a Jobs,
    profiles: &'a Profiles,
}

impl<'a> Names<'a> {
    pub(super) fn new(jobs: &'a Jobs, profiles: &'a Profiles) -> Self {
        Self { jobs, profiles }
    }

    /// Refuses a job or a profile that neither the program nor the history knows.
    pub(super) async fn check_job(&self, history: &History, matches: &ArgMatches) -> Result<(), NotRun> {
        let given = |name| matches.try_get_one::<String>(name).ok().flatten();
        let (job, profile) = (given("job"), given("profile"));
        if job.is_none() && profile.is_none() {
            return Ok(());
        }
        // A job of the folder, which the history does not ask, may not have run yet, and nor may its profiles.
        if !self.jobs.is_complete() {
            return Ok(());
        }

        let recorded = history.jobs().await?;
        let jobs = self.jobs.iter().map(|job| job.info().id);
        let jobs: Vec<_> = jobs.chain(recorded.iter().map(|(job, _)| &**job)).collect();
        check("there is no job", job, &jobs)?;

        // Jobs by themselves are selected by their own name.
        let profiles = self.profiles.names().chain(recorded.iter().map(|(_, profile)| &**profile)).chain(jobs);
        check("there is no profile", profile, &profiles.collect::<Vec<_>>())
    }

    /// Refuses a model that neither the program's job nor the sync has.
    pub(super) fn check_model(&self, sync: &SavedSync, matches: &ArgMatches) -> Result<(), NotRun> {
        let planned = sync.planned.iter().flat_map(|planned| planned.models.iter().map(|model| &*model.model));
        let job = self.jobs.get(&sync.job).ok();
        let own = job.iter().flat_map(|job| job.models());
        let known: Vec<_> = own.chain(planned).collect();
        // Of a sync of another program that planned nothing, nothing is known.
        if known.is_empty() {
            return Ok(());
        }
        check(&format!("the job `{}` has no model", sync.job), matches.get_one::<String>("model"), &known)
    }

    /// Refuses an attribute that selects nothing and that no model of the job has. The sync may be of a time when one had.
    pub(super) fn check_attribute(&self, sync: &SavedSync, matches: &ArgMatches) -> Result<(), NotRun> {
        // Of the attributes of another program's models, nothing is known.
        let Ok(AnyJob::Linked(job)) = self.jobs.get(&sync.job) else { return Ok(()) };
        let known = job.models().iter().flat_map(|schema| schema.attributes.iter().map(|field| field.name));
        let known: Vec<_> = known.collect();
        check(&format!("the job `{}` has no attribute", sync.job), matches.get_one::<String>("attribute"), &known)
    }
}

fn check(mistake: &str, name: Option<&String>, known: &[&str]) -> Result<(), NotRun> {
    let Some(name) = name.filter(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let meant = if let Some(nearest) = suggest(name, known.iter().copied()) {
        format!("did you mean `{nearest}`?")
    } else {
        let mut known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
        known.sort();
        known.dedup();
        format!("there is {}", known.join(", "))
    };
    Err(format!("{mistake} `{name}`; {meant}").into())
}

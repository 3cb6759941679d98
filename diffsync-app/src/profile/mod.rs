//! Profiles: named configurations of a job, in a file.

mod read;
mod show;
mod source;

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use diffsync_core::job::{VariableSpec, VariableValues};
use diffsync_core::model::{LimitOverride, OnGuard};
use diffsync_core::run::RunOptions;
use diffsync_core::value::suggest;
use serde::Serialize;

use crate::early::value_of;
use crate::flags::is_given;
use crate::history::RetentionSetting;
use crate::jobs::{AnyJob, Jobs};
use crate::prompt::Prompt;
use crate::variables::{flag_name, or_in_environment, variable_values};

/// The environment variable that names the file.
const VARIABLE: &str = "DIFFSYNC_PROFILES";

/// The file in the working folder that is read if none is named.
const FILE: &str = "profiles.toml";

/// The profiles of the program's jobs.
#[derive(Default)]
pub(crate) struct Profiles {
    /// The file, if there is one.
    file: Option<PathBuf>,
    /// In the order of the file.
    all: Vec<Profile>,
    /// How long the history keeps details.
    retention: RetentionSetting,
}

/// A named configuration of a job.
pub(crate) struct Profile {
    /// The job's id.
    job: &'static str,
    name: String,
    /// The name in commands: `JOB@PROFILE`.
    id: String,
    /// Where it begins, as `profiles.toml:3:1`.
    place: String,
    description: Option<String>,
    mode: Option<Mode>,
    schedule: Option<String>,
    /// In the order of the job's variables.
    variables: Vec<Setting>,
    limits: Vec<LimitOverride>,
    on_guard: Option<OnGuard>,
    options: Options,
}

/// Whether a run writes, unless a flag says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    Apply,
    DryRun,
}

/// The value of a variable.
struct Setting {
    spec: &'static VariableSpec,
    /// Where it is set, as `profiles.toml:7:1`.
    place: String,
    /// One, or several for a list.
    values: Vec<Source>,
}

/// Where a value comes from. It has no `Debug`, since a URL may hold a secret.
enum Source {
    Text(String),
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
    /// It is asked for on the terminal.
    Prompt,
}

/// The options of a run; those that are `None` are left to the job.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
struct Options {
    parallel_loading: Option<bool>,
    memory_profiling: Option<bool>,
    continue_on_failure: Option<bool>,
    max_failures: Option<usize>,
    retries: Option<usize>,
    concurrency: Option<NonZeroUsize>,
    #[serde(serialize_with = "show::duration")]
    time_limit: Option<Duration>,
    #[serde(serialize_with = "show::duration")]
    record_time_limit: Option<Duration>,
    /// In percent.
    max_rejected: Option<f64>,
}

impl Profiles {
    /// Reads the profiles from the file that the arguments or the environment name, else from `profiles.toml` in the working
    /// folder if it exists.
    ///
    /// # Errors
    ///
    /// All mistakes of the file, each with its line and column.
    pub(crate) fn load(jobs: &Jobs, arguments: &[OsString]) -> Result<Self, String> {
        let from_env = || std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let (path, origin) = match (value_of(arguments, "--profiles").map(PathBuf::from), from_env()) {
            (Some(path), _) => (path, " (named by --profiles)"),
            (None, Some(path)) => (path, " (named by DIFFSYNC_PROFILES)"),
            (None, None) => (PathBuf::from(FILE), ""),
        };

        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound && origin.is_empty() => return Ok(Self::default()),
            Err(error) => {
                return Err(format!("the profiles cannot be read from `{}`{origin}: {error}", path.display()));
            }
        };
        read::read(jobs, &path, &bytes)
    }

    /// How long the history keeps details.
    pub(crate) fn retention(&self) -> RetentionSetting {
        self.retention
    }

    /// The names of all profiles.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|profile| &*profile.name)
    }

    /// The profiles of a job.
    pub(crate) fn of<'a>(&'a self, job: AnyJob<'_>) -> impl Iterator<Item = &'a Profile> + use<'a> {
        let id = job.info().id;
        self.all.iter().filter(move |profile| profile.job == id)
    }

    /// Every job, followed by each of its profiles.
    pub(crate) fn selections<'a>(&'a self, jobs: &'a Jobs) -> impl Iterator<Item = Selected<'a>> {
        jobs.iter().flat_map(|job| {
            let profiles = self.of(job).map(Some);
            std::iter::once(None).chain(profiles).map(move |profile| Selected { job, profile })
        })
    }

    /// The job, or the job with the profile, of this name: `JOB` or `JOB@PROFILE`.
    pub(crate) fn select<'a>(&'a self, jobs: &'a Jobs, name: &str) -> Result<Selected<'a>, String> {
        if let Some(selected) = self.selections(jobs).find(|selected| selected.name() == name) {
            return Ok(selected);
        }

        let (id, profile) = name.split_once('@').unwrap_or((name, ""));
        let job = jobs.get(id)?;
        Err(format!("the job `{id}` has no profile `{profile}`{}", self.known(job, profile)))
    }

    /// The profile that was probably meant, or where profiles come from.
    fn known(&self, job: AnyJob<'_>, name: &str) -> String {
        let id = job.info().id;
        if let Some(nearest) = suggest(name, self.of(job).map(|profile| &*profile.name)) {
            return format!("; did you mean `{id}@{nearest}`?");
        }

        let ids: Vec<_> = self.of(job).map(|profile| format!("`{}`", profile.id)).collect();
        match &self.file {
            Some(_) if !ids.is_empty() => format!("; there is {}", ids.join(", ")),
            Some(file) => format!("; `{}` has none for this job", file.display()),
            None => format!(
                "; there is no `{FILE}` in the working folder, and neither --profiles nor {VARIABLE} names another file"
            ),
        }
    }
}

impl Profile {
    /// The name in commands: `JOB@PROFILE`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// When it is to run.
    #[cfg(feature = "web")]
    pub(crate) fn schedule(&self) -> Option<&str> {
        self.schedule.as_deref()
    }

    /// What it sets variables to, each in words that tell no secret.
    #[cfg(feature = "web")]
    pub(crate) fn shown_settings(&self) -> Vec<(String, String)> {
        self.variables.iter().map(|setting| (setting.spec.name.to_owned(), setting.shown())).collect()
    }

    /// What the profile sets a variable to.
    fn setting(&self, variable: &str) -> Option<&Setting> {
        self.variables.iter().find(|setting| setting.spec.name == variable)
    }

    /// The values that need no look at the environment, a file or a command.
    pub(crate) fn written_values(&self) -> VariableValues {
        self.variables.iter().filter_map(Setting::written).fold(VariableValues::new(), |values, (name, texts)| {
            texts.iter().fold(values, |values, text| values.with(name, *text))
        })
    }

    /// Adds the values of the variables for which `wants` is true. Files are read, commands run and questions asked only for
    /// those.
    pub(crate) fn add_values(
        &self,
        mut values: VariableValues,
        prompt: Prompt,
        wants: impl Fn(&VariableSpec) -> bool,
    ) -> Result<VariableValues, String> {
        let mut settings: Vec<_> = self.variables.iter().filter(|setting| wants(setting.spec)).collect();
        // The user is asked last, so that no answer is typed in vain because another value is missing.
        settings.sort_by_key(|setting| setting.is_asked());

        let mut errors = Vec::new();
        for setting in settings {
            if setting.is_asked() && !errors.is_empty() {
                continue;
            }
            let question = format!("{} of {}", setting.spec.name, self.id);
            for source in &setting.values {
                match source.resolve(setting.spec.secret, prompt, &question) {
                    Ok(text) => values = values.with(setting.spec.name, text),
                    Err(error) => {
                        let (place, name, id) = (&setting.place, setting.spec.name, &self.id);
                        errors.push(format!("{place}: the variable `{name}` of `{id}` has no value: {error}"));
                    }
                }
            }
        }
        if errors.is_empty() { Ok(values) } else { Err(errors.join("\nerror: ")) }
    }

    /// Whether it sets an option of a run.
    fn sets(&self, key: &str) -> bool {
        // Their names are the keys of the file.
        let options = serde_json::to_value(&self.options).unwrap_or_default();
        let is_set = options.get(key).is_some_and(|value| !value.is_null());
        is_set || (key == "on_guard" && self.on_guard.is_some())
    }

    /// Sets how a run is done, apart from what it may change.
    pub(crate) fn set_options(&self, options: &mut RunOptions) {
        let set = &self.options;
        options.parallel_loading = set.parallel_loading.unwrap_or(options.parallel_loading);
        options.memory_profiling = set.memory_profiling.unwrap_or(options.memory_profiling);
        options.continue_on_failure = set.continue_on_failure.unwrap_or(options.continue_on_failure);
        options.max_failures = set.max_failures.or(options.max_failures);
        options.retry.times = set.retries.unwrap_or(options.retry.times);
        options.request_retries = set.retries.or(options.request_retries);
        options.concurrency = set.concurrency.or(options.concurrency);
        options.time_limit = set.time_limit.or(options.time_limit);
        options.record_time_limit = set.record_time_limit.or(options.record_time_limit);
        options.max_rejected = set.max_rejected.map_or(options.max_rejected, |percent| percent / 100.0);
    }
}

impl Setting {
    /// Whether somebody is asked for it.
    fn is_asked(&self) -> bool {
        self.values.iter().any(|source| matches!(source, Source::Prompt))
    }

    /// The name and the texts, if all of them are written in the file.
    fn written(&self) -> Option<(&'static str, Vec<&str>)> {
        let texts = self.values.iter().map(|source| match source {
            Source::Text(text) => Some(&**text),
            _ => None,
        });
        texts.collect::<Option<_>>().map(|texts| (self.spec.name, texts))
    }
}

/// A job, with the profile that was chosen for it.
#[derive(Clone, Copy)]
pub(crate) struct Selected<'a> {
    pub(crate) job: AnyJob<'a>,
    pub(crate) profile: Option<&'a Profile>,
}

impl<'a> Selected<'a> {
    /// The name in commands: `JOB` or `JOB@PROFILE`.
    pub(crate) fn name(&self) -> &'a str {
        self.profile.map_or(self.job.info().id, Profile::id)
    }

    /// The profile's own name.
    pub(crate) fn profile_name(&self) -> Option<&'a str> {
        self.profile.map(|profile| &*profile.name)
    }

    pub(crate) fn about(&self) -> &'a str {
        let info = self.job.info();
        let of_job = if info.description.is_empty() { info.name } else { info.description };
        self.profile.and_then(Profile::description).unwrap_or(of_job)
    }

    /// Whether a run without flags writes nothing.
    pub(crate) fn is_dry_by_default(&self) -> bool {
        match self.profile.and_then(|profile| profile.mode) {
            Some(mode) => mode == Mode::DryRun,
            None => self.job.info().dryrun_default,
        }
    }

    /// The next step after a dry run that found changes.
    pub(crate) fn how_to_write(&self) -> String {
        // A profile may say that a run writes, and a flag that this one does not.
        let flag = if self.is_dry_by_default() { "with --apply" } else { "without --dry-run" };
        format!("run it again {flag} to write this")
    }

    /// The values of the job's variables: those of the flags, else those of the profile. Secrets that are missing are asked for,
    /// if there is somebody to ask.
    pub(crate) fn values(&self, matches: &ArgMatches) -> Result<VariableValues, String> {
        let prompt = Prompt::new(matches);
        prompt.add_missing(self.job, self.complete(variable_values(self.job, matches), prompt)?)
    }

    /// The values that are given, and those of the profile for other variables.
    pub(crate) fn complete(&self, given: VariableValues, prompt: Prompt) -> Result<VariableValues, String> {
        match self.profile {
            Some(profile) => profile.add_values(given.clone(), prompt, |spec| given.get(spec.name).is_empty()),
            None => Ok(given),
        }
    }

    /// The options of a run, before its flags.
    pub(crate) fn options(&self) -> RunOptions {
        let mut options = RunOptions::new(self.job.info());
        options.dry_run = self.is_dry_by_default();
        if let Some(profile) = self.profile {
            profile.set_options(&mut options);
            options.limit_overrides.extend(profile.limits.iter().cloned());
            options.on_guard = profile.on_guard.unwrap_or(options.on_guard);
        }
        options
    }

    /// Whether the profile or a flag sets an option of a run, which is named by its key in a profile. It may set it to the default.
    pub(crate) fn sets(&self, key: &str, matches: &ArgMatches) -> bool {
        is_given(matches, &key.replace('_', "-")) || self.profile.is_some_and(|profile| profile.sets(key))
    }

    /// How to set a variable whose value is missing or wrong.
    pub(crate) fn how_to_set(&self, spec: &VariableSpec) -> String {
        let flag = format!("--{}", flag_name(spec));
        match self.profile {
            // The environment does not count for a variable that the profile sets.
            Some(profile) => match profile.setting(spec.name) {
                Some(setting) => format!("{flag} or in the profile at {}", setting.place),
                None if spec.env.is_none() => format!("{flag} or in the profile at {}", profile.place),
                None => format!("{flag}, in the profile at {}{}", profile.place, or_in_environment(spec)),
            },
            None => format!("{flag}{}", or_in_environment(spec)),
        }
    }

    /// What the profile sets a variable to, in words.
    pub(crate) fn shown_value(&self, spec: &VariableSpec) -> Option<String> {
        self.profile?.setting(spec.name).map(Setting::shown)
    }
}

/// A position in the file, as `profiles.toml:3:1`.
fn place(path: &Path, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{}:{line}:{column}", path.display())
}

#[cfg(test)]
mod tests {
    use diffsync_core::JobRegistry;
    use diffsync_core::job::JobEntry;

    use super::*;
    use crate::command::command;
    use crate::example::NowhereToNowhere;
    use crate::flags;

    fn registry() -> Jobs {
        JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap().into()
    }

    fn profiles(text: &str) -> Profiles {
        read::read(&registry(), Path::new(FILE), text.as_bytes()).unwrap()
    }

    /// The options and the values of a run of the profile `a` with these flags.
    fn run(profiles: &Profiles, flags: &[&str]) -> (RunOptions, VariableValues) {
        let registry = registry();
        let arguments = [&["jobs", "run", "nowhere-to-nowhere@a"], flags].concat();
        let matches = command(&registry, profiles, "1.2.3").try_get_matches_from(arguments).unwrap();
        let (name, matches) = matches.subcommand().unwrap().1.subcommand().unwrap();
        let selected = profiles.select(&registry, name).unwrap();
        (flags::options(selected.options(), matches), selected.values(matches).unwrap())
    }

    #[test]
    fn a_flag_beats_the_profile() {
        let profiles = profiles(
            "[nowhere-to-nowhere.a]\nmode = 'apply'\nvariables = { floor = 1, place = 'here' }\n\
             limits = { creates = { site = 5 }, on_guard = 'hold' }\n\
             [nowhere-to-nowhere.a.options]\nparallel_loading = true\nmemory_profiling = true\n\
             continue_on_failure = false\nmax_failures = 2\nretries = 0\nconcurrency = 3\ntime_limit = '15m'\n\
             record_time_limit = '9s'\nmax_rejected = 2.5\n",
        );

        let (options, values) = run(&profiles, &[]);
        assert!(
            !options.dry_run && options.parallel_loading && options.memory_profiling && !options.continue_on_failure
        );
        assert_eq!(
            (options.max_failures, options.retry.times, options.concurrency),
            (Some(2), 0, NonZeroUsize::new(3))
        );
        assert_eq!(options.time_limit, Some(Duration::from_mins(15)));
        assert_eq!(options.record_time_limit, Some(Duration::from_secs(9)));
        assert!((options.max_rejected - 0.025).abs() < 1e-9);
        assert_eq!((options.limit_overrides.len(), options.on_guard), (1, OnGuard::Hold));
        assert_eq!((values.get("floor"), values.get("place")), (&["1".to_owned()][..], &["here".to_owned()][..]));

        let flags = "--dry-run --max-failures 9 --retries 8 --concurrency 7 --time-limit 6s --max-rejected 5 --floor 4 \
                     --on-guard stop --allow-creates site=6";
        let (options, values) = run(&profiles, &flags.split_whitespace().collect::<Vec<_>>());
        assert!(options.dry_run && options.parallel_loading);
        assert_eq!(
            (options.max_failures, options.retry.times, options.concurrency),
            (Some(9), 8, NonZeroUsize::new(7))
        );
        assert_eq!((options.time_limit, options.on_guard), (Some(Duration::from_secs(6)), OnGuard::Stop));
        // What is set is told, also to the default; and what is not, is not.
        let sets = |flags: &[&str], key: &str| {
            let (registry, arguments) = (registry(), [&["jobs", "run", "nowhere-to-nowhere@a"], flags].concat());
            let matches = command(&registry, &profiles, "1.2.3").try_get_matches_from(arguments).unwrap();
            let (name, matches) = matches.subcommand().unwrap().1.subcommand().unwrap();
            profiles.select(&registry, name).unwrap().sets(key, matches)
        };
        assert!(sets(&[], "retries") && sets(&[], "on_guard") && sets(&[], "max_rejected"));
        assert!(!sets(&[], "log_unchanged_records") && sets(&["--log-unchanged-records"], "log_unchanged_records"));

        // The last override of a limit counts.
        assert_eq!(options.limit_overrides.last().unwrap().limit.to_string(), "6");
        assert_eq!((values.get("floor"), values.get("place")), (&["4".to_owned()][..], &["here".to_owned()][..]));
    }

    #[test]
    fn a_profile_that_sets_nothing_is_the_job_as_it_is() {
        let profiles = profiles("[nowhere-to-nowhere.a]");
        let (options, values) = run(&profiles, &[]);
        assert!(options.dry_run && options.continue_on_failure && options.limit_overrides.is_empty());
        assert_eq!(options.max_failures, None);
        assert!(values.get("place").is_empty());
    }
}

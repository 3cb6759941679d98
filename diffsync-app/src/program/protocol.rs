//! What a program with jobs and its host say to each other, apart from the event stream.

use std::num::NonZeroUsize;
use std::time::Duration;

use diffsync_core::job::{DataMapping, JobKind, VariableKind};
use diffsync_core::model::{Flags, Limit, LimitOverride, Limits, OnGuard};
use diffsync_core::plan_file::Filter;
use diffsync_core::run::RunOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the protocol. It grows with a change that the other side must know of; new keys do not count, since each side
/// ignores those that it does not know, except among the options of a run.
pub(super) const PROTOCOL: u32 = 1;

/// The first argument of a program that its host asks.
pub(crate) const COMMAND: &str = "protocol";

/// The answer to `PROGRAM protocol describe`.
#[derive(Serialize, Deserialize)]
pub(super) struct Description {
    pub(super) protocol: u32,
    pub(super) program: About,
    pub(super) jobs: Vec<DescribedJob>,
}

/// The program itself.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) name: String,
    #[serde(default)]
    pub(super) version: String,
}

/// A job of a program. Its keys are those of `show --output json`.
#[derive(Serialize, Deserialize)]
pub(super) struct DescribedJob {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) source_label: String,
    pub(super) target_label: String,
    #[serde(default = "data_source")]
    pub(super) kind: JobKind,
    #[serde(default = "yes")]
    pub(super) dryrun_default: bool,
    #[serde(default)]
    pub(super) hidden: bool,
    #[serde(default)]
    pub(super) time_limit_seconds: Option<f64>,
    /// The limits that the program itself keeps.
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) on_guard: OnGuard,
    /// The limit on deletes that the host is to keep, for a program that keeps none.
    #[serde(default)]
    pub(super) max_deletes: Option<Limit>,
    /// The names of its models.
    pub(super) models: Vec<String>,
    #[serde(default)]
    pub(super) data_mappings: Vec<DataMapping>,
    #[serde(default)]
    pub(super) variables: Vec<DescribedVariable>,
    /// The options of a run that the program knows.
    #[serde(default)]
    pub(super) options: Vec<String>,
}

fn data_source() -> JobKind {
    JobKind::DataSource
}

fn yes() -> bool {
    true
}

/// A variable of a job.
#[derive(Serialize, Deserialize)]
pub(super) struct DescribedVariable {
    pub(super) name: String,
    #[serde(default)]
    pub(super) help: String,
    #[serde(default)]
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) secret: bool,
    #[serde(default)]
    pub(super) default: Option<String>,
    #[serde(default)]
    pub(super) env: Option<String>,
    #[serde(default)]
    pub(super) group: Option<String>,
}

/// The kind of a variable's values, as [`VariableKind`](diffsync_core::job::VariableKind) is serialised.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    Text,
    Integer,
    Number,
    Boolean,
    Url,
    Path,
    Json,
    Choice(Vec<String>),
    List(Box<Self>),
}

impl Kind {
    pub(super) fn of(kind: VariableKind) -> Self {
        match kind {
            VariableKind::Integer => Self::Integer,
            VariableKind::Number => Self::Number,
            VariableKind::Boolean => Self::Boolean,
            VariableKind::Url => Self::Url,
            VariableKind::Path => Self::Path,
            VariableKind::Json => Self::Json,
            VariableKind::Choice(names) => Self::Choice(names.iter().map(|name| (*name).to_owned()).collect()),
            VariableKind::List(kind) => Self::List(Box::new(Self::of(*kind))),
            _ => Self::Text,
        }
    }
}

/// What a host asks of `PROGRAM protocol run`, one JSON object a line.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(super) enum Command {
    /// The first line: run this job.
    Run(Box<Request>),
    /// The answer to `lock_target`: no other run writes to the target, so it can be loaded.
    Load,
    /// The answer to `diff_ready`: write.
    Write,
    /// Instead of either: end the run, and write nothing.
    Stop {
        /// Why, for the program's log.
        reason: String,
    },
    /// At any time: finish the calls in flight, and attempt nothing else.
    Cancel,
}

/// A run that is asked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) protocol: u32,
    pub(super) job: String,
    /// The given values of the variables. A program looks up others in the environment, and takes its defaults.
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    pub(super) dry_run: bool,
    #[serde(default)]
    pub(super) options: Options,
}

/// How a run is to be done, where that is not the default. A program refuses an option that it does not know: to ignore one
/// could delete what was to be left out.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_profiling: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_loading: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_unchanged_records: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_on_failure: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_failures: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<NonZeroUsize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_time_limit_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_rejected_percent: Option<f64>,
    /// The names of the flags, such as `skip_unmatched_dst`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<String>,
    #[serde(skip_serializing_if = "Filter::is_empty")]
    filter: Filter,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) limit_overrides: Vec<LimitOverride>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_guard: Option<OnGuard>,
}

impl Options {
    /// The options that a program built on this crate knows.
    pub(super) const NAMES: &[&str] = &[
        "memory_profiling",
        "parallel_loading",
        "log_unchanged_records",
        "continue_on_failure",
        "max_failures",
        "retries",
        "concurrency",
        "record_time_limit_seconds",
        "max_rejected_percent",
        "flags",
        "filter",
        "limit_overrides",
        "on_guard",
    ];

    /// Those of a run that are given, or are not the defaults of its job. One that is given, which is asked for by its key in a
    /// profile, is sent even if it is the default here: the program may have another.
    pub(super) fn of(options: &RunOptions, defaults: &RunOptions, is_given: impl Fn(&str) -> bool) -> Self {
        fn set<T: PartialEq>(value: T, default: &T, is_given: bool) -> Option<T> {
            (is_given || value != *default).then_some(value)
        }
        Self {
            memory_profiling: set(options.memory_profiling, &defaults.memory_profiling, is_given("memory_profiling")),
            parallel_loading: set(options.parallel_loading, &defaults.parallel_loading, is_given("parallel_loading")),
            log_unchanged_records: set(options.log_unchanged_records, &defaults.log_unchanged_records, false),
            continue_on_failure: set(
                options.continue_on_failure,
                &defaults.continue_on_failure,
                is_given("continue_on_failure"),
            ),
            max_failures: set(options.max_failures, &defaults.max_failures, is_given("max_failures")).flatten(),
            retries: set(options.retry.times, &defaults.retry.times, is_given("retries")),
            concurrency: set(options.concurrency, &defaults.concurrency, is_given("concurrency")).flatten(),
            record_time_limit_seconds: set(
                options.record_time_limit,
                &defaults.record_time_limit,
                is_given("record_time_limit"),
            )
            .flatten()
            .map(|limit| limit.as_secs_f64()),
            max_rejected_percent: set(options.max_rejected, &defaults.max_rejected, is_given("max_rejected"))
                .map(|share| share * 100.0),
            flags: options.flags.iter_names().map(|(name, _)| name.to_lowercase()).collect(),
            filter: options.filter.clone(),
            limit_overrides: options.limit_overrides.clone(),
            on_guard: set(options.on_guard, &defaults.on_guard, is_given("on_guard")),
        }
    }

    /// The names of the options that are set.
    pub(super) fn names(&self) -> Vec<String> {
        match serde_json::to_value(self) {
            Ok(Value::Object(set)) => set.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }

    /// The options of a run with these set.
    ///
    /// # Errors
    ///
    /// If one has a value that it cannot have.
    pub(super) fn set(self, options: &mut RunOptions) -> Result<(), String> {
        options.memory_profiling = self.memory_profiling.unwrap_or(options.memory_profiling);
        options.parallel_loading = self.parallel_loading.unwrap_or(options.parallel_loading);
        options.log_unchanged_records = self.log_unchanged_records.unwrap_or(options.log_unchanged_records);
        options.continue_on_failure = self.continue_on_failure.unwrap_or(options.continue_on_failure);
        options.max_failures = self.max_failures.or(options.max_failures);
        options.retry.times = self.retries.unwrap_or(options.retry.times);
        // As the flag: the clients of its adapters retry as well.
        options.request_retries = self.retries.or(options.request_retries);
        options.concurrency = self.concurrency.or(options.concurrency);
        if let Some(seconds) = self.record_time_limit_seconds {
            let limit = Duration::try_from_secs_f64(seconds);
            options.record_time_limit =
                Some(limit.map_err(|error| format!("`record_time_limit_seconds` = {seconds}: {error}"))?);
        }
        options.max_rejected = self.max_rejected_percent.map_or(options.max_rejected, |percent| percent / 100.0);
        for name in self.flags {
            let flag = Flags::from_name(&name.to_uppercase());
            options.flags |= flag.ok_or_else(|| format!("there is no flag {name:?}"))?;
        }
        options.filter = self.filter;
        options.limit_overrides = self.limit_overrides;
        options.on_guard = self.on_guard.unwrap_or(options.on_guard);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use diffsync_core::job::JobInfo;
    use diffsync_core::model::Operation;

    use super::*;

    #[test]
    fn the_options_of_a_run_arrive_as_they_were_set() {
        let info = JobInfo::new("x");
        let mut options = RunOptions::new(&info);
        (options.memory_profiling, options.parallel_loading, options.log_unchanged_records) = (true, true, true);
        (options.continue_on_failure, options.max_failures) = (false, Some(3));
        (options.retry.times, options.request_retries) = (0, Some(0));
        (options.concurrency, options.record_time_limit) = (NonZeroUsize::new(2), Some(Duration::from_millis(1_500)));
        (options.max_rejected, options.on_guard) = (0.25, OnGuard::Hold);
        options.flags = Flags::SKIP_UNMATCHED_DST | Flags::PREVENT_DESTROY;
        options.filter = Filter { records: vec!["site=a*".parse().unwrap()], operations: vec![Operation::Create] };
        let options = options.allow("site", Operation::Delete, Limit::Percent(50.0));

        let sent = Options::of(&options, &RunOptions::new(&info), |_| false);
        let mut names = sent.names();
        names.sort();
        let mut all: Vec<_> = Options::NAMES.to_vec();
        all.sort_unstable();
        assert_eq!(names, all, "every option is sent, and every option that is sent is known");

        let received: Options = serde_json::from_str(&serde_json::to_string(&sent).unwrap()).unwrap();
        let mut taken = RunOptions::new(&info);
        received.set(&mut taken).unwrap();
        assert_eq!(format!("{taken:?}"), format!("{options:?}"));
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        let info = JobInfo { on_guard: OnGuard::Hold, concurrency: Some(3), ..JobInfo::new("x") };
        let sent = Options::of(&RunOptions::new(&info), &RunOptions::new(&info), |_| false);
        assert_eq!(serde_json::to_string(&sent).unwrap(), "{}");
    }

    #[test]
    fn what_is_given_is_sent_even_if_it_is_the_default() {
        let options = RunOptions::new(&JobInfo::new("x"));
        let given = ["retries", "record_time_limit", "on_guard", "parallel_loading"];
        let sent = Options::of(&options, &options, |key| given.contains(&key));
        assert_eq!(
            serde_json::to_value(&sent).unwrap(),
            serde_json::json!({
                "parallel_loading": false, "retries": 4, "record_time_limit_seconds": 300.0, "on_guard": "stop"
            })
        );
    }

    #[test]
    fn an_option_that_is_not_known_is_refused() {
        let read = |text: &str| serde_json::from_str::<Options>(text).err().map(|error| error.to_string());
        assert!(read(r#"{"only_mondays":true}"#).unwrap().contains("unknown field `only_mondays`"));
        let unknown: Options = serde_json::from_str(r#"{"flags":["skip_all"]}"#).unwrap();
        let error = unknown.set(&mut RunOptions::new(&JobInfo::new("x"))).unwrap_err();
        assert_eq!(error, "there is no flag \"skip_all\"");
    }
}

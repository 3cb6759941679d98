//! The jobs of a program.
//!
//! `#[job]` registers its struct when the program is linked. The linker drops crates that are never named, and the order
//! differs from build to build. So the registry is created explicitly: it sorts its jobs by id, refuses duplicate ids, and
//! fails if it is empty.

use std::any::{TypeId, type_name};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;

use super::{
    Choices, ConfigItem, DataMapping, Job, JobContext, JobInfo, VariableError, VariableErrors, VariableSpec,
    VariableValues,
};
use crate::adapter::Adapter;
use crate::adapter::health_check::HealthCheck;
use crate::data::dataset::Dataset;
use crate::data::side::Side;
use crate::error::JobError;
use crate::model::schema::ModelSchema;
use crate::report::RunReport;
use crate::report::event::Observer;
use crate::run::{Run, RunOptions};
use crate::value::suggest::suggest;

/// A job without its type: all that a program needs to list, show and run it.
#[derive(Debug, Clone, Copy)]
pub struct JobEntry {
    info: &'static JobInfo,
    variables: &'static [VariableSpec],
    type_id: fn() -> TypeId,
    type_name: fn() -> &'static str,
    models: &'static [&'static ModelSchema],
    data_mappings: fn() -> Vec<DataMapping>,
    choices: for<'values> fn(&str, &'values VariableValues) -> Option<Choices<'values>>,
    prepare: fn(&VariableValues) -> Result<Box<dyn PreparedJob>, VariableErrors>,
}

inventory::collect!(JobEntry);

impl JobEntry {
    /// The entry of a job.
    #[must_use]
    pub const fn new<J: Job>() -> Self {
        Self {
            info: &J::INFO,
            variables: J::VARIABLES,
            type_id: TypeId::of::<J>,
            type_name: type_name::<J>,
            models: J::Data::SCHEMAS,
            data_mappings: J::data_mappings,
            choices: J::choices,
            prepare: prepare::<J>,
        }
    }

    /// The job's metadata.
    #[must_use]
    pub fn info(&self) -> &'static JobInfo {
        self.info
    }

    /// The job's variables.
    #[must_use]
    pub fn variables(&self) -> &'static [VariableSpec] {
        self.variables
    }

    /// The models that the job compares.
    #[must_use]
    pub fn models(&self) -> &'static [&'static ModelSchema] {
        self.models
    }

    /// The job's models, with their source and target.
    #[must_use]
    pub fn data_mappings(&self) -> Vec<DataMapping> {
        (self.data_mappings)()
    }

    /// The choices for this variable, given the values known so far; `None` unless the job declares any.
    #[must_use]
    pub fn choices<'values>(&self, variable: &str, values: &'values VariableValues) -> Option<Choices<'values>> {
        (self.choices)(variable, values)
    }

    /// Creates the job from its variables' values.
    ///
    /// # Errors
    ///
    /// All values that are missing or wrong, together.
    pub fn prepare(&self, values: &VariableValues) -> Result<Box<dyn PreparedJob>, VariableErrors> {
        (self.prepare)(values)
    }
}

/// A job with its variables set, ready to run.
pub trait PreparedJob: Send + Sync {
    /// The job's configuration, without secrets.
    fn config_information(&self) -> Vec<ConfigItem>;

    /// Runs the health checks of both systems, the source first. Nothing is loaded or written.
    ///
    /// # Errors
    ///
    /// If the variables are not valid together.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<[HealthCheck; 2], JobError>> + Send + '_>>;

    /// Runs the job to its end.
    fn run(
        &self,
        options: RunOptions,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Pin<Box<dyn Future<Output = RunReport> + Send + '_>>;
}

struct Prepared<J>(Arc<J>);

impl<J: Job> PreparedJob for Prepared<J> {
    fn config_information(&self) -> Vec<ConfigItem> {
        self.0.config_information()
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<[HealthCheck; 2], JobError>> + Send + '_>> {
        Box::pin(async {
            self.0.validate()?;

            // A check changes nothing, so the adapters are created as for a dry run.
            let cx = JobContext { dry_run: true };
            let source = health_check(Side::Source, self.0.source_adapter(&cx).await).await;
            let target = health_check(Side::Target, self.0.target_adapter(&cx).await).await;
            Ok([source, target])
        })
    }

    fn run(
        &self,
        options: RunOptions,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Pin<Box<dyn Future<Output = RunReport> + Send + '_>> {
        Box::pin(Run::execute(Arc::clone(&self.0), options, observers))
    }
}

/// Runs an adapter's health check. An adapter that could not be created counts as a failed check.
async fn health_check<A: Adapter>(side: Side, adapter: Result<A, JobError>) -> HealthCheck {
    let mut health = HealthCheck::new(side);
    match adapter {
        Ok(adapter) => adapter.check(&mut health).await,
        Err(error) => health.failed("set-up", error.to_string()),
    }
    health
}

fn prepare<J: Job>(values: &VariableValues) -> Result<Box<dyn PreparedJob>, VariableErrors> {
    Ok(Box::new(Prepared(Arc::new(J::from_variables(values)?))))
}

/// The jobs of a program, sorted by id.
#[derive(Debug, Clone, Default)]
pub struct JobRegistry {
    jobs: Vec<JobEntry>,
}

impl JobRegistry {
    /// The jobs that were linked into the program, and those named here.
    ///
    /// A crate whose jobs are only registered at link time must be named somewhere in the program, if only with
    /// `use my_jobs as _;`. Otherwise the linker silently drops it.
    ///
    /// # Errors
    ///
    /// If two jobs have the same id, or there is no job.
    pub fn from_linked(named: impl IntoIterator<Item = JobEntry>) -> Result<Self, RegistryError> {
        Self::new(inventory::iter::<JobEntry>.into_iter().copied().chain(named))
    }

    /// These jobs and no others. A job that is given twice counts once.
    ///
    /// # Errors
    ///
    /// If two jobs have the same id, or there is no job.
    pub fn new(entries: impl IntoIterator<Item = JobEntry>) -> Result<Self, RegistryError> {
        let mut jobs: Vec<JobEntry> = entries.into_iter().collect();

        // A job that is linked and named comes twice. Sorting makes the two neighbours.
        jobs.sort_by_key(|job| (job.info.id, job.info.defined_at));
        jobs.dedup_by_key(|job| (job.type_id)());

        let same_id = jobs.windows(2).find_map(|pair| match pair {
            [first, second] if first.info.id == second.info.id => Some((*first, *second)),
            _ => None,
        });
        if let Some((first, second)) = same_id {
            return Err(RegistryError::SameId {
                id: first.info.id,
                first: format!("{} at {}", (first.type_name)(), first.info.defined_at),
                second: format!("{} at {}", (second.type_name)(), second.info.defined_at),
            });
        }

        if jobs.is_empty() {
            return Err(RegistryError::Empty);
        }
        Ok(Self { jobs })
    }

    /// Checks that every variable accepts its default. Only parsing can tell, so a program does this when it starts rather
    /// than when the job runs.
    ///
    /// # Errors
    ///
    /// The first default that is wrong.
    pub fn check_defaults(&self) -> Result<(), RegistryError> {
        for job in &self.jobs {
            let errors = job.prepare(&VariableValues::new()).err();

            // Required variables are missing too, which is no mistake of the job.
            if let Some(error) = errors.iter().flatten().find(|error| error.is_about_default()) {
                let JobInfo { id, defined_at, .. } = job.info;
                return Err(RegistryError::Default { id, defined_at, error: error.clone() });
            }
        }
        Ok(())
    }

    /// The jobs, sorted by id.
    pub fn iter(&self) -> std::slice::Iter<'_, JobEntry> {
        self.jobs.iter()
    }

    /// The job with this id.
    ///
    /// # Errors
    ///
    /// If there is no such job; the error suggests the nearest id.
    pub fn get(&self, id: &str) -> Result<&JobEntry, UnknownJob> {
        self.jobs.iter().find(|job| job.info.id == id).ok_or_else(|| UnknownJob {
            id: id.to_owned(),
            suggestion: suggest(id, self.jobs.iter().map(|job| job.info.id)),
        })
    }
}

impl<'a> IntoIterator for &'a JobRegistry {
    type Item = &'a JobEntry;
    type IntoIter = std::slice::Iter<'a, JobEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Why a program's jobs cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two jobs have the same id.
    #[error("two jobs have the id `{id}`: {first} and {second}; give one of them another with `id = \"…\"`")]
    SameId {
        /// The id.
        id: &'static str,
        /// One job and where it is defined.
        first: String,
        /// The other.
        second: String,
    },
    /// A variable of a job does not accept its default.
    #[error("the job `{id}` at {defined_at} has a variable with a wrong default: {error}")]
    Default {
        /// The job's id.
        id: &'static str,
        /// Where the job is defined.
        defined_at: &'static str,
        /// What is wrong.
        #[source]
        error: VariableError,
    },
    /// No job was linked.
    #[error(
        "no job is linked into this program; name the crate that holds your jobs (`use my_jobs as _;`), so that the linker keeps it"
    )]
    Empty,
}

/// There is no job with this id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no job `{id}`{}", self.suggestion.map(|suggestion| format!("; did you mean `{suggestion}`?")).unwrap_or_default())]
pub struct UnknownJob {
    /// The id that was asked for.
    pub id: String,
    /// The nearest id, if one is close.
    pub suggestion: Option<&'static str>,
}

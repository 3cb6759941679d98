//! Jobs: one named sync between two systems, with hooks that can be overridden.
//!
//! `#[job]` names the source and the target, and each field of the struct is a variable of the job. A [`JobRegistry`] holds
//! all jobs of a program.

pub(crate) mod adapter_pair;
mod info;
mod registry;
mod variable;

use std::future::Future;

use serde_json::Value;
use url::Url;

pub use self::info::{DataMapping, JobInfo, JobKind};
pub use self::registry::{JobEntry, JobRegistry, PreparedJob, RegistryError, UnknownJob};
pub use self::variable::{
    Variable, VariableError, VariableErrors, VariableKind, VariableReader, VariableSpec, VariableValues,
};

pub use crate::error::JobError;
pub use crate::model::derive_support::Choices;

use crate::adapter::{Adapter, CompleteContext, LoadContext, WrittenBy};
use crate::apply::loaded_sides::LoadedSides;
use crate::data::dataset::Dataset;
use crate::error::AdapterError;
use crate::execute::WritePermit;
use crate::plan::Plan;
use crate::report::RunError;
use crate::report::config::ConfigItem;
use crate::run::Run;

/// What `#[job]` generates: types, metadata, variables and registration. [`Job`] builds on it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not declared as a job",
    label = "not declared as a job",
    note = "put `#[job(source = MySource, target = MyTarget)]` on the struct"
)]
pub trait JobSpec: Sized + Send + Sync + 'static {
    /// The data set of both sides.
    type Data: Dataset + WrittenBy<Self::Target>;
    /// The system that the records come from.
    type Source: Adapter<Data = Self::Data>;
    /// The system that is made to match the source.
    type Target: Adapter<Data = Self::Data>;

    /// The job's metadata.
    const INFO: JobInfo;
    /// The job's variables, in the order of the struct's fields.
    const VARIABLES: &'static [VariableSpec];

    /// Creates the job from its variables' values.
    ///
    /// # Errors
    ///
    /// All values that are missing or wrong, together.
    fn from_variables(values: &VariableValues) -> Result<Self, VariableErrors>;

    /// The values of the job's variables, without secrets.
    fn variable_values(&self) -> Vec<(&'static VariableSpec, Value)>;

    /// The choices for this variable, given the values known so far; `None` without `#[var(choices = …)]`. They may come
    /// from a system, so this takes time and can fail.
    #[must_use]
    fn choices<'values>(variable: &str, values: &'values VariableValues) -> Option<Choices<'values>> {
        let _ = (variable, values);
        None
    }
}

/// One named sync: a source, a target, its variables and its metadata.
///
/// `#[job]` on a struct implements [`JobSpec`]; only the two functions that create the adapters are left to write. Every
/// other hook has a default, and a run is measured whether or not hooks are overridden.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    label = "not a job",
    note = "implement `Job` for it with `async fn source_adapter` and `async fn target_adapter`"
)]
pub trait Job: JobSpec {
    /// Creates the source's adapter from the job's variables.
    ///
    /// An undo plan loads nothing from the source, but still needs the adapter for later hooks. Connect in
    /// [`Adapter::load`] rather than here, so that a run can be undone while the source is unreachable.
    fn source_adapter(&self, cx: &JobContext) -> impl Future<Output = Result<Self::Source, JobError>> + Send;

    /// Creates the target's adapter from the job's variables.
    fn target_adapter(&self, cx: &JobContext) -> impl Future<Output = Result<Self::Target, JobError>> + Send;

    /// Checks the variables before anything is loaded.
    fn validate(&self) -> Result<(), JobError> {
        Ok(())
    }

    /// Loads the source.
    fn load_source_adapter(
        &self,
        source: &Self::Source,
        data: &mut Self::Data,
        cx: &LoadContext<'_>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send {
        source.load(data, cx)
    }

    /// Loads the target.
    fn load_target_adapter(
        &self,
        target: &Self::Target,
        data: &mut Self::Data,
        cx: &LoadContext<'_>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send {
        target.load(data, cx)
    }

    /// Compares the two sides.
    ///
    /// The returned plan must come from [`LoadedSides::compare`] on the given `loaded`, which knows the run's flags and
    /// filter, the plan file that is applied, and the target's capabilities. More can be left out first with
    /// [`LoadedSides::only`] and [`LoadedSides::with_flags`]. Any other plan, such as one from [`Plan::new`], ends the run.
    fn calculate_diff(
        &self,
        loaded: LoadedSides<Self::Data>,
    ) -> impl Future<Output = Result<Plan<Self::Data>, JobError>> + Send {
        async move { Ok(loaded.compare()) }
    }

    /// Applies the plan to the target.
    fn execute_sync(
        &self,
        target: &Self::Target,
        permit: WritePermit<'_, '_, Self::Data>,
    ) -> impl Future<Output = Result<(), JobError>> + Send {
        async move {
            permit.execute(target).await;
            Ok(())
        }
    }

    /// Calls the four steps in order. `run` measures each of them, even if this hook is overridden.
    fn sync_data(&self, run: &mut Run<Self>) -> impl Future<Output = Result<(), RunError>> + Send
    where
        Self: Job,
    {
        async move {
            run.load().await?;
            run.calculate_diff().await?;
            run.execute_sync().await
        }
    }

    /// Called after every real run that wrote, even a partial one.
    fn sync_complete(
        &self,
        source: &Self::Source,
        target: &Self::Target,
        synced: &CompleteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<(), JobError>> + Send {
        let _ = source;
        async move { Ok(target.sync_complete(synced).await?) }
    }

    /// The URL of a record's page.
    fn lookup_object(&self, record: &RecordLookup<'_, Self::Source, Self::Target>) -> Option<Url> {
        self.generated_lookup_object(record)
    }

    /// The job's models, with their source and target. Known without a run.
    #[must_use]
    fn data_mappings() -> Vec<DataMapping> {
        Self::generated_data_mappings()
    }

    /// The job's configuration, for its page, without secrets.
    fn config_information(&self) -> Vec<ConfigItem> {
        self.generated_config_information()
    }

    /// The generated [`Job::data_mappings`], for an override to build on.
    #[must_use]
    fn generated_data_mappings() -> Vec<DataMapping> {
        Self::Data::SCHEMAS.iter().map(|schema| DataMapping::of(schema, &Self::INFO)).collect()
    }

    /// The generated [`Job::config_information`], for an override to build on.
    fn generated_config_information(&self) -> Vec<ConfigItem> {
        let values = self.variable_values().into_iter();
        values.map(|(spec, value)| ConfigItem { name: spec.name.into(), help: spec.help.into(), value }).collect()
    }

    /// The generated [`Job::lookup_object`], for an override to build on: the record's page in the target if the target
    /// holds it, else its page in the source.
    fn generated_lookup_object(&self, record: &RecordLookup<'_, Self::Source, Self::Target>) -> Option<Url> {
        let in_target = record.in_target.then(|| record.target.record_url(record.model, record.id));
        in_target
            .flatten()
            .or_else(|| record.in_source.then(|| record.source.record_url(record.model, record.id)).flatten())
    }
}

/// The context of the hooks that create adapters.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct JobContext {
    /// Whether the run writes nothing.
    pub dry_run: bool,
}

/// A record whose page is looked up.
#[derive(Debug)]
pub struct RecordLookup<'a, S, T> {
    /// The model's name.
    pub model: &'a str,
    /// The record's identifier as text.
    pub id: &'a str,
    /// Whether the source holds it.
    pub in_source: bool,
    /// Whether the target holds it now.
    pub in_target: bool,
    /// The source's adapter.
    pub source: &'a S,
    /// The target's adapter.
    pub target: &'a T,
}

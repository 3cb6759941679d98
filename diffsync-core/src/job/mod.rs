//! Jobs: one named sync between two systems, and every hook of it that can be overridden.
//!
//! `#[job]` names the source and the target, and each field of the struct is a variable of the job. A [`JobRegistry`] holds
//! all jobs of a program.

mod info;
mod registry;
mod variable;

use std::future::Future;

use serde_json::Value;
use url::Url;

pub use self::info::{DataMapping, JobInfo, JobKind};
pub use self::registry::{JobEntry, JobRegistry, PreparedJob, RegistryError, UnknownJob};
pub use self::variable::{
    Variable, VariableError, VariableErrors, VariableKind, VariableReader, VariableSpec, VariableValues, redact_url,
};

pub use crate::error::JobError;
pub use crate::model::derive_support::Choices;

use crate::adapter::{Adapter, CompleteContext, LoadContext, WrittenBy};
use crate::apply::compare::Loaded;
use crate::data::dataset::Dataset;
use crate::error::AdapterError;
use crate::execute::Approved;
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
    /// What both sides hold.
    type Data: Dataset + WrittenBy<Self::Target>;
    /// The system that the records come from.
    type Source: Adapter<Data = Self::Data>;
    /// The system that is brought in line.
    type Target: Adapter<Data = Self::Data>;

    /// The job's metadata.
    const INFO: JobInfo;
    /// The job's variables, in the order of the struct's fields.
    const VARIABLES: &'static [VariableSpec];

    /// Makes the job from its variables' values.
    ///
    /// # Errors
    ///
    /// All values that are missing or wrong, together.
    fn from_variables(values: &VariableValues) -> Result<Self, VariableErrors>;

    /// The job's variables by name, secrets left out.
    fn variable_values(&self) -> Vec<(&'static VariableSpec, Value)>;

    /// What there is to choose from for this variable, given the others as far as they are known; `None` unless it says
    /// `#[var(choices = …)]`. It asks an adapter, so it takes time and can fail.
    #[must_use]
    fn choices<'values>(variable: &str, values: &'values VariableValues) -> Option<Choices<'values>> {
        let _ = (variable, values);
        None
    }
}

/// One named sync: a source, a target, its variables and its metadata.
///
/// `#[job]` on a struct implements [`JobSpec`]; what is left to write is how the two adapters are made. Every other hook
/// has a default, and a run stays measured whichever of them is overridden.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    label = "not a job",
    note = "implement `Job` for it with `async fn source_adapter` and `async fn target_adapter`"
)]
pub trait Job: JobSpec {
    /// Makes the source's adapter from the job's variables.
    ///
    /// A run that takes another back loads nothing from the source, but makes its adapter, since later hooks are handed
    /// it. So that a run can be taken back while the source is gone, making the adapter asks the source nothing;
    /// connecting to it is for [`Adapter::load`].
    fn source_adapter(&self, cx: &JobContext) -> impl Future<Output = Result<Self::Source, JobError>> + Send;

    /// Makes the target's adapter from the job's variables.
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
    /// The plan that it returns must come of the `loaded` that it is given, by way of [`Loaded::compare`]: that knows the
    /// run's flags and filter, the saved plan that is carried out, and what the target is able to do. More can be left
    /// out before ([`Loaded::only`], [`Loaded::with_flags`]). Any other plan, such as one made by [`Plan::new`], ends the
    /// run.
    fn calculate_diff(
        &self,
        loaded: Loaded<Self::Data>,
    ) -> impl Future<Output = Result<Plan<Self::Data>, JobError>> + Send {
        async move { Ok(loaded.compare()) }
    }

    /// Writes to the target what the diff says.
    fn execute_sync(
        &self,
        target: &Self::Target,
        approved: Approved<'_, '_, Self::Data>,
    ) -> impl Future<Output = Result<(), JobError>> + Send {
        async move {
            approved.execute(target).await;
            Ok(())
        }
    }

    /// The four steps in their order. Each is measured by `run`, whatever stands around it here.
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

    /// Called after every real run that wrote, also a partial one.
    fn sync_complete(
        &self,
        source: &Self::Source,
        target: &Self::Target,
        synced: &CompleteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<(), JobError>> + Send {
        let _ = source;
        async move { Ok(target.sync_complete(synced).await?) }
    }

    /// Where a person finds a record.
    fn lookup_object(&self, object: &Object<'_, Self::Source, Self::Target>) -> Option<Url> {
        self.generated_lookup_object(object)
    }

    /// Which models go from where to where. Known without a run.
    #[must_use]
    fn data_mappings() -> Vec<DataMapping> {
        Self::generated_data_mappings()
    }

    /// How the job is set up, for its page. Secrets are left out.
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

    /// The generated [`Job::lookup_object`], for an override to build on: the target's page of the record if the target
    /// holds it, else the source's.
    fn generated_lookup_object(&self, object: &Object<'_, Self::Source, Self::Target>) -> Option<Url> {
        let in_target = object.in_target.then(|| object.target.record_url(object.model, object.id));
        in_target
            .flatten()
            .or_else(|| object.in_source.then(|| object.source.record_url(object.model, object.id)).flatten())
    }
}

/// What a job's hooks get to know of the run.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct JobContext {
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// A record that somebody wants to see in one of the two systems.
#[derive(Debug)]
pub struct Object<'a, S, T> {
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

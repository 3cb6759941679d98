//! Everything by another path: a crate that hides the core behind its own name.

/// The core by another name.
pub mod facade {
    pub use diffsync_core as sync;
}

use diffsync_core::ModelExt;
use facade::sync::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use facade::sync::job::{JobContext, JobError, VariableValues};
use facade::sync::{Adapter, Choice, Dataset, Job, SyncModel, Table, Target, job};

/// A thing.
#[derive(SyncModel, Debug, Clone)]
#[sync(crate = facade::sync, max_deletes = "20%", flags(prevent_destroy))]
pub struct Thing {
    /// Its number.
    #[sync(id)]
    pub number: u8,
    /// What it lies in.
    #[sync(parent = Self)]
    pub within: Option<u8>,
    /// What it is like.
    #[sync(compare = contains)]
    pub tags: Vec<String>,
}

/// All things.
#[derive(Dataset, Debug, Default)]
#[dataset(crate = crate::elsewhere::facade::sync)]
pub struct Things {
    /// They.
    pub things: Table<Thing>,
}

/// Where they are.
#[derive(Debug, Clone, Copy)]
pub struct Elsewhere;

impl Adapter for Elsewhere {
    type Data = Things;

    async fn load(&self, things: &mut Things, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        things.things.mark_loaded();
        Ok(())
    }
}

impl Target<Thing> for Elsewhere {
    async fn create(&self, new: &Thing, _: &WriteContext<'_, Things>) -> Result<Thing, TargetError> {
        Ok(new.clone())
    }

    async fn update(
        &self,
        old: &Thing,
        patch: &ThingPatch,
        _: &WriteContext<'_, Things>,
    ) -> Result<Thing, TargetError> {
        Ok(old.patched(patch))
    }

    async fn delete(&self, _: &Thing, _: &WriteContext<'_, Things>) -> Result<(), TargetError> {
        Ok(())
    }
}

/// How far.
#[derive(Choice, Debug, Clone, Copy)]
#[choice(crate = facade::sync)]
pub enum Distance {
    /// Over there.
    Near,
    /// Not from here.
    Far,
}

/// From elsewhere to elsewhere.
#[job(source = Elsewhere, target = Elsewhere, crate = facade::sync, skip(Thing), max_updates = 1)]
#[derive(Debug)]
pub struct ElsewhereToElsewhere {
    /// How far.
    #[var(default = "near")]
    pub distance: Distance,
    /// Where to.
    #[var(choices = places)]
    pub place: Option<String>,
}

#[allow(clippy::unused_async, reason = "a real one asks a server")]
async fn places(_: &VariableValues) -> Result<Vec<String>, JobError> {
    Ok(Vec::new())
}

impl Job for ElsewhereToElsewhere {
    async fn source_adapter(&self, _: &JobContext) -> Result<Elsewhere, JobError> {
        Ok(Elsewhere)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Elsewhere, JobError> {
        Ok(Elsewhere)
    }
}

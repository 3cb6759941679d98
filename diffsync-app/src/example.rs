//! A job on two empty systems and an output that panics, for the tests of this crate.

use std::io::{self, Write};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobContext, JobError, VariableValues};
use diffsync_core::value::Secret;
use diffsync_core::{Adapter, Dataset, Job, SyncModel, Table, Target, job};

#[derive(SyncModel)]
pub(crate) struct Site {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
pub(crate) struct Sites {
    sites: Table<Site>,
}

pub(crate) struct Nowhere;

impl Adapter for Nowhere {
    type Data = Sites;
    async fn load(&self, sites: &mut Sites, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        sites.sites.mark_loaded();
        Ok(())
    }
}

impl Target<Site> for Nowhere {
    async fn create(&self, _: &Site, _: &WriteContext<'_, Sites>) -> Result<Site, TargetError> {
        Err(TargetError::new("no"))
    }
    async fn update(&self, _: &Site, _: &SitePatch, _: &WriteContext<'_, Sites>) -> Result<Site, TargetError> {
        Err(TargetError::new("no"))
    }
    async fn delete(&self, _: &Site, _: &WriteContext<'_, Sites>) -> Result<(), TargetError> {
        Err(TargetError::new("no"))
    }
}

#[job(source = Nowhere, target = Nowhere)]
pub(crate) struct NowhereToNowhere {
    /// The site.
    #[var(choices = sites)]
    site: Option<String>,
    /// The floor.
    #[var(choices = floors)]
    floor: u8,
    /// Where to ask.
    #[var(default = "here")]
    place: String,
    /// The levels.
    levels: Vec<u8>,
    /// The token of the place.
    token: Option<Secret<String>>,
}

#[allow(clippy::unused_async, reason = "what asks a system is asynchronous")]
async fn sites(values: &VariableValues) -> Result<Vec<String>, JobError> {
    match values.get("place") {
        [place] if place == "here" => Ok(vec!["ams01".into(), "fra01".into()]),
        _ => Err(JobError::new("the place does not answer")),
    }
}

#[allow(clippy::unused_async, reason = "what asks a system is asynchronous")]
async fn floors(_: &VariableValues) -> Result<Vec<String>, JobError> {
    Ok(vec!["1".into(), "2".into()])
}

impl Job for NowhereToNowhere {
    async fn source_adapter(&self, _: &JobContext) -> Result<Nowhere, JobError> {
        Ok(Nowhere)
    }
    async fn target_adapter(&self, _: &JobContext) -> Result<Nowhere, JobError> {
        Ok(Nowhere)
    }
}

/// An output whose code panics, as that of a record may.
pub(crate) struct Panicking;

impl Write for Panicking {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("its own code")
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! The default of a variable is a value of its type.

use diffsync_core::{
    Adapter, AdapterError, Dataset, Job, JobContext, JobError, LoadContext, SyncModel, Table, Target,
    TargetError, Url, WriteContext, job,
};

#[derive(SyncModel, Clone)]
struct Region {
    #[sync(id)]
    slug: String,
    name: String,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
}

struct File;

impl Adapter for File {
    type Data = World;

    async fn load(&self, _: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        Ok(())
    }
}

impl Target<Region> for File {
    async fn create(&self, new: &Region, _: &WriteContext<'_, World>) -> Result<Region, TargetError> {
        Ok(new.clone())
    }

    async fn update(
        &self,
        old: &Region,
        patch: &RegionPatch,
        _: &WriteContext<'_, World>,
    ) -> Result<Region, TargetError> {
        Ok(old.patched(patch))
    }

    async fn delete(&self, _: &Region, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
        Ok(())
    }
}

#[job(source = File, target = File)]
struct Regions {
    #[var(default = "many")]
    number: u16,
    #[var(default = 70000)]
    small: u16,
    #[var(default = "1,5")]
    ratio: f64,
    #[var(default = "maybe")]
    flag: bool,
    #[var(default = "example.net")]
    url: Url,
    #[var(default = "europe")]
    json: serde_json::Value,
    #[var(default = -1)]
    list: Vec<u32>,
    #[var(default = "-1.5e3")]
    right: Option<f64>,
}

impl Job for Regions {
    async fn source_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }
}

fn main() {}

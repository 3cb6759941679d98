//! A target writes every model of its data set.

use diffsync::prelude::*;

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

#[job(source = File, target = File)]
struct Regions;

impl Job for Regions {
    async fn source_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }
}

fn main() {}

//! A secret has no default, under whatever name its type goes.

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

type Token = diffsync::value::Secret<String>;

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
    #[var(default = "hunter2")]
    token: Token,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}

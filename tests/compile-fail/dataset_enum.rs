//! A data set is a struct.

use diffsync::prelude::*;

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
enum World {
    Regions(Table<Region>),
    #[default]
    Nothing,
}

// What uses it adds no errors.
struct File;

impl Adapter for File {
    type Data = World;

    async fn load(&self, _: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        Ok(())
    }
}

fn main() {}

//! A data set has one table of a model, however the model is written.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

type Area = Region;

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
    areas: Table<Area>,
}

fn main() {}

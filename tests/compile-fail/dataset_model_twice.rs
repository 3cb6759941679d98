//! A data set has one table of a model.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
    more_regions: Table<Region>,
}

fn main() {}

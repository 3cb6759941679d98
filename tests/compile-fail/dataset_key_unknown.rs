//! A data set has one key.

use diffsync_core::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
#[dataset(krate = diffsync_core)]
struct World {
    regions: Table<Region>,
}

#[derive(Dataset, Default)]
#[dataset(crate)]
struct Worlds {
    regions: Table<Region>,
}

fn main() {}

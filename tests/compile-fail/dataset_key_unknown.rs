//! A data set has one key.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
#[dataset(krate = diffsync)]
struct World {
    regions: Table<Region>,
}

#[derive(Dataset, Default)]
#[dataset(crate)]
struct Worlds {
    regions: Table<Region>,
}

fn main() {}

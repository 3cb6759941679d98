//! A data set begins empty.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset)]
struct World {
    regions: Table<Region>,
}

fn main() {}

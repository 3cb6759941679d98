//! The fields of a data set are tables.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
    names: Vec<String>,
    loaded: bool,
}

fn main() {}

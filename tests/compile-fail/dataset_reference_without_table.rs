//! A data set holds what its records refer to.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(references = Region)]
    regions: Vec<String>,
}

#[derive(Dataset, Default)]
struct World {
    countries: Table<Country>,
}

fn main() {}

//! A data set holds the parents of what it holds.

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
    #[sync(parent = Region)]
    region: String,
}

#[derive(Dataset, Default)]
struct World {
    countries: Table<Country>,
}

fn main() {}

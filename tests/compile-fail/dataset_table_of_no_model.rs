//! A table holds records of a model.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

struct Country {
    slug: String,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
    countries: Table<Country>,
}

fn main() {}

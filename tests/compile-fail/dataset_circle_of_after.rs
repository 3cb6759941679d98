//! Models are not written after each other.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
#[sync(after(Country))]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(after(Region))]
struct Country {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
    countries: Table<Country>,
}

fn main() {}

//! What must exist before each other never exists; a deferred reference is no such thing.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
    #[sync(references = Country)]
    capital: Option<String>,
    #[sync(references(Country, deferred))]
    largest: Option<String>,
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
    regions: Table<Region>,
    countries: Table<Country>,
}

fn main() {}

//! Models are not each other's parents; the message names the path.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(parent = City)]
    capital: String,
}

#[derive(SyncModel)]
struct District {
    #[sync(id)]
    slug: String,
    #[sync(parent = Country)]
    country: String,
}

#[derive(SyncModel)]
struct City {
    #[sync(id)]
    slug: String,
    #[sync(parent = District)]
    district: String,
}

#[derive(Dataset, Default)]
struct World {
    countries: Table<Country>,
    districts: Table<District>,
    cities: Table<City>,
}

fn main() {}

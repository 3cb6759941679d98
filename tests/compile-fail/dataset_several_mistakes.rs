//! All mistakes of a data set are reported in one build.

use diffsync::{Dataset, SyncModel, Table};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(name = "region")]
struct Area {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(parent = Continent)]
    continent: String,
}

#[derive(SyncModel)]
struct Continent {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
struct World {
    names: Vec<String>,
    regions: Table<Region>,
    more_regions: Table<Region>,
    areas: Table<Area>,
    countries: Table<Country>,
}

fn main() {}

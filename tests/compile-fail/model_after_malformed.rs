//! A model is written after other models.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(after(Self, Region, Region, Country))]
struct Country {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(after = Region)]
struct City {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(after("region"))]
struct Town {
    #[sync(id)]
    slug: String,
}

fn main() {}

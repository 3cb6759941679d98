//! A record lives under one parent.

use diffsync::SyncModel;

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
    #[sync(parent = Region)]
    former_region: String,
}

#[derive(SyncModel)]
#[sync(parent(Region, slug = region))]
struct City {
    #[sync(id)]
    slug: String,
    region: String,
    #[sync(parent = Country)]
    country: String,
}

fn main() {}

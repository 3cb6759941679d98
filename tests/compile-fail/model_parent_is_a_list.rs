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
    regions: Vec<String>,
}

#[derive(SyncModel)]
#[sync(parent(Region, slug = regions))]
struct City {
    #[sync(id)]
    slug: String,
    regions: Option<Vec<String>>,
}

fn main() {}

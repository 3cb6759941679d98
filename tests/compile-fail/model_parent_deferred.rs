//! What a record lives under is there before it.

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
    #[sync(parent(Region, deferred))]
    region: Option<String>,
}

#[derive(SyncModel)]
#[sync(parent(Region, slug = region, deferred))]
struct City {
    #[sync(id)]
    slug: String,
    region: Option<String>,
}

fn main() {}

//! What identifies a record is there from its creation on.

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
    #[sync(id, references(Region, deferred))]
    region: Option<String>,
}

#[derive(SyncModel)]
#[sync(references(Region, slug = region, deferred))]
struct City {
    #[sync(id)]
    slug: String,
    #[sync(id)]
    region: Option<String>,
}

fn main() {}

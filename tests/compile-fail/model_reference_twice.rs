//! A link is said once.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(references(Region, slug = region), references(Region, slug = region))]
struct Country {
    #[sync(id)]
    slug: String,
    region: String,
    #[sync(references = Region, references = Region)]
    second: String,
}

fn main() {}

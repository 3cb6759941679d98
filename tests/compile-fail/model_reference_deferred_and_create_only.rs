//! What is set after the creation is not set at the creation only.

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
    #[sync(references(Region, deferred), create_only)]
    region: Option<String>,
}

fn main() {}

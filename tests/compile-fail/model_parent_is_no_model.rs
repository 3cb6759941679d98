//! A parent is a model.

use diffsync::SyncModel;

struct Region {
    slug: String,
}

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(parent = Region)]
    region: String,
}

fn main() {}

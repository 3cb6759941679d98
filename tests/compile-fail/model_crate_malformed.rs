//! The path of the core is a path.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(crate = "diffsync")]
struct Country {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(crate)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(crate = super)]
struct City {
    #[sync(id)]
    slug: String,
}

fn main() {}

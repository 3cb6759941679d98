//! The path of the core is a path.

use diffsync_core::SyncModel;

#[derive(SyncModel)]
#[sync(crate = "diffsync_core")]
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

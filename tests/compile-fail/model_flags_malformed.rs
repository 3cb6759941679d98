//! Flags are those that there are, each given once.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(flags(skip_unmatched_dest, prevent_destroy, prevent_destroy, hold))]
struct Country {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(flags = ignore)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(flags())]
struct City {
    #[sync(id)]
    slug: String,
}

fn main() {}

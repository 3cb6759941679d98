//! Only an `Option` can have no opinion.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(when_some)]
    population: u64,
}

fn main() {}

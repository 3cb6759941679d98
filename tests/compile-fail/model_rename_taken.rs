//! Two fields of a model have two names.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(rename = "slug")]
    name: String,
    #[sync(rename = "people")]
    population: u64,
    #[sync(local, rename = "people")]
    inhabitants: u64,
}

fn main() {}

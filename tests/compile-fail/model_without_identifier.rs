//! A model has an identifier.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    slug: String,
    name: String,
}

fn main() {}

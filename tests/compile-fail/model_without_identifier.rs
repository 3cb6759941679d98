//! A model has an identifier.

use diffsync_core::SyncModel;

#[derive(SyncModel)]
struct Country {
    slug: String,
    name: String,
}

fn main() {}

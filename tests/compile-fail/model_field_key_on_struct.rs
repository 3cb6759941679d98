//! Roles are given to fields.

use diffsync_core::SyncModel;

#[derive(SyncModel)]
#[sync(id)]
struct Country {
    slug: String,
}

fn main() {}

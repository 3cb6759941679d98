//! Roles are given to fields.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(id)]
struct Country {
    slug: String,
}

fn main() {}

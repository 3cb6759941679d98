//! An attribute owns its value.

use diffsync_core::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    name: &str,
}

fn main() {}

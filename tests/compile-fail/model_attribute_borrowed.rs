//! An attribute owns its value.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    name: &str,
}

fn main() {}

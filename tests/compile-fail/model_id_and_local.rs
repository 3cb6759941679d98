//! What identifies a record is the same on both sides.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id, local)]
    slug: String,
    name: String,
}

fn main() {}

//! Keys stand in parentheses.

use diffsync_core::SyncModel;

#[derive(SyncModel)]
#[sync]
struct Country {
    #[sync = "id"]
    slug: String,
}

fn main() {}

//! Keys stand in parentheses.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync]
struct Country {
    #[sync = "id"]
    slug: String,
}

fn main() {}

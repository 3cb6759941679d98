//! So are those for identifiers.

use diffsync_core::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id, compare = ignore_case)]
    number: u32,
    #[sync(id, compare = unordered)]
    code: String,
}

fn main() {}

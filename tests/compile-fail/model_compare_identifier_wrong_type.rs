//! So are those for identifiers.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id, compare = ignore_case)]
    number: u32,
    #[sync(id, compare = unordered)]
    code: String,
}

fn main() {}

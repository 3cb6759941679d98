//! A model is a struct, and not an enum.

use diffsync::SyncModel;

#[derive(SyncModel)]
enum Status {
    Active,
    Retired { since: u16 },
}

fn main() {}

//! A model is a struct, and not a union.

use diffsync::SyncModel;

#[derive(SyncModel)]
union Address {
    v4: [u8; 4],
    v6: [u8; 16],
}

fn main() {}

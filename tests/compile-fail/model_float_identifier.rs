//! An identifier is equal or not, and has a hash.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Reading {
    #[sync(id)]
    at: f64,
}

fn main() {}

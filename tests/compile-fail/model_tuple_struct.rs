//! The fields of a model have names.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country(#[sync(id)] String, u64);

fn main() {}

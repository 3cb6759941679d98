//! The fields of a model have names.

use diffsync_core::SyncModel;

#[derive(SyncModel)]
struct Country(#[sync(id)] String, u64);

fn main() {}

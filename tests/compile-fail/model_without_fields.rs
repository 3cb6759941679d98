//! A model has fields.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country;

#[derive(SyncModel)]
struct Region {}

fn main() {}

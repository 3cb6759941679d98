//! A model has fields.

use diffsync_core::SyncModel;

#[derive(SyncModel)]
struct Country;

#[derive(SyncModel)]
struct Region {}

fn main() {}

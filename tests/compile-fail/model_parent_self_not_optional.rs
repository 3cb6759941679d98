//! The topmost records of a model that nests in itself have no parent.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Location {
    #[sync(id)]
    slug: String,
    #[sync(parent = Self)]
    within: String,
}

#[derive(SyncModel)]
#[sync(parent(Self, building = within_building, number = within))]
struct Room {
    #[sync(id)]
    building: String,
    #[sync(id)]
    number: u16,
    within_building: String,
    within: u16,
}

fn main() {}

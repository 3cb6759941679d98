//! The fields that name a parent have the types of its identifiers.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    number: u16,
}

#[derive(SyncModel)]
#[sync(parent(Rack, site = site, number = rack))]
struct Device {
    #[sync(id)]
    name: String,
    site: String,
    rack: u64,
}

fn main() {}

//! A parent on the struct is named by fields that are the same on both sides.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(parent(Rack, site = site, name = rack))]
struct Device {
    #[sync(id)]
    name: String,
    site: String,
    #[sync(local)]
    rack: String,
}

fn main() {}

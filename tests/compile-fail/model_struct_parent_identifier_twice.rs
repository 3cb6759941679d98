//! Each identifier of the parent is given once.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(parent(Rack, site = site, site = rack))]
struct Device {
    #[sync(id)]
    name: String,
    site: String,
    rack: String,
}

fn main() {}

//! A parent on the struct is named by its identifiers.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(parent(Rack, site = site, label = rack))]
struct Device {
    #[sync(id)]
    name: String,
    site: String,
    rack: String,
}

fn main() {}

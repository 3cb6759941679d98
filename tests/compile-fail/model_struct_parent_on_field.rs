//! A link that several fields name belongs on the struct.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
struct Device {
    #[sync(id)]
    name: String,
    site: String,
    #[sync(parent(Rack, site = site, name = rack))]
    rack: String,
}

fn main() {}

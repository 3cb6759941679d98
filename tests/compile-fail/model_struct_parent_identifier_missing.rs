//! A parent on the struct is named by all of its identifiers.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(parent(Rack, name = rack))]
struct Device {
    #[sync(id)]
    name: String,
    rack: String,
}

fn main() {}

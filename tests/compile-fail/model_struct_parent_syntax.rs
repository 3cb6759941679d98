//! A parent on the struct is written `parent(Model, its_field = my_field, …)`.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(parent = Rack)]
struct Device {
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(parent(Rack))]
struct Patchpanel {
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(parent(Rack, site, rack))]
struct Pdu {
    #[sync(id)]
    name: String,
    site: String,
    rack: String,
}

#[derive(SyncModel)]
#[sync(parent("Rack", site = site, name = rack))]
struct Shelf {
    #[sync(id)]
    name: String,
    site: String,
    rack: String,
}

fn main() {}

//! Of the fields that name a record one can hold several names.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(references(Rack, site = sites, name = racks))]
struct Tenant {
    #[sync(id)]
    name: String,
    sites: Vec<String>,
    racks: Vec<String>,
}

fn main() {}

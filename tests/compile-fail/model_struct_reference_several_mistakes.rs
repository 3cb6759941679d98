//! All that is wrong with the links of a struct is said in one build.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(
    references(Rack, site = site, site = place),
    references(Rack, site = sight, name = rack),
    references(Rack, site = remote_site, name = rack, deferred),
    references(Rack, site = site, name = rack, deferred)
)]
struct Device {
    #[sync(id)]
    name: String,
    site: String,
    rack: String,
    place: String,
    #[sync(local)]
    remote_site: Option<String>,
}

fn main() {}

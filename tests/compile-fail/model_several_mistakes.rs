//! All mistakes of a model are reported in one build.

use diffsync::SyncModel;
use diffsync::value::Secret;

#[derive(SyncModel)]
#[sync(name = "Country", labels = "countries", parent(Region, slug = area))]
struct Country {
    #[sync(id, local)]
    slug: String,
    #[sync(id)]
    token: Secret<String>,
    #[sync(parnet = Region)]
    region: String,
    #[sync(local, parent = Region)]
    remote_id: u64,
}

#[derive(SyncModel)]
#[sync(name = "Region")]
struct Region {
    slug: String,
}

fn main() {}

//! Keys are separated by commas.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(name = "country" parent(Region, slug = slug))]
struct Country {
    #[sync(id parent = Region)]
    slug: String,
    #[sync("local")]
    remote_id: u64,
}

fn main() {}

//! A key is given once, be it in one attribute or in two.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(name = "country", name = "land")]
struct Country {
    #[sync(id)]
    #[sync(id)]
    slug: String,
}

fn main() {}

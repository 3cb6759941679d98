//! An unknown key is answered with the one that was probably meant.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Region {
    #[sync(di)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(nmae = "country")]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(parnet = Region)]
    region: String,
}

fn main() {}

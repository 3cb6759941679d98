//! A model's name can stand in commands and in URLs.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(name = "Country of origin")]
struct Country {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(name = "")]
struct Region {
    #[sync(id)]
    slug: String,
}

fn main() {}

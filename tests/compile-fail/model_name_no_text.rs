//! A model's name is a text.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(name = country)]
struct Country {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(name = 7)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(name)]
struct City {
    #[sync(id)]
    slug: String,
}

fn main() {}

//! What is left out when a record is created can be left out.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(references(Region, deferred))]
    region: String,
    // An `Option` that no other link needs, and a list, can be left out.
    #[sync(references(Region, deferred))]
    second: Option<String>,
    #[sync(references(Region, deferred))]
    others: Vec<String>,
}

#[derive(SyncModel)]
#[sync(references(Country, slug = country, deferred))]
struct City {
    #[sync(id)]
    slug: String,
    country: String,
}

fn main() {}

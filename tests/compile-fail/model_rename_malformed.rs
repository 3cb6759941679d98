//! A field is renamed to a text.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id, rename = "")]
    slug: String,
    #[sync(rename = people)]
    population: u64,
    #[sync(rename = " area")]
    area: u64,
    #[sync(rename)]
    name: String,
}

fn main() {}

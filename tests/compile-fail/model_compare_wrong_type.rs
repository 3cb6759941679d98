//! Each comparison is for some types.

use diffsync::SyncModel;

use std::collections::BTreeSet;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(compare = unordered)]
    tags: BTreeSet<String>,
    #[sync(compare = ignore_case)]
    area: u64,
    #[sync(compare = contains)]
    name: String,
    #[sync(compare = blank_is_none)]
    capital: String,
    #[sync(compare = tolerance(0.5))]
    population: u64,
}

fn main() {}

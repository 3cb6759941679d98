//! The path of the core is said to be wrong once.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(crate = no::such::path)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(parent = Self)]
    within: Option<String>,
    population: Option<u64>,
}

fn main() {}

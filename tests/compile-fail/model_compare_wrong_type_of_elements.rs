//! The elements of a list are such that they can be found again.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(compare = unordered)]
    rates: Vec<f64>,
    #[sync(compare = contains)]
    shares: Vec<f64>,
}

fn main() {}

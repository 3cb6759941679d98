//! A comparison of one's own takes both values and says whether they are the same.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(compare = with(no_such))]
    a: String,
    #[sync(compare = with(of_numbers))]
    b: String,
    #[sync(compare = with(of_one))]
    c: String,
    #[sync(compare = with(how_far))]
    d: String,
}

fn of_numbers(source: &u64, target: &u64) -> bool {
    source == target
}

fn of_one(source: &str) -> bool {
    source.is_empty()
}

fn how_far(source: &str, target: &str) -> usize {
    source.len().abs_diff(target.len())
}

fn main() {}

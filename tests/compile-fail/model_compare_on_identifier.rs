//! An identifier is compared in ways that a hash can agree with.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id, compare = blank_is_none)]
    slug: Option<String>,
    #[sync(id, compare = with(same))]
    code: String,
    // These two are of use on an identifier.
    #[sync(id, compare = ignore_case)]
    name: String,
}

fn same(left: &str, right: &str) -> bool {
    left == right
}

fn main() {}

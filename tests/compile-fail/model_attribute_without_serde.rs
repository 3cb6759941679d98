//! An attribute can be written as a plain value and read again.

use diffsync::SyncModel;

#[derive(Clone, PartialEq)]
struct Flag(String);

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    flag: Flag,
}

fn main() {}

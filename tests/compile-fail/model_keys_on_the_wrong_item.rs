//! Each key stands on the struct or on a field.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(rename = "land", when_some, create_only, compare = unordered)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(flags(ignore))]
    a: String,
    #[sync(after(Region))]
    b: String,
    #[sync(deletes_first)]
    c: String,
    #[sync(max_deletes = 4)]
    d: String,
    #[sync(crate = diffsync)]
    e: String,
}

fn main() {}

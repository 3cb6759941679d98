//! A key is given once.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(flags(ignore), flags(prevent_destroy), deletes_first, deletes_first, after(Region), after(Region))]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(when_some, when_some, compare = ignore_case, compare = blank_is_none)]
    a: Option<String>,
    #[sync(create_only, create_only, rename = "c", rename = "d")]
    b: String,
    #[sync(parent = Region, parent = Region)]
    region: String,
}

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

fn main() {}
